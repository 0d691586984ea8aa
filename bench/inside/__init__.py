# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The part of the benchmarks that runs inside Odoo."""
