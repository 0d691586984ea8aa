# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The rig: everything from a bare machine to a running Odoo, standard library only."""
