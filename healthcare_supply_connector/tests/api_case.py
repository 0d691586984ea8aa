# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Documents of all kinds, a client that may read them, and how to call."""

import json
from datetime import timedelta
from unittest.mock import patch

from odoo import Command, fields
from odoo.tests import HttpCase
from odoo.tools import SQL

from odoo.addons.healthcare_integration_base.engine import reading
from odoo.addons.healthcare_integration_base.protocol import schema

from .common import SupplyCase

V1 = "/integration/v1"
GROUPS = (
    "base.group_user",
    "purchase.group_purchase_user",
    "stock.group_stock_user",
    "account.group_account_readonly",
    "analytic.group_analytic_accounting",
)


class ApiRecords(SupplyCase):
    """What an ordinary hospital has: an order received, billed and paid, a lot issued."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # what the test has just made is to be read at once
        cls.startClassPatcher(patch.object(reading, "LAG", timedelta(0)))
        cls.serum.expiration_time = 365  # days; Odoo reserves nothing that has expired
        cls.make_books()
        cls.env["product.supplierinfo"].create(
            {
                "partner_id": cls.supplier.id,
                "product_tmpl_id": cls.gloves.product_tmpl_id.id,
            }
        )
        cls.order = cls.confirmed_order()
        cls.receipt = cls.order.picking_ids
        cls.lot = cls._received()
        cls.delivery = cls._delivered()
        cls.bill = cls._billed()
        cls.payment = cls._paid()
        cls.system = cls.make_system(
            partner_id=cls.supplier.id, company_id=cls.company.id
        )
        cls.user = cls.make_reader("api_reader", cls.company)
        cls.api_client = cls.make_api_client("Analytics", record_scope="company")

    @classmethod
    def make_books(cls):
        """Have accounts and journals to book with, in a database without any chart."""
        cls.account = cls._account("601100", "Consumables", "expense")
        cls._account("440000", "Suppliers", "liability_payable", reconcile=True)
        cls._account("400000", "Customers", "asset_receivable", reconcile=True)
        cls.bank = cls._account("550000", "Bank", "asset_cash")
        for kind, code in (("purchase", "ABILL"), ("sale", "AINV"), ("bank", "ABNK")):
            cls.env["account.journal"].create(
                {
                    "name": code,
                    "code": code,
                    "type": kind,
                    "default_account_id": (
                        cls.bank if kind == "bank" else cls.account
                    ).id,
                }
            )
        plan = cls.env["account.analytic.plan"].create({"name": "Wards"})
        cls.cost_center = cls.env["account.analytic.account"].create(
            {"name": "Intensive Care", "code": "ICU", "plan_id": plan.id}
        )
        cls.term = cls.env["account.payment.term"].create({"name": "API 30 days"})
        cls.service = cls.make_product(
            name="Repair", type="service", default_code="SRV-1", is_storable=False
        )
        cls.customer = cls.env["res.partner"].create(
            {"name": "Clinic", "is_company": True, "customer_rank": 1, "ref": "C-1"}
        )
        cls.patient = cls.env["res.partner"].create(
            {"name": "Somebody Private", "customer_rank": 1, "ref": "P-1"}
        )

    @classmethod
    def _account(cls, code, name, kind, **vals):
        Account = cls.env["account.account"]
        return Account.search([("code", "=", code)], limit=1) or Account.create(
            {"code": code, "name": name, "account_type": kind, **vals}
        )

    @classmethod
    def _received(cls):
        for move in cls.receipt.move_ids:
            line = move._prepare_move_line_vals(quantity=move.product_uom_qty)
            lot = {"lot_name": "LOT/7"} if move.product_id.tracking == "lot" else {}
            move.move_line_ids.unlink()
            cls.env["stock.move.line"].create({**line, **lot, "picked": True})
        cls.receipt._action_done()
        return cls.receipt.move_line_ids.lot_id

    @classmethod
    def _delivered(cls):
        order = cls.env["sale.order"].create(
            {
                "partner_id": cls.patient.id,
                "order_line": [
                    Command.create({"product_id": cls.serum.id, "product_uom_qty": 1})
                ],
            }
        )
        order.action_confirm()
        picking = order.picking_ids
        picking.move_ids.picked = True
        picking._action_done()
        return picking

    @classmethod
    def _billed(cls):
        bill = cls.env["account.move"].create(
            {
                "move_type": "in_invoice",
                "partner_id": cls.supplier.id,
                "ref": "S-4711",
                "invoice_date": fields.Date.today(),
                "invoice_line_ids": [
                    Command.create(
                        {
                            "product_id": cls.gloves.id,
                            "quantity": 10,
                            "price_unit": 2.5,
                            "account_id": cls.account.id,
                            "tax_ids": [Command.clear()],
                            "purchase_line_id": cls.order.order_line[0].id,
                        }
                    )
                ],
            }
        )
        bill.action_post()
        return bill

    @classmethod
    def _paid(cls):
        wizard = cls.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=cls.bill.ids
        )
        return wizard.create({"amount": 10})._create_payments()

    @classmethod
    def make_reader(cls, login, company, groups=GROUPS):
        """Return a user with these rights in one company."""
        return cls.env["res.users"].create(
            {
                "name": login,
                "login": login,
                "company_id": company.id,
                "company_ids": [Command.set(company.ids)],
                "group_ids": [Command.set([cls.env.ref(name).id for name in groups])],
            }
        )

    @classmethod
    def make_api_client(cls, name, scopes=("*:read", "validations:read"), **vals):
        """Return a client with these scopes."""
        return cls.env["integration.client"].create(
            {
                "name": name,
                "system_id": cls.system.id,
                "user_id": cls.user.id,
                "scope_ids": [Command.create({"scope": scope}) for scope in scopes],
                **vals,
            }
        )

    def resource(self, name):
        """Return a published resource."""
        return self.env["integration.api"]._resources()[name]

    def touch(self, record, moment):
        """Make a record look changed at a moment."""
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "UPDATE %s SET write_date = %s WHERE id = %s",
                SQL.identifier(record._table),
                moment,
                record.id,
            )
        )
        self.env.invalidate_all()

    def assert_fits(self, resource, item):
        """The item is what the resource's schema says."""
        self.assertEqual(schema.validate(resource.item_schema(), item), [], item)


class ApiCase(ApiRecords, HttpCase):
    """The same, called over HTTP."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.key = cls.api_client._generate_key("test")

    def get(self, path, key=None, headers=None, **query):
        """GET a path of the interface; the query as keyword arguments."""
        self.env.flush_all()
        sent = {"Authorization": f"Bearer {key or self.key}", **(headers or {})}
        return self.url_open_raw("GET", f"{V1}/{path}", query, sent)

    def post(self, path, content, key=None, **headers):
        """POST JSON."""
        self.env.flush_all()
        sent = {
            "Authorization": f"Bearer {key or self.key}",
            "Content-Type": "application/json",
            **headers,
        }
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return self.url_open_raw("POST", f"{V1}/{path}", {}, sent, body)

    def url_open_raw(self, method, path, query, headers, body=None):
        return self.opener.request(
            method,
            self.base_url() + path,
            params=query,
            headers=headers,
            data=body,
            timeout=60,
            allow_redirects=False,
        )

    def items(self, path, key=None, **query):
        """Return the items of one page."""
        response = self.get(path, key=key, **query)
        self.assertEqual(response.status_code, 200, response.text[:500])
        return response.json()["items"]

    def numbers(self, path, key=None, **query):
        return [item["number"] for item in self.items(path, key=key, **query)]

    def assert_problem(self, response, status, code=None):
        """The answer is problem+json with this status and code, and tells nothing else."""
        self.assertEqual(response.status_code, status, response.text[:500])
        self.assertEqual(response.headers["Content-Type"], "application/problem+json")
        problem = response.json()
        self.assertNotIn("Traceback", response.text)
        if code:
            self.assertEqual(problem["code"], code)
        return problem
