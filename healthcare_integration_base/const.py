# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Selections and names that several models of the suite share."""

ENVIRONMENTS = [
    ("production", "Production"),
    ("staging", "Staging"),
    ("test", "Test"),
]
DIRECTIONS = [("out", "Outgoing"), ("in", "Incoming")]
SENSITIVITIES = [
    ("internal", "Internal"),
    ("confidential", "Confidential"),
    ("phi", "Protected health information"),
]
ERROR_CLASSES = [
    ("transport", "Transport"),
    ("timeout", "Timeout"),
    ("throttled", "Throttled"),
    ("server", "Partner's server"),
    ("authentication", "Authentication"),
    ("contract", "Contract"),
    ("rejected", "Rejected"),
    ("gone", "Gone"),
    ("configuration", "Configuration"),
    ("mapping", "Mapping"),
    ("schema", "Schema"),
    ("business", "Business rule"),
]
PRIORITIES = [("0", "Urgent"), ("1", "Normal"), ("2", "Bulk")]
LANE_OUT = "out"
LANE_IN = "in"
