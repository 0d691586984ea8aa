# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Messages of partners: what they refer to, and how they are refused."""
