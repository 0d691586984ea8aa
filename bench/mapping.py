# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""How many bodies a second one process renders."""

from __future__ import annotations

from . import figures, stage

FORMS = {
    "cloudevents": "CloudEvents, the default body",
    "table": "field table of 10 rows",
    "schema": "check against the JSON Schema (part of both)",
}


def measure(quick: bool) -> dict:
    """Render the event of a released order of three lines, by turns in each form."""
    rounds, seconds = (1, 0.3) if quick else (7, 2.0)
    name = "bench_mapping"
    with stage.database(name), stage.Inside(name, "mapping") as inside:
        bodies = inside("prepare")
        turns = [inside("renders", seconds=seconds) for _round in range(rounds)]
    forms = {form: figures.spread([turn[form] for turn in turns]) for form in FORMS}
    sizes = {form: len(body.encode()) for form, body in bodies.items()}
    return {
        "rounds": rounds,
        "body_bytes": sizes,
        "bodies": bodies,
        "per_second": forms,
    }


def tables(report: dict):
    """Yield the tables of a report."""
    forms, sizes = report["per_second"], report["body_bytes"]
    head = ("form", "bytes", "per second", "lowest to highest", "one takes, ms")
    rows = [
        (
            text,
            sizes.get(form, "-"),
            f"{forms[form]['median']:.0f}",
            f"{forms[form]['min']:.0f} to {forms[form]['max']:.0f}",
            f"{1000 / forms[form]['median']:.2f}",
        )
        for form, text in FORMS.items()
    ]
    yield figures.table(head, rows)
