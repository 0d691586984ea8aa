# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Purchase orders of three lines, like those of a hospital."""

from odoo import Command

SUPPLIER = "Meridian Medical Supply (bench)"
PRODUCTS = (
    ("Nitrile examination gloves M, box of 100", "BENCH-GLV", "4006501003638", 6.40),
    ("Syringe 10 ml, Luer lock, box of 100", "BENCH-SYR", "4006381333931", 11.25),
    ("Sodium chloride 0.9 %, 500 ml", "BENCH-NACL", "5901234123457", 2.10),
)


def make(env, count):
    """Return draft orders of three lines each."""
    supplier, products = _supplier(env), _products(env)
    lines = [
        Command.create(
            {"product_id": product.id, "product_qty": 10, "price_unit": row[3]}
        )
        for product, row in zip(products, PRODUCTS, strict=True)
    ]
    vals = {"partner_id": supplier.id, "order_line": lines}
    # a dictionary each: Odoo writes the number of the order into it
    return env["purchase.order"].create([dict(vals) for _number in range(count)])


def _supplier(env):
    partners = env["res.partner"]
    return partners.search([("name", "=", SUPPLIER)]) or partners.create(
        {
            "name": SUPPLIER,
            "is_company": True,
            "supplier_rank": 1,
            "ref": "BENCH-1",
            "street": "1 Dock Road",
            "city": "Hamburg",
            "zip": "20457",
            "country_id": env.ref("base.de").id,
        }
    )


def _products(env):
    products = env["product.product"]
    found = products.search(
        [("default_code", "in", [row[1] for row in PRODUCTS])], order="id"
    )
    return found or products.create(
        [
            {
                "name": name,
                "default_code": code,
                "barcode": barcode,
                "type": "consu",
                "is_storable": True,
                "tracking": "lot",
                "use_expiration_date": True,
            }
            for name, code, barcode, _price in PRODUCTS
        ]
    )
