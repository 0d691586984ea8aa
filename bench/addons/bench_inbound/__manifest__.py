# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
{
    "name": "Bench: Reception",
    "summary": "What the inbound benchmark compares with",
    "version": "19.0.1.0.0",
    "license": "LGPL-3",
    "author": "Healthcare Integration for Odoo contributors",
    "category": "Hidden",
    "depends": ["base_automation"],
    "installable": True,
}
