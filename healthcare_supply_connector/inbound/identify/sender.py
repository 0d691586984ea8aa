# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Who refers to something: its system, its identifiers and crosswalk, its refusals."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from odoo.addons.healthcare_integration_base.protocol.cause import Cause
from odoo.addons.healthcare_integration_base.protocol.errors import Rejected

LONGEST = 200
INDEX = re.compile(r"/(\d+)(?:/|$)")


@dataclass(frozen=True)
class Kind:
    """What can be referred to.

    :param name: first part of the error codes ``<name>_unknown`` and ``<name>_ambiguous``
    :param model: what is found
    :param domain: of the crosswalk that translates its names
    """

    name: str
    model: str
    domain: str


KINDS = {
    kind.name: kind
    for kind in (
        Kind("item", "product.product", "item"),
        Kind("unit", "uom.uom", "uom"),
        Kind("supplier", "res.partner", "supplier"),
        Kind("customer", "res.partner", "customer"),
        Kind("tax", "account.tax", "tax"),
        Kind("location", "stock.location", "location"),
        Kind("account", "account.account", "account"),
        Kind("cost_center", "account.analytic.account", "cost_center"),
        Kind("payment_term", "account.payment.term", "payment_term"),
    )
}


def kind_of(code: str | None) -> Kind | None:
    """Return what a case of this code is about, None for other codes."""
    name, _, what = (code or "").rpartition("_")
    return KINDS.get(name) if what in ("unknown", "ambiguous") else None


class Sender:
    """The system a message came from, seen by the acting user.

    :param env: environment of the acting user
    :param message: the integration.message, or an integration.system
    """

    def __init__(self, env, message):
        self.env = env
        message = message.sudo()
        is_system = message._name == "integration.system"
        self.system = message if is_system else message.endpoint_id.system_id
        self.phi = not is_system and message.event_type_id.sensitivity == "phi"
        self.partner = self.system.partner_id.commercial_partner_id

    @property
    def name(self) -> str:
        """Return what people call the sender."""
        return self.partner.name or self.system.name or ""

    # -- its names -------------------------------------------------------------------

    def identifiers(self, model: str, pairs: Iterable[tuple[str, str]]) -> dict:
        """Return the visible records of a model by (kind, value), in few queries."""
        found = self.env["integration.identifier"]._find(self.system, pairs, model)
        seen = self.visible(model, found.values())
        return {pair: seen[res_id] for pair, res_id in found.items() if res_id in seen}

    def visible(self, model: str, ids: Iterable[int]) -> dict[int, Any]:
        """Return those of the records that are active and the user's company may use."""
        records = self.env[model].search(
            [("id", "in", list(ids)), *self.company_domain(model)]
        )
        return {record.id: record for record in records}

    def company_domain(self, model: str) -> list:
        """Return the condition on records the acting company may use."""
        return company_domain(self.env[model], self.env.company)

    def crosswalk(self, domain: str, values: Iterable[str]) -> dict[str, str]:
        """Return our values by the sender's, as far as they are in its crosswalk."""
        return self.env["integration.crosswalk"]._lookup(self.system, domain, values)

    def translated(self, kind: Kind, values: Iterable[str], named=None) -> dict:
        """Return the visible records the crosswalk gives for values.

        Our value is ``model,id``, or a name that ``named`` understands.

        :param named: callable (text) → recordset
        :return: value → recordset (one record)
        """
        ours = self.crosswalk(kind.domain, values)
        ids = {value: _record_id(kind.model, text) for value, text in ours.items()}
        seen = self.visible(kind.model, filter(None, ids.values()))
        found = {}
        for value, text in ours.items():
            record = seen.get(ids[value])
            if not ids[value] and named:
                record = named(text)
            if record and len(record) == 1:
                found[value] = record
        return found

    # -- its mistakes ------------------------------------------------------------------

    def one(self, kind: Kind, records, key: str, path: str, **data: Any):
        """Return the one record; refuse none and several, with a cause.

        :param records: what fits
        :param key: what the partner calls it; the crosswalk's value when it is picked
        :param path: where it stands in the message
        :param data: what the wizard needs to know
        """
        if len(records) == 1:
            return records
        what = "ambiguous" if records else "unknown"
        raise self.refused(kind, what, key, [path], candidates=records.ids, **data)

    def refused(
        self, kind: Kind, what: str, key: str, paths: list[str], **data: Any
    ) -> Rejected:
        """Return the refusal of a reference, whose case the wizard finishes.

        :param what: ``unknown`` or ``ambiguous``
        :param paths: where it stands in the message; the first one makes the case
        """
        code, key = f"{kind.name}_{what}", (key or "")[:LONGEST]
        index = INDEX.search(paths[0])
        cause = Cause(
            code=code,
            key=key,
            title=self._title(code, key),
            data={
                "domain": kind.domain,
                "kind": kind.name,
                "external_value": key,
                "path": paths[0],
                **({"index": int(index[1])} if index else {}),
                **{name: value for name, value in data.items() if value},
            },
        )
        unknown = "is not known" if what == "unknown" else "fits several records"
        return Rejected(
            f"A reference of the message {unknown}: {kind.name.replace('_', ' ')}.",
            code=code,
            cause=cause,
            details=[{"path": path, "message": unknown} for path in paths],
        )

    def missing(self, kind: Kind, path: str) -> Rejected:
        """Return the refusal of a reference that names nothing at all."""
        return self.invalid(f"{kind.name}_missing", path, "names nothing")

    @staticmethod
    def invalid(code: str, path: str, message: str) -> Rejected:
        """Return the refusal of what only the partner can mend."""
        return Rejected(
            "A reference of the message is not valid.",
            code=code,
            details=[{"path": path, "message": message}],
        )

    def _title(self, code: str, key: str) -> str:
        env = self.env
        values = {"value": key, "name": self.name}
        titles = {
            "item_unknown": env._("Unknown item %(value)s at %(name)s", **values),
            "item_ambiguous": env._("Ambiguous item %(value)s at %(name)s", **values),
            "unit_unknown": env._("Unknown unit %(value)s at %(name)s", **values),
            "unit_ambiguous": env._("Ambiguous unit %(value)s at %(name)s", **values),
            "supplier_unknown": env._(
                "Unknown supplier %(value)s at %(name)s", **values
            ),
            "supplier_ambiguous": env._(
                "Ambiguous supplier %(value)s at %(name)s", **values
            ),
            "customer_unknown": env._(
                "Unknown customer %(value)s at %(name)s", **values
            ),
            "customer_ambiguous": env._(
                "Ambiguous customer %(value)s at %(name)s", **values
            ),
            "tax_unknown": env._("Unknown tax %(value)s at %(name)s", **values),
            "tax_ambiguous": env._("Ambiguous tax %(value)s at %(name)s", **values),
            "location_unknown": env._(
                "Unknown location %(value)s at %(name)s", **values
            ),
            "location_ambiguous": env._(
                "Ambiguous location %(value)s at %(name)s", **values
            ),
            "account_unknown": env._("Unknown account %(value)s at %(name)s", **values),
            "account_ambiguous": env._(
                "Ambiguous account %(value)s at %(name)s", **values
            ),
            "cost_center_unknown": env._(
                "Unknown cost centre %(value)s at %(name)s", **values
            ),
            "cost_center_ambiguous": env._(
                "Ambiguous cost centre %(value)s at %(name)s", **values
            ),
            "payment_term_unknown": env._(
                "Unknown payment term %(value)s at %(name)s", **values
            ),
            "payment_term_ambiguous": env._(
                "Ambiguous payment term %(value)s at %(name)s", **values
            ),
        }
        return titles[code]


def company_domain(records, company) -> list:
    """Return the condition on records of a model that a company may use."""
    if not {"company_id", "company_ids"} & records._fields.keys():
        return []  # units are everybody's
    return list(records._check_company_domain(company))


def text_of(ref: Mapping[str, Any] | None, *names: str) -> str | None:
    """Return the first text under one of the names; None if there is none."""
    for name in names:
        value = (ref or {}).get(name)
        if isinstance(value, (str, int)) and not isinstance(value, bool):
            value = str(value).strip()
            if value:
                return value
    return None


def pair_of(ref: Mapping[str, Any] | None) -> tuple[str, str] | None:
    """Return (kind, value) of the reference's ``identifier``; None if there is none."""
    identifier = (ref or {}).get("identifier")
    if not isinstance(identifier, Mapping):
        return None
    kind, value = text_of(identifier, "kind"), text_of(identifier, "value")
    return (kind, value) if kind and value else None


def _record_id(model: str, text: str) -> int | None:
    """Return the id of ``model,id``; None for a name."""
    name, _, number = text.partition(",")
    if name != model or not number.isdecimal() or len(number) > 9:
        return None
    return int(number)
