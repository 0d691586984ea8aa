# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Transports: the only code that opens connections to partners."""
