# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What the documents of one batch share: parties, items, units, identifiers."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from odoo.fields import Domain

from .text import amount_text, compact, date_text, decimal_text, gtin14


class Batch:
    """Builds the parts of documents; reads external identifiers once for all of them.

    :param env: environment of the payload (superuser, company of the records, UTC)
    :param partners: partners that appear in the documents
    :param products: product variants that appear in the documents
    """

    def __init__(self, env, partners=None, products=None):
        self.env = env
        self.quantity_digits = env["decimal.precision"].precision_get("Product Unit")
        self._identifiers = self._read_identifiers(partners, products)

    def _read_identifiers(
        self, *recordsets
    ) -> dict[tuple[str, int], list[dict[str, str]]]:
        wanted = Domain.OR(
            Domain("res_model", "=", records._name)
            & Domain("res_id", "in", records.ids)
            for records in recordsets
            if records
        )
        if wanted.is_false():
            return {}
        # A record that companies share is published for none of them: no company's own then.
        companies = self.env.context.get("allowed_company_ids") or []
        company = Domain("company_id", "in", [False, *companies])
        found: dict[tuple[str, int], list[dict[str, str]]] = defaultdict(list)
        for row in (
            self.env["integration.identifier"]
            .sudo()
            .search(wanted & company & Domain("sensitivity", "!=", "phi"))
        ):
            found[row.res_model, row.res_id].append(
                {"system": row.system_id.code, "kind": row.kind, "value": row.value}
            )
        return found

    def identifiers(self, record) -> list[dict[str, str]]:
        """Return the identifiers external systems gave to a partner or a product."""
        return self._identifiers.get((record._name, record.id), [])

    def quantity(self, value: float) -> str:
        """Return a quantity as decimal string."""
        return decimal_text(value, self.quantity_digits)

    @staticmethod
    def amount(value: float, currency) -> str:
        """Return an amount as decimal string with the decimals of its currency."""
        return amount_text(value, currency.decimal_places)

    @staticmethod
    def unit(uom) -> dict[str, str]:
        """Return a unit: its name, and its UN/ECE Rec 20 code where known."""
        return compact({"code": uom.unece_code or None, "name": uom.name})

    def party(self, partner) -> dict[str, Any] | None:
        """Return who takes part in a document, with all his identifiers; None for nobody."""
        if not partner:
            return None
        return compact(
            {
                "id": str(partner.id),
                "name": partner.name or partner.commercial_partner_id.name,
                "reference": partner.ref or None,
                "vat": partner.vat or None,
                "gln": self._gln(partner),
                "identifiers": self.identifiers(partner),
                "address": address(partner),
                "email": partner.email or None,
                "phone": partner.phone or None,
            }
        )

    def _gln(self, partner) -> str | None:
        """Return the GLN: Odoo's own field where installed, else a partner's identifier."""
        if (
            "global_location_number" in partner._fields
            and partner.global_location_number
        ):
            return partner.global_location_number
        values = (
            row["value"] for row in self.identifiers(partner) if row["kind"] == "gln"
        )
        return next(values, None)

    def item(self, product, seller=None) -> dict[str, Any] | None:
        """Return a product as an item, with the supplier's own code where a seller is given."""
        if not product:
            return None
        return compact(
            {
                "id": str(product.id),
                "code": product.default_code or None,
                "name": product.name,
                "gtin": gtin14(product.barcode),
                "barcode": product.barcode or None,
                "supplier_code": seller and seller.product_code or None,
                "supplier_name": seller and seller.product_name or None,
                "identifiers": self.identifiers(product),
            }
        )

    def seller_of(self, product, partner):
        """Return the vendor pricelist line of a supplier for a product, the first that fits.

        Only what Odoo has prefetched is looked at, so a batch costs one statement.
        """
        vendors = partner | partner.commercial_partner_id
        return product.seller_ids.filtered(
            lambda seller: seller.partner_id in vendors
            and (not seller.product_id or seller.product_id == product)
            and (not seller.company_id or seller.company_id == self.env.company)
        )[:1]

    def lots(self, move_lines) -> list[dict[str, Any]]:
        """Return the lots of move lines with their expiry, one entry per lot."""
        quantities: dict[tuple[str, str | None], float] = defaultdict(float)
        for line in move_lines:
            lot = line.lot_id
            name = lot.name or line.lot_name
            if name:
                expiry = lot.expiration_date or line.expiration_date
                quantities[name, date_text(expiry)] += line.quantity_product_uom
        return [
            compact(
                {
                    "lot": name,
                    "expiry_date": expiry,
                    "quantity": self.quantity(quantity),
                }
            )
            for (name, expiry), quantity in quantities.items()
        ]


def read_ahead(records, *paths: str) -> None:
    """Read relations of a whole batch, each in one statement.

    Odoo prefetches for the records of a recordset only, and what is left of a document's
    lines after ``filtered`` is a recordset of its own: without this, each document would
    read its own.

    :param paths: dotted names of relational fields
    """
    for path in paths:
        records.mapped(path)


def address(partner) -> dict[str, str]:
    """Return the postal address: ISO 3166 country (alpha-2) and subdivision codes."""
    return compact(
        {
            "street": partner.street or None,
            "street2": partner.street2 or None,
            "city": partner.city or None,
            "zip": partner.zip or None,
            "state": partner.state_id.code or None,
            "country": partner.country_id.code or None,
        }
    )


def location(record) -> dict[str, str]:
    """Return a stock location: name, use, warehouse and barcode."""
    return compact(
        {
            "name": record.complete_name,
            "usage": record.usage,
            "warehouse": record.warehouse_id.code or None,
            "barcode": record.barcode or None,
        }
    )
