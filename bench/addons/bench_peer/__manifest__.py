# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
{
    "name": "Bench: One Job per Message",
    "summary": "What the delivery benchmark compares with",
    "version": "19.0.1.0.0",
    "license": "LGPL-3",
    "author": "Healthcare Integration for Odoo contributors",
    "category": "Hidden",
    "depends": ["queue_job"],
    "data": ["data/queue_job.xml"],
    "installable": True,
}
