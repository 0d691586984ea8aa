# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The packages of a ship notice: their codes, how they are nested, what is made of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from odoo.addons.healthcare_integration_base.protocol.errors import Rejected

from . import sscc


class Packages:
    """The packages a notice names, each known by its SSCC.

    :param env: the acting user's environment
    :param data: canonical data of ``supply.shipment.notified``
    :raise Rejected: ``sscc_invalid``, ``sscc_repeated``, ``sscc_known``, ``package_cycle``
    """

    def __init__(self, env, data: dict[str, Any]):
        self.env = env
        self.parents: dict[str, str | None] = {}
        self.tracking: dict[str, str | None] = {}
        self.paths: dict[str, str] = {}
        self.made: dict[str, Any] = {}
        self._declare(data.get("packages", []))
        for code, path in _mentioned(data):
            self._note(code, path)
        self._check_nesting()
        self._check_new()

    def _declare(self, rows) -> None:
        for index, row in enumerate(rows):
            path = f"/packages/{index}"
            code = read(row["sscc"], f"{path}/sscc")
            if code in self.parents:
                raise _refused(f"{path}/sscc", "sscc_repeated", "is listed above")
            parent = row.get("parent_sscc")
            self.parents[code] = parent and read(parent, f"{path}/parent_sscc")
            self.tracking[code] = row.get("tracking_number")
            self.paths[code] = f"{path}/sscc"
        for code in [parent for parent in self.parents.values() if parent]:
            self._note(code, self.paths.get(code, "/packages"))

    def _note(self, code: str, path: str) -> None:
        self.parents.setdefault(code, None)
        self.paths.setdefault(code, path)

    def _check_nesting(self) -> None:
        for code in self.parents:
            seen, outer = {code}, self.parents[code]
            while outer:
                if outer in seen:
                    raise _refused(
                        self.paths[code], "package_cycle", "is in itself at last"
                    )
                seen.add(outer)
                outer = self.parents[outer]

    def _check_new(self) -> None:
        """Refuse codes that were used before: GS1 forbids it for a year at least."""
        codes, company = list(self.parents), self.env.company
        if not codes:
            return
        register = self.env["stock.shipment.notice.package"].sudo()
        used = register.search(
            [("sscc", "in", codes), ("company_id", "=", company.id)]
        ).mapped("sscc")
        used += (
            self.env["stock.package"]
            .search([("name", "in", codes), ("company_id", "=", company.id)])
            .mapped("name")
        )
        for code in codes:
            if code in used:
                raise _refused(self.paths[code], "sscc_known", "was used before")

    def make(self) -> None:
        """Make the packages, the outer ones first; they come into stock with the receipt."""
        for code in self.parents:
            self._make(code)

    def _make(self, code: str):
        if code not in self.made:
            parent = self.parents[code]
            vals = {"name": code}
            if parent:
                vals["package_dest_id"] = self._make(parent).id
            self.made[code] = self.env["stock.package"].create(vals)
        return self.made[code]

    def register(self) -> list[dict[str, Any]]:
        """Return the values of the notice's list of packages."""
        return [
            {
                "sscc": code,
                "parent_sscc": parent,
                "tracking_number": self.tracking.get(code),
                "package_id": self.made[code].id,
            }
            for code, parent in self.parents.items()
        ]


def read(text: str, path: str) -> str:
    """Return a code as 18 digits.

    :raise Rejected: ``sscc_invalid``
    """
    try:
        return sscc.normalised(text)
    except ValueError as exc:
        raise _refused(path, "sscc_invalid", str(exc)) from None


def _mentioned(data) -> Iterator[tuple[str, str]]:
    for index, row in enumerate(data["lines"]):
        path = f"/lines/{index}"
        if "sscc" in row:
            yield read(row["sscc"], f"{path}/sscc"), f"{path}/sscc"
        for number, lot in enumerate(row.get("lots", [])):
            if "sscc" in lot:
                place = f"{path}/lots/{number}/sscc"
                yield read(lot["sscc"], place), place


def _refused(path: str, code: str, message: str) -> Rejected:
    return Rejected(
        "A package of the notice cannot be accepted.",
        code=code,
        details=[{"path": path, "message": message}],
    )
