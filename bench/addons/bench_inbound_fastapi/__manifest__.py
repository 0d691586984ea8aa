# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
{
    "name": "Bench: Reception by FastAPI",
    "summary": "An application for the inbound benchmark",
    "version": "19.0.1.0.0",
    "license": "LGPL-3",
    "author": "Healthcare Integration for Odoo contributors",
    "category": "Hidden",
    "depends": ["bench_inbound", "fastapi"],
    "installable": True,
}
