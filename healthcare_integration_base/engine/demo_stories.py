# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What happened in the week of the demo data: messages alike, and the cases they caused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MODULE = "healthcare_integration_base"
SITES = ("northgate", "harbour", "birchwood", "stmarys", "pharmacy", "hillside")
DEAD = "dead"


@dataclass(frozen=True)
class Try:
    """One attempt: HTTP status or error, and what the partner said."""

    outcome: str = "success"
    status: int = 0
    error_class: str | None = None
    error_code: str | None = None
    answer: str = ""
    seconds: float = 0.2


OK = Try(status=202, answer='{"status":"accepted"}')
APPLIED = Try(seconds=0.04)
BUSY = Try("failure", 503, "server", "http_503", '{"error":"maintenance"}', 0.9)
TIMEOUT = Try("failure", 0, "timeout", "timeout_total", "", 30.0)
REFUSED = Try("failure", 0, "transport", "connection_refused", "", 0.02)
UNPROCESSABLE = Try(
    "failure", 422, "rejected", "http_422", '{"error":"unknown_cost_centre"}', 0.15
)
DENIED = Try(
    "failure", 401, "authentication", "http_401", '{"error":"token expired"}', 0.1
)
LOST = Try(
    "failure", 404, "contract", "http_404", "<html><h1>Not Found</h1></html>", 0.1
)
UNMAPPED = Try("failure", 0, "mapping", "required_value_missing", "", 0.01)
BROKEN = Try("failure", 0, "schema", "schema_violation", "", 0.03)
UNKNOWN_SITE = Try("failure", 0, "business", "unknown_site", "", 0.05)

TEXTS = {
    "http_503": "The partner's server is not available (HTTP 503)",
    "timeout_total": "No answer within 30 s",
    "connection_refused": "The partner refuses the connection",
    "http_422": "The partner rejected the message (HTTP 422)",
    "http_401": "The partner does not accept our credential (HTTP 401)",
    "http_404": "The partner does not know this address (HTTP 404)",
    "required_value_missing": "The mapping requires a value the event does not have",
    "schema_violation": "The content does not fit the schema of its event type",
    "unknown_site": "No care site has this reference",
}


@dataclass(frozen=True)
class Story:
    """Messages alike: how many, between which hours ago, with which fate."""

    name: str
    endpoint: str
    event_type: str
    count: int
    hours: tuple[float, float]
    state: str = "delivered"
    tries: tuple[Try, ...] = (OK,)
    extra: dict[str, Any] = field(default_factory=dict)


SITE = "site_updated"
OPENED = "site_opened"
CATALOGUE = "catalogue_published"
PRACTITIONER = "practitioner_registered"
STORIES = (
    Story("week_medsupply", "medsupply_sites", SITE, 130, (24, 168)),
    Story("day_medsupply", "medsupply_sites", SITE, 86, (0.1, 24)),
    Story("retried", "medsupply_sites", OPENED, 5, (2, 20), tries=(BUSY, BUSY, OK)),
    Story("week_ledgerline", "ledgerline_sites", SITE, 60, (26, 168)),
    Story("day_ledgerline", "ledgerline_sites", SITE, 34, (0.5, 24)),
    Story("rejected", "ledgerline_sites", SITE, 6, (0.8, 5), DEAD, (UNPROCESSABLE,)),
    Story(
        "mended",
        "ledgerline_sites",
        SITE,
        4,
        (22, 26),
        DEAD,
        (UNMAPPED,),
        {"superseded": True},
    ),
    Story(
        "mending", "ledgerline_sites", SITE, 4, (20, 21), extra={"replays": "mended"}
    ),
    Story("week_nordlab", "nordlab_sites", SITE, 50, (24, 168)),
    Story("day_nordlab", "nordlab_sites", SITE, 22, (1.7, 24)),
    Story(
        "failing", "nordlab_sites", SITE, 7, (0.1, 1.5), "pending", (TIMEOUT, REFUSED)
    ),
    Story(
        "exhausted",
        "nordlab_sites",
        SITE,
        2,
        (90, 96),
        DEAD,
        (TIMEOUT, BUSY, TIMEOUT, BUSY),
    ),
    Story("week_coldchain", "coldchain_sites", SITE, 40, (24, 168)),
    Story("day_coldchain", "coldchain_sites", SITE, 9, (4, 24)),
    Story("held", "coldchain_sites", OPENED, 14, (0.2, 3), "pending", ()),
    Story("lost", "medsupply_sites", OPENED, 1, (70, 72), DEAD, (LOST,)),
    Story("denied", "clearbridge_sites", SITE, 2, (28, 30), DEAD, (DENIED,)),
    Story("rehearsed", "medsupply_orders", OPENED, 8, (1, 60), "shadow", ()),
    Story("foreign", "riverside_sites", OPENED, 3, (3, 30), "pending", ()),
    Story(
        "week_catalogue",
        "nordlab_catalogue",
        CATALOGUE,
        36,
        (24, 168),
        "done",
        (APPLIED,),
    ),
    Story(
        "day_catalogue",
        "nordlab_catalogue",
        CATALOGUE,
        12,
        (0.2, 24),
        "done",
        (APPLIED,),
    ),
    Story("broken", "nordlab_catalogue", CATALOGUE, 3, (2, 7), DEAD, (BROKEN,)),
    Story(
        "filtered",
        "nordlab_catalogue",
        CATALOGUE,
        4,
        (1, 40),
        "filtered",
        (APPLIED,),
        {"filter_reason": "An older catalogue than the one we have"},
    ),
    Story(
        "day_practitioner",
        "medsupply_practitioners",
        PRACTITIONER,
        18,
        (0.5, 30),
        "done",
        (APPLIED,),
    ),
    Story(
        "unknown",
        "medsupply_practitioners",
        PRACTITIONER,
        1,
        (1, 2),
        DEAD,
        (UNKNOWN_SITE,),
    ),
    Story("withdrawn", "clearbridge_sites", SITE, 2, (40, 44), "cancelled", ()),
)


@dataclass(frozen=True)
class Case:
    """A case and the story whose messages it is about."""

    story: str
    name: str
    category: str
    code: str
    queue: str
    detail: str
    state: str = "open"
    user: str | None = None
    hours_left: float = 5
    resolution: str | None = None
    activity: str | None = None


CASES = (
    Case(
        "rejected",
        "Ledgerline rejects cost centres",
        "rejected",
        "http_422",
        "queue_finance",
        "Cost centres to Ledgerline: the partner answers 422, unknown_cost_centre.",
    ),
    Case(
        "exhausted",
        "NordLab did not answer for four days",
        "timeout",
        "timeout_total",
        "queue_supply",
        "Collection points to NordLab: no retry is left.",
        "in_progress",
        "base.user_admin",
        -3,
        activity="Call the NordLab interface desk",
    ),
    Case(
        "denied",
        "Clearbridge does not accept our token",
        "authentication",
        "http_401",
        "queue_default",
        "Provider sites to Clearbridge: HTTP 401. The credential may have expired.",
        "in_progress",
        f"{MODULE}.demo_user_operator",
        20,
    ),
    Case(
        "broken",
        "Test catalogue does not fit its schema",
        "schema",
        "schema_violation",
        "queue_default",
        "Test catalogue from NordLab: /tests/3/sample_hours: exclusiveMinimum",
        user="base.user_admin",
        hours_left=9,
    ),
    Case(
        "unknown",
        "Practitioner of an unknown care site",
        "business",
        "unknown_site",
        "queue_default",
        "Practitioners from MedSupply: no care site has the reference of the message.",
        hours_left=23,
    ),
    Case(
        "mended",
        "Cost centre without a number",
        "mapping",
        "required_value_missing",
        "queue_finance",
        "Cost centre for Ledgerline v1: number is required and has no value.",
        "resolved",
        f"{MODULE}.demo_user_finance",
        -18,
        "The reference was entered on the sites; version 2 of the mapping; replayed.",
    ),
    Case(
        "lost",
        "MedSupply moved its address",
        "contract",
        "http_404",
        "queue_supply",
        "Care sites to MedSupply: HTTP 404.",
        "ignored",
        f"{MODULE}.demo_user_operator",
        -40,
        "Announced move; the site was sent again by hand.",
    ),
)
