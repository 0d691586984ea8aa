# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The demonstration: a real server, real partners, and what people do in a working day."""
