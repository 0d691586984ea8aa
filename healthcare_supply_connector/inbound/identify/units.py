# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Units: a measure is the same for all items, a pack is the item's own."""

from __future__ import annotations

from ...payloads.units import UNECE_CODES
from .sender import KINDS, Sender

UNIT = KINDS["unit"]
# Crosswalk of packs: "<our item> <their unit>", since a box of one item is no box of another.
ITEM_UNIT = "item_unit"
# UN/ECE Rec 20 has four words for one piece, X12 (355) uses EA.
PIECES = frozenset({"C62", "EA", "H87", "PCE"})
# Of these one is as large as another, whatever is measured. A pack never is.
MEASURES = frozenset(UNECE_CODES.values()) | PIECES


def unit(env, message, code: str | None, product, path: str):
    """Return the unit a code means for an item.

    In this order: the item's own units by UN/ECE code (its unit, its packagings, its
    vendors' units), a measure of the same kind, the crosswalk of the item's packs, the
    crosswalk of units.

    :param code: UN/ECE Recommendation 20 code, or what the partner calls the unit; none
        means the item's own unit
    :param product: the item
    :param path: JSON pointer of the code
    :raises Rejected: ``unit_unknown``, ``unit_ambiguous`` with a cause
    """
    code = (code or "").strip()
    if not code:
        return product.uom_id
    sender, own = Sender(env, message), own_units(product)
    found = _by_code(own, code)
    if not found and code in MEASURES:
        found = _measures(env, code, product)
    if len(found) != 1:
        found = _by_crosswalk(sender, code, product, own) or found
    return sender.one(
        UNIT,
        found,
        item_key(product, code),
        path,
        domain=ITEM_UNIT,
        unit=code,
        product_id=product.id,
        item=product.display_name,
    )


def ordered_unit(env, message, code: str | None, line, path: str):
    """Return the unit of a quantity on an order line: the line's, where nothing else is said.

    :param code: as of ``unit``
    :param line: the purchase order line
    :raises Rejected: as ``unit``
    """
    ordered = line.product_uom_id
    if not code or code == ordered.unece_code:
        return ordered
    return unit(env, message, code, line.product_id, path)


def own_units(product):
    """Return the units an item is counted, packed or bought in."""
    vendors = product.seller_ids.filtered(
        lambda seller: not seller.product_id or seller.product_id == product
    )
    return (
        product.uom_id
        | product.uom_ids
        | product.product_uom_ids.uom_id
        | vendors.product_uom_id
    )


def item_key(product, code: str) -> str:
    """Return the partner's side of an item's pack in the crosswalk ``item_unit``."""
    return f"{product.default_code or product.id} {code}"


def _by_code(units, code: str):
    codes = PIECES if code in PIECES else {code}
    return units.filtered(lambda uom: uom.unece_code in codes)


def _measures(env, code: str, product):
    """Return measures of the item's kind with this code: grams for what is kept in kg."""
    codes = list(PIECES) if code in PIECES else [code]
    units = env["uom.uom"].search([("unece_code", "in", codes)])
    return units.filtered(lambda uom: uom._has_common_reference(product.uom_id))


def _by_crosswalk(sender: Sender, code: str, product, own):
    packs = sender.crosswalk(ITEM_UNIT, [item_key(product, code)])
    units = sender.crosswalk(UNIT.domain, [code])
    for text, any_unit in [(t, True) for t in packs.values()] + [
        (t, False) for t in units.values()
    ]:
        found = _named(sender, text, product, own, any_unit)
        if len(found) == 1:
            return found
    return own.browse()


def _named(sender: Sender, text: str, product, own, any_unit: bool):
    """Return the unit our side of a crosswalk names: ``uom.uom,id``, a code, or a name.

    :param any_unit: it was picked for this very item; else only its own units and measures
    """
    uoms = sender.env["uom.uom"]
    model, _, number = text.partition(",")
    if model == UNIT.model and number.isdecimal():
        found = uoms.search([("id", "=", int(number))])
    else:
        found = _by_code(own, text) or uoms.search(
            ["|", ("unece_code", "=", text), ("name", "=", text)]
        )
    return found.filtered(
        lambda uom: uom in own
        or (
            uom._has_common_reference(product.uom_id)
            and (any_unit or uom.unece_code in MEASURES)
        )
    )
