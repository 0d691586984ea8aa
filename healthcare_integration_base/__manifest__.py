# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
{
    "name": "Healthcare Integration Base",
    "summary": "Signed, retried, ordered and logged messages between Odoo and healthcare partners",
    "version": "19.0.1.0.0",
    "category": "Services/Healthcare Integration",
    "license": "LGPL-3",
    "author": "Healthcare Integration for Odoo contributors",
    "depends": ["queue_job", "mail"],
    "external_dependencies": {
        "python": ["aiohttp", "cryptography", "jsonata-python", "jsonschema"],
    },
    "data": [
        "security/security.xml",
        "security/ir.model.access.csv",
        "security/rules.xml",
        "data/queue_job.xml",
        "data/ir_cron.xml",
        "data/integration_defaults.xml",
        "data/integration_event_type.xml",
        "data/integration_audit_cron.xml",
    ],
    "demo": [],
    "assets": {},
    "application": True,
    "installable": True,
}
