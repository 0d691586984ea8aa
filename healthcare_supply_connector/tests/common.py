# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import json
from datetime import date, timedelta

from odoo import Command
from odoo.tools import SQL

from odoo.addons.healthcare_integration_base.tests.common import IntegrationCase

CODES = (
    "supply.item.created",
    "supply.item.updated",
    "supply.price.updated",
    "supply.supplier.created",
    "supply.supplier.updated",
    "supply.supplier.approved",
    "supply.purchase_order.approval_requested",
    "supply.purchase_order.approved",
    "supply.purchase_order.released",
    "supply.purchase_order.changed",
    "supply.purchase_order.cancelled",
    "supply.goods.received",
    "supply.backorder.created",
    "supply.stock.moved",
    "supply.stock.adjusted",
    "supply.stock.shortage",
    "supply.shipment.dispatched",
    "supply.shipment.delayed",
    "supply.shipment.arrived",
    "supply.quality.hold_placed",
    "supply.quality.released",
    "supply.lot.created",
    "supply.lot.expiring",
    "supply.replenishment.triggered",
    "supply.supplier_invoice.posted",
    "finance.invoice.issued",
    "finance.invoice.cancelled",
    "finance.invoice.paid",
    "finance.credit_note.issued",
    "finance.payment.received",
    "finance.payment.sent",
    "supply.supplier_invoice.received",
    "supply.supplier_invoice.matched",
    "supply.supplier_invoice.blocked",
    "supply.supplier_invoice.approved",
    "sales.order.confirmed",
    "sales.order.changed",
    "sales.order.cancelled",
    "sales.order.completed",
)


class SupplyCase(IntegrationCase):
    """A supplier, tracked goods and what was published about them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env.company
        cls.supplier = cls.env["res.partner"].create(
            {
                "name": "Sutures & Co",
                "is_company": True,
                "supplier_rank": 1,
                "ref": "V-100",
                "vat": "BE0477472701",
                "street": "Rue Haute 1",
                "zip": "1000",
                "city": "Brussels",
                "country_id": cls.env.ref("base.be").id,
            }
        )
        cls.gloves = cls.make_product(
            name="Gloves", default_code="GLV-1", barcode="2990000000019"
        )
        cls.serum = cls.make_product(
            name="Serum", default_code="SER-1", tracking="lot", use_expiration_date=True
        )
        cls.warehouse = cls.env["stock.warehouse"].search(
            [("company_id", "=", cls.company.id)], limit=1
        )
        cls.stock = cls.warehouse.lot_stock_id

    @classmethod
    def make_product(cls, **vals):
        """Return a storable product of fixed cost."""
        return cls.env["product.product"].create(
            {"name": "Product", "type": "consu", "is_storable": True, **vals}
        )

    @classmethod
    def make_order(cls, *lines, supplier=None, **vals):
        """Return a draft order; lines are (product, quantity, price)."""
        lines = lines or ((cls.gloves, 10, 2.5), (cls.serum, 4, 31.2))
        return cls.env["purchase.order"].create(
            {
                "partner_id": (supplier or cls.supplier).id,
                "order_line": [
                    Command.create(
                        {
                            "product_id": product.id,
                            "product_qty": quantity,
                            "price_unit": price,
                        }
                    )
                    for product, quantity, price in lines
                ],
                **vals,
            }
        )

    @classmethod
    def confirmed_order(cls, *lines, **vals):
        """Return a released order with its receipt."""
        order = cls.make_order(*lines, **vals)
        order.button_confirm()
        return order

    # -- capture --------------------------------------------------------------------

    def subscribe(self, *codes, **vals):
        """Subscribe an active endpoint; from now on these events are wanted.

        :return: the subscription
        """
        types = self.env["integration.event.type"].search([("code", "in", codes)])
        self.assertEqual(set(types.mapped("code")), set(codes))
        endpoint = vals.pop("endpoint", None) or self.make_endpoint()
        self.env.cr.execute(
            SQL(
                "UPDATE integration_endpoint SET state = 'active' WHERE id = %s",
                endpoint.id,
            )
        )
        endpoint.invalidate_recordset()
        subscription = self.make_subscription(endpoint, types, **vals)
        self.forget_plans()
        return subscription

    def forget_plans(self):
        """Let capture read the subscriptions anew, from this transaction."""
        self.env.flush_all()
        if not self._registry_patched:
            self.registry_enter_test_mode()
        self.env.registry.clear_cache()

    def published(self, code, records=None):
        """Return the events of a code, oldest first, of these records or of all."""
        self.env.cr.flush()
        domain = [("type_id.code", "=", code)]
        if records is not None:
            domain += [("res_model", "=", records._name), ("res_id", "in", records.ids)]
        return self.env["integration.event"].search(domain, order="id")

    def data_of(self, code, record):
        """Return the data of the one event of a record, valid against its schema."""
        event = self.published(code, record)
        self.assertEqual(len(event), 1, f"{code}: {len(event)} events of {record}")
        self.assertFalse(event.error)
        data = json.loads(event.sudo().data)
        self.assertEqual(event.type_id._validate(data), [])
        return data

    def assertPublished(self, code, records):
        """Each of the records published once, and nobody else."""
        events = self.published(code)
        self.assertEqual(sorted(events.mapped("res_id")), sorted(records.ids), code)

    def assertNotPublished(self, code, records=None):
        """None of the records published."""
        self.assertFalse(self.published(code, records), code)

    def next_transaction(self):
        """Go on as if in a new transaction: what was published stays, nothing merges with it."""
        self.env.cr.flush()
        self.env.cr.execute("UPDATE integration_event SET txid = 'earlier-' || id")
        self.env.invalidate_all()

    def age(self, records):
        """Make records older than this transaction."""
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "UPDATE %s SET create_date = create_date - interval '1 day' WHERE id IN %s",
                SQL.identifier(records._table),
                records._ids,
            )
        )
        records.invalidate_recordset()

    # -- goods ----------------------------------------------------------------------

    def receive(self, picking, quantities):
        """Receive quantities by product, tracked goods with lots LOT-<product>."""
        for move in picking.move_ids:
            quantity = quantities.get(move.product_id, 0)
            move.move_line_ids.unlink()
            if quantity:
                vals = move._prepare_move_line_vals(quantity=quantity)
                if move.product_id.tracking != "none":
                    vals["lot_name"] = f"LOT-{move.product_id.id}"
                self.env["stock.move.line"].create({**vals, "picked": True})
        picking.with_context(skip_backorder=True)._action_done()
        return picking

    def put_in_stock(self, product, quantity, lot=None):
        """Set what is on hand in the warehouse, without publishing it."""
        self.env["stock.quant"]._update_available_quantity(
            product, self.stock, quantity, lot_id=lot
        )

    def make_delivery(self, product, quantity):
        """Return a delivery that was asked for and checked."""
        customer = self.env["res.partner"].create({"name": "Ward 3"})
        order = self.env["sale.order"].create(
            {
                "partner_id": customer.id,
                "order_line": [
                    Command.create(
                        {"product_id": product.id, "product_uom_qty": quantity}
                    )
                ],
            }
        )
        order.action_confirm()
        return order.picking_ids

    # -- messages in ------------------------------------------------------------------

    def make_message(self, partner=None, **vals):
        """Return an incoming message of a supplier's system."""
        system = self.make_system(
            partner_id=(partner or self.supplier).id, kind="supplier"
        )
        endpoint = self.make_endpoint(system_id=system.id, direction="in")
        return self.env["integration.message"].create(
            {
                "uid": self.next_code("uid"),
                "direction": "in",
                "endpoint_id": endpoint.id,
                **vals,
            }
        )

    @classmethod
    def tolerate(cls, supplier=None, company=None, **vals):
        """Set the tolerances of the company, or those for one supplier."""
        company = company or cls.env.company
        return cls.env["supply.tolerance"].create(
            {"company_id": company.id, "partner_id": supplier and supplier.id, **vals}
        )

    def case(self, code, key=None):
        """Return the open cases of a cause."""
        domain = [("code", "=", code), ("state", "in", ("open", "in_progress"))]
        if key:
            domain.append(("cause_key", "=", key))
        return self.env["integration.exception"].search(domain)

    @classmethod
    def make_buyer(cls, *groups, company=None):
        """Return a user with rights of purchase and stock users, and these groups."""
        user = cls.make_user(company=company)
        names = ["purchase.group_purchase_user", "stock.group_stock_user", *groups]
        user.write(
            {"group_ids": [Command.link(cls.env.ref(name).id) for name in names]}
        )
        return user


def in_days(days):
    """Return the date in so many days, ISO 8601."""
    return (date.today() + timedelta(days=days)).isoformat()
