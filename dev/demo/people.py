# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The company of the demonstration: who works there, what it buys, and from whom."""

from __future__ import annotations

import dataclasses
import secrets
from concurrent.futures import ThreadPoolExecutor

from .rpc import User

BASE = "healthcare_integration_base"
SUPPLY = "healthcare_supply_connector"
GROUPS = {
    "buyer": ("purchase.group_purchase_user", f"{BASE}.group_viewer"),
    "warehouse": ("stock.group_stock_user", f"{BASE}.group_viewer"),
    "accountant": ("account.group_account_manager", f"{BASE}.group_exception_handler"),
    "integrator": (f"{BASE}.group_administrator",),
    "approver": (f"{BASE}.group_approver", f"{SUPPLY}.group_supplier_approver"),
    # no other right than to bill, and to store, and to work on cases
    "clerk": ("account.group_account_invoice", f"{BASE}.group_exception_handler"),
    "stock_keeper": ("stock.group_stock_user", f"{BASE}.group_exception_handler"),
    # a machine's user: nobody logs in with it
    "supplier_machine": (
        "purchase.group_purchase_user",
        "stock.group_stock_user",
        "account.group_account_invoice",
    ),
    "logistics_machine": ("stock.group_stock_user",),
    "finance_machine": (),
}
#: Passwords of this run, of those who log in.
PASSWORDS = {
    login: secrets.token_urlsafe(16)
    for login in GROUPS
    if not login.endswith("_machine")
}
SUPPLIER = "Meridian Medical Supply (simulated)"
OPERATOR = "Harbour Logistics (simulated)"
PRODUCTS = (
    ("Nitrile examination gloves M, box of 100", "GLV-M", "4006501003638", "6.40"),
    ("Syringe 10 ml, Luer lock, box of 100", "SYR-10", "4006381333931", "11.25"),
    ("Sodium chloride 0.9 %, 500 ml", "NACL-500", "5901234123457", "2.10"),
)


@dataclasses.dataclass
class Company:
    """Ids of what the scenario works with."""

    users: dict[str, int]
    supplier: int
    other_supplier: int
    operator: int
    products: list[int]


def set_up(admin: User) -> tuple[Company, dict[str, User]]:
    """Have users, suppliers and products; return their ids and the users' sessions."""
    with ThreadPoolExecutor(len(PASSWORDS)) as pool:
        ids = {login: _user(admin, login) for login in GROUPS}
        # a password's hash takes its time: all of them at once
        logins = {login: pool.submit(_log_in, admin, login) for login in PASSWORDS}
        supplier = _partner(admin, SUPPLIER, "1000")
        other = _partner(admin, "Unapproved Goods (simulated)", "1001")
        operator = _partner(admin, OPERATOR, "1002", supplier_rank=0)
        products = [_product(admin, supplier, *row) for row in PRODUCTS]
        sessions = {login: job.result() for login, job in logins.items()}
    state = admin.one("res.partner", supplier, "supplier_approval_state")
    if state["supplier_approval_state"] != "approved":
        sessions["approver"].call("res.partner", "action_approve_supplier", [supplier])
    return Company(ids, supplier, other, operator, products), sessions


def _user(admin: User, login: str) -> int:
    """Have a user with the groups of its role."""
    groups = [
        admin.ref("base.group_user"),
        *(admin.ref(name) for name in GROUPS[login]),
    ]
    values: dict = {"group_ids": [(6, 0, groups)]}
    if login in PASSWORDS:
        values["password"] = PASSWORDS[login]
    found = admin.search("res.users", [("login", "=", f"demo_{login}")])
    if found:
        admin.call("res.users", "write", found, values)
        return found[0]
    name = login.replace("_", " ").title()
    email = f"{login}@example.com"
    return admin.create(
        "res.users", name=name, login=f"demo_{login}", email=email, **values
    )


def _log_in(admin: User, login: str) -> User:
    return User(admin.url, admin.database, f"demo_{login}", PASSWORDS[login])


def _partner(admin: User, name: str, ref: str, supplier_rank: int = 1) -> int:
    found = admin.search("res.partner", [("name", "=", name)], limit=1)
    if found:
        return found[0]
    return admin.create(
        "res.partner",
        name=name,
        ref=ref,
        is_company=True,
        supplier_rank=supplier_rank,
        email=f"partner{ref}@example.com",
        street="1 Dock Road",
        city="Hamburg",
        zip="20457",
        country_id=admin.ref("base.de"),
    )


def _product(
    admin: User, supplier: int, name: str, code: str, barcode: str, price: str
) -> int:
    found = admin.search(
        "product.product", [("default_code", "=", f"DEMO-{code}")], limit=1
    )
    if found:
        return found[0]
    taken = admin.search("product.product", [("barcode", "=", barcode)])
    return admin.create(
        "product.product",
        name=name,
        default_code=f"DEMO-{code}",
        barcode=False if taken else barcode,
        type="consu",
        is_storable=True,
        tracking="lot",
        use_expiration_date=True,
        purchase_method="receive",
        seller_ids=[
            (0, 0, {"partner_id": supplier, "price": float(price), "delay": 4})
        ],
    )
