# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import hashlib
from datetime import timedelta

from odoo import Command, api, fields, models

from odoo.addons.healthcare_integration_base.engine import payload, render
from odoo.addons.healthcare_integration_base.protocol import envelope, ids

BASE = "healthcare_integration_base"
MODULE = "healthcare_supply_connector"
ACKNOWLEDGED = "supply.purchase_order.acknowledged"
RELEASED = "supply.purchase_order.released"
# hours ago -> (product, quantity) of each line; None: a request for quotation still
ORDERS = {
    70: [("gloves", 120), ("syringe", 5000)],
    45: [("saline", 300)],
    22: [("gloves", 60), ("saline", 150), ("syringe", 2000)],
    3: [("syringe", 1000)],
}


class IntegrationDemo(models.AbstractModel):
    _inherit = "integration.demo"

    @api.model
    def _integration_demo_supply(self):
        """Write purchase orders with their messages, as if a few days had gone by."""
        endpoint = self.env.ref(f"{MODULE}.demo_endpoint_acknowledgements")
        if endpoint.state != "draft":
            return
        endpoint.action_activate()
        self.env["integration.endpoint.health"].create(
            {"endpoint_id": endpoint.id, "last_success_at": self._demo_ago(20)}
        )
        orders = [self._demo_order(hours, lines) for hours, lines in ORDERS.items()]
        for order, hours in zip(orders, ORDERS, strict=True):
            self._demo_released(order, self._demo_ago(hours))
        self._demo_acknowledged(orders[0], self._demo_ago(68), late_days=3)
        self._demo_acknowledged(orders[1], self._demo_ago(44))
        self._demo_refused(orders[2], self._demo_ago(20))
        self._demo_draft()

    def _demo_ago(self, hours):
        return fields.Datetime.now() - timedelta(hours=hours)

    def _demo_product(self, name):
        return self.env.ref(f"{MODULE}.demo_product_{name}")

    # -- documents -------------------------------------------------------------------

    def _demo_draft(self):
        return self.env["purchase.order"].create(
            self._demo_order_values([("gloves", 40)])
        )

    def _demo_order(self, hours, lines):
        order = self.env["purchase.order"].create(self._demo_order_values(lines))
        order.button_confirm()
        order.date_approve = self._demo_ago(hours)
        return order

    def _demo_order_values(self, lines):
        return {
            "partner_id": self.env.ref(f"{BASE}.demo_partner_medsupply").id,
            "order_line": [
                Command.create(
                    {"product_id": self._demo_product(name).id, "product_qty": quantity}
                )
                for name, quantity in lines
            ],
        }

    # -- messages ----------------------------------------------------------------------

    def _demo_type(self, code):
        types = self.env["integration.event.type"]
        return types.browse(types._get(code))

    def _demo_released(self, order, at):
        """Write the message of a released order, rehearsed by the endpoint in shadow."""
        subscription = self.env.ref(f"{MODULE}.demo_subscription_orders")
        event_type = self._demo_type(RELEASED)
        event = self.env["integration.event"].create(
            {
                "uid": ids.uuid7(),
                "type_id": event_type.id,
                "version": event_type.version,
                "ordering_key": f"{order._name},{order.id}",
                "occurred_at": at,
                "user_id": self.env.ref(f"{BASE}.demo_user_operator").id,
                **self._demo_document(order),
            }
        )
        data = order._integration_payload(RELEASED)[order.id]
        event._set_data(envelope.dumps(data).decode())
        made = render.render(
            render.event_values(event),
            subscription.mapping_id,
            subscription.endpoint_id,
        )
        self._demo_message(
            made.body,
            made.content_type,
            direction="out",
            endpoint_id=subscription.endpoint_id.id,
            subscription_id=subscription.id,
            event_id=event.id,
            event_type_id=event_type.id,
            ordering_key=event.ordering_key,
            state="shadow",
            created_at=at,
            **self._demo_document(order),
        )

    def _demo_acknowledged(self, order, at, late_days=0):
        """Receive the supplier's answer and apply it as a received message is applied."""
        data = self._demo_answer(order, at, late_days)
        message = self._demo_received(
            data, at, state="done", **self._demo_document(order)
        )
        handler = order.with_company(order.company_id)
        handler._integration_apply_purchase_order_acknowledged(data, message)

    def _demo_answer(self, order, at, late_days=0):
        line = order.order_line[:1]
        promised = line.date_planned.date() + timedelta(days=late_days)
        return {
            "purchase_order": order.name,
            "supplier_reference": f"MS-{90000 + order.id}",
            "status": "accepted_with_changes" if late_days else "accepted",
            "acknowledged_at": envelope.iso_utc(at.replace(microsecond=0)),
            "lines": [
                {
                    "line_ref": line.integration_line_ref,
                    "status": "changed" if late_days else "accepted",
                    "promised_date": promised.isoformat(),
                }
            ],
        }

    def _demo_refused(self, order, at):
        """Receive an answer that names a line the order does not have: a case for purchasing."""
        data = self._demo_answer(order, at)
        data["lines"][0]["line_ref"] = "9"
        message = self._demo_received(
            data,
            at,
            state="dead",
            last_error_class="business",
            last_error_code="line_unknown",
            last_error="The order has no such line.",
        )
        message.exception_id = self.env["integration.exception"].create(
            {
                "name": "Acknowledgement of a line the order does not have",
                "fingerprint": "demo:line_unknown",
                "category": "business",
                "code": "line_unknown",
                "queue_id": self.env.ref(f"{BASE}.queue_supply").id,
                "endpoint_id": message.endpoint_id.id,
                "event_type_id": message.event_type_id.id,
                "company_id": message.company_id.id,
                "detail": "Acknowledgements from MedSupply: /lines/0/line_ref: not on the order",
                "deadline": fields.Datetime.now() + timedelta(hours=4),
                "first_seen": at,
                "last_seen": at,
            }
        )

    def _demo_received(self, data, at, **values):
        endpoint = self.env.ref(f"{MODULE}.demo_endpoint_acknowledgements")
        message = self._demo_message(
            envelope.dumps(data),
            "application/json",
            direction="in",
            endpoint_id=endpoint.id,
            client_id=endpoint.client_ids[:1].id,
            event_type_id=endpoint.event_type_id.id,
            external_id=f"msg_{ids.uuid7()}",
            attempt_count=1,
            created_at=at,
            **{"company_id": self.env.company.id, **values},
        )
        error = {
            "error_class": message.last_error_class,
            "error_code": message.last_error_code,
        }
        self.env["integration.attempt"].create(
            {
                "message_id": message.id,
                "number": 1,
                "started_at": at,
                "duration": 0.06,
                "outcome": "failure" if message.state == "dead" else "success",
                **error,
            }
        )
        return message

    def _demo_message(self, body, content_type, **values):
        message = self.env["integration.message"].create(
            {
                "uid": ids.uuid7(),
                "content_type": content_type,
                "size": len(body),
                "body_sha256": hashlib.sha256(body).hexdigest(),
                "finished_at": values["created_at"],
                **values,
            }
        )
        message.flush_recordset()
        payload.store(self.env.cr, [{"message_id": message.id, "body": body}])
        return message

    def _demo_document(self, order):
        return {
            "res_model": order._name,
            "res_id": order.id,
            "res_name": order.name,
            "company_id": order.company_id.id,
        }
