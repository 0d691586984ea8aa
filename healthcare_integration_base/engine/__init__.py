# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Glue between the models and the protocol code: knows Odoo, holds no model."""
