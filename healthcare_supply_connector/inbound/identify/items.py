# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Items: by GTIN, our reference, the supplier's code, an identifier, the crosswalk."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...payloads.text import GTIN_LENGTHS, gtin14
from .sender import KINDS, LONGEST, Sender, pair_of, text_of

ITEM = KINDS["item"]


@dataclass(frozen=True)
class Found:
    """An item of ours.

    :param product: the product variant
    :param uom: the unit its pack's GTIN stands for; None if the reference names no pack
    """

    product: Any
    uom: Any = None


@dataclass
class _Ref:
    """One reference, and the products that fit so far."""

    path: str
    gtin: str | None
    code: str | None
    supplier_code: str | None
    identifier: tuple[str, str] | None
    description: str | None
    invalid: bool = False
    unclear: Any = field(default=None)

    @property
    def names(self) -> list[str]:
        """Return what the partner calls it, the name by which it is learnt first."""
        value = self.identifier and self.identifier[1]
        return [n for n in (self.supplier_code, value, self.gtin, self.code) if n]


def item(env, message, ref: Mapping[str, Any], path: str, supplier=None) -> Found:
    """Return the item a reference means.

    :param ref: ``gtin`` (8, 12, 13 or 14 digits), ``code`` (our internal reference),
        ``supplier_code``, ``identifier`` ({kind, value}), ``description`` (for people);
        looked up in this order, then in the crosswalk domain ``item``
    :param path: JSON pointer of the reference
    :param supplier: whose codes the supplier codes are; default the system's partner
    :raises Rejected: ``item_unknown`` and ``item_ambiguous`` with a cause,
        ``gtin_invalid``, ``item_missing``
    """
    return items(env, message, [(ref, path)], supplier)[0]


def items(
    env, message, refs: Sequence[tuple[Mapping[str, Any], str]], supplier=None
) -> list[Found]:
    """Return the items of all lines of a message, in a fixed number of queries.

    :param refs: (reference, path) of each line, as for ``item``
    :raises Rejected: as ``item``; its details name every line of the same trouble
    """
    sender = Sender(env, message)
    parsed = [_parse(ref, path) for ref, path in refs]
    _check(sender, parsed)
    lookup = _Lookup(sender, parsed, (supplier or sender.partner))
    found = [lookup.find(ref) for ref in parsed]
    _refuse_lost(sender, parsed, found, supplier)
    return [one for one in found if one]


def own_items(env, system, codes: Iterable[str]) -> dict[str, Any]:
    """Return what a system's own item codes stand for: one product, or all that fit.

    :param system: the integration.system whose supplier codes and crosswalk count
    """
    sender = Sender(env, system)
    refs = {code: _parse({"supplier_code": code}, "") for code in codes}
    lookup = _Lookup(sender, list(refs.values()), sender.partner)
    found = {code: lookup.find(ref) for code, ref in refs.items()}
    products = {
        code: one.product if one else refs[code].unclear for code, one in found.items()
    }
    return {code: product for code, product in products.items() if product}


def _parse(ref: Mapping[str, Any], path: str) -> _Ref:
    written = text_of(ref, "gtin")
    gtin = gtin14(written) if written else None
    return _Ref(
        path=path,
        gtin=gtin,
        code=text_of(ref, "code"),
        supplier_code=text_of(ref, "supplier_code"),
        identifier=pair_of(ref),
        description=text_of(ref, "description", "name"),
        invalid=bool(written and not gtin),
    )


def _check(sender: Sender, refs: Sequence[_Ref]) -> None:
    for ref in refs:
        if ref.invalid:
            raise sender.invalid(
                "gtin_invalid",
                f"{ref.path}/gtin",
                "is no GTIN of 8, 12, 13 or 14 digits with a right check digit",
            )
        if not ref.names:
            raise sender.missing(ITEM, ref.path)


def _refuse_lost(sender, refs, found, supplier) -> None:
    """Refuse with the first lost reference; the others of the same name are told with it."""
    lost = [ref for ref, one in zip(refs, found, strict=True) if not one]
    if not lost:
        return
    first = lost[0]
    what = "unknown" if first.unclear is None else "ambiguous"
    paths = [ref.path for ref in lost if ref.names[0] == first.names[0]]
    description = (
        None if sender.phi else first.description and first.description[:LONGEST]
    )
    raise sender.refused(
        ITEM,
        what,
        first.names[0],
        paths,
        description=description,
        gtin=first.gtin,
        code=first.code,
        supplier_code=first.supplier_code,
        identifier=list(first.identifier or ()),
        supplier_id=(supplier or sender.partner).id,
        candidates=first.unclear.ids if first.unclear is not None else [],
    )


class _Lookup:
    """What the database knows of all references, read at once."""

    def __init__(self, sender: Sender, refs: Sequence[_Ref], supplier):
        self.sender, self.env = sender, sender.env
        self.products = self.env["product.product"]
        names = {name for ref in refs for name in ref.names}
        self.crosswalk = sender.crosswalk(ITEM.domain, names)
        ours = set(self.crosswalk.values())
        self.by_barcode, self.by_pack = self._barcodes(
            {ref.gtin for ref in refs if ref.gtin}
            | set(filter(None, map(gtin14, ours)))
        )
        self.by_code = self._codes({ref.code for ref in refs if ref.code} | ours)
        self.by_supplier = self._supplier_codes(
            supplier, {ref.supplier_code for ref in refs if ref.supplier_code}
        )
        self.by_identifier = sender.identifiers(
            ITEM.model, {ref.identifier for ref in refs if ref.identifier}
        )
        self.translated = sender.translated(ITEM, names, self._named)

    def find(self, ref: _Ref) -> Found | None:
        """Return the item; None leaves in ``ref.unclear`` what fits, if several do."""
        for products, uom in self._steps(ref):
            if ref.unclear is not None:
                products &= ref.unclear  # a later name may tell which one is meant
            if len(products) == 1:
                return Found(products, uom)
            if products:
                ref.unclear = products
        for name in ref.names:  # what a person has picked decides any doubt
            if name in self.translated:
                return Found(self.translated[name])
        return None

    def _steps(self, ref: _Ref) -> Iterable[tuple[Any, Any]]:
        nothing = self.products
        packs = self.by_pack.get(ref.gtin, [])
        if ref.gtin:
            products = self.by_barcode.get(ref.gtin, nothing)
            products |= nothing.union(*(pack.product_id for pack in packs))
            packed = len(packs) == 1 and packs[0].product_id == products
            yield products, packs[0].uom_id if packed else None
        if ref.code:
            yield self.by_code.get(ref.code, nothing), None
        if ref.supplier_code:
            yield self.by_supplier.get(ref.supplier_code, nothing), None
        if ref.identifier:
            yield self.by_identifier.get(ref.identifier, nothing), None

    def _search(self, name: str, values: Iterable[str]):
        company = self.sender.company_domain(ITEM.model)
        return self.products.search([(name, "in", list(values)), *company])

    def _barcodes(self, gtins: set[str]) -> tuple[dict, dict]:
        """Return products and packs by GTIN-14, in whatever length they are stored."""
        if not gtins:
            return {}, {}
        forms = [form for gtin in gtins for form in stored_forms(gtin)]
        products = defaultdict(lambda: self.products)
        for product in self._search("barcode", forms):
            products[gtin14(product.barcode)] |= product
        packs = defaultdict(list)
        rows = self.env["product.uom"].search([("barcode", "in", forms)])
        usable = self.sender.visible(ITEM.model, rows.product_id.ids)
        for pack in rows:
            if pack.product_id.id in usable:
                packs[gtin14(pack.barcode)].append(pack)
        return products, packs

    def _codes(self, codes: set[str]) -> dict:
        found = defaultdict(lambda: self.products)
        if codes:
            for product in self._search("default_code", codes):
                found[product.default_code] |= product
        return found

    def _supplier_codes(self, supplier, codes: set[str]) -> dict:
        found = defaultdict(lambda: self.products)
        if not (supplier and codes):
            return found
        sellers = self.env["product.supplierinfo"].search(
            [
                ("product_code", "in", list(codes)),
                ("partner_id", "child_of", supplier.commercial_partner_id.id),
                ("company_id", "in", [False, *self.env.company.parent_ids.ids]),
            ]
        )
        templates = sellers.product_tmpl_id.product_variant_ids | sellers.product_id
        usable = self.sender.visible(ITEM.model, templates.ids)
        for seller in sellers:
            variants = seller.product_id or seller.product_tmpl_id.product_variant_ids
            found[seller.product_code] |= variants.filtered(lambda p: p.id in usable)
        return found

    def _named(self, text: str):
        """Return the product our side of a crosswalk names: by reference, else by GTIN."""
        return self.by_code.get(text) or self.by_barcode.get(gtin14(text))


def stored_forms(gtin: str) -> list[str]:
    """Return how a GTIN of 14 digits may be stored: with all its leading zeros, or fewer."""
    return [
        gtin[14 - length :]
        for length in GTIN_LENGTHS
        if not gtin[: 14 - length].strip("0")
    ]
