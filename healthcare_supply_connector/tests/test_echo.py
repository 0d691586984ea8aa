# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged

from odoo.addons.queue_job.tests.common import trap_jobs

from .common import SupplyCase
from .inbound_common import InboundMixin

NOTED = "_integration_apply_echo_noted"


@tagged("post_install", "-at_install")
class TestEcho(InboundMixin, SupplyCase):
    """What a system tells us is told to all the others, and never back to it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partners = type(cls.env["res.partner"])
        cls.startClassPatcher(
            patch.object(cls.partners, NOTED, cls.apply_change, create=True)
        )
        cls.sender = cls.make_system(
            partner_id=cls.supplier.id, company_id=cls.company.id
        )
        cls.other = cls.make_system(company_id=cls.company.id)
        cls.event_type = cls.make_event_type(
            direction="in",
            handler_model="res.partner",
            handler_method=NOTED,
            stale_guard=True,
            stale_key_path="number",
        )
        cls.endpoint = cls.make_inbox(cls.sender, cls.event_type)
        cls.user = cls.make_buyer("base.group_partner_manager")
        cls.client = cls.connect(cls.sender, cls.user, cls.endpoint)

    @staticmethod
    def apply_change(partners, data, message):
        partner = partners.search([("ref", "=", data["number"])])
        partner.city = data["city"]
        if data.get("job"):
            partner.with_delay()._compute_display_name()
        return partner

    def listen(self, *codes):
        """Subscribe both systems; return (the sender's, the other's) subscription."""
        return tuple(
            self.subscribe(*codes, endpoint=self.make_endpoint(system_id=system.id))
            for system in (self.sender, self.other)
        )

    def send(self, **data):
        moment = data.pop("time", None)
        body = {"number": "V-100", "city": "Ghent", **data}
        if moment:
            body = {
                "specversion": "1.0",
                "id": self.next_code("ce"),
                "source": "/test",
                "type": f"healthcare.{self.event_type.code}.v1",
                "time": moment,
                "data": body,
            }
        kind = "application/cloudevents+json" if moment else "application/json"
        return self.deliver(self.endpoint, self.client, body, mimetype=kind)

    def assert_told_only_to_the_other(self, code, record, subscriptions):
        event = self.published(code, record)
        self.assertEqual(event.origin_system_id, self.sender)
        self.assertEqual(event.message_ids.subscription_id, subscriptions[1])

    def test_change_is_told_to_the_other_and_not_back(self):
        subscriptions = self.listen("supply.supplier.updated")
        message = self.send()
        self.assertEqual(message.state, "done", message.last_error)
        self.assert_told_only_to_the_other(
            "supply.supplier.updated", self.supplier, subscriptions
        )
        event = self.published("supply.supplier.updated", self.supplier)
        self.assertEqual(event.causation_uid, message.uid)

    def test_the_message_itself_goes_to_the_other_only(self):
        subscriptions = self.listen(self.event_type.code)
        self.send()
        self.assert_told_only_to_the_other(
            self.event_type.code, self.supplier, subscriptions
        )

    def test_what_follows_from_it_by_a_rule_is_no_echo(self):
        code = "finance.customer.updated"
        self.supplier.customer_rank = 1
        subscriptions = self.listen(code)
        self.next_transaction()
        self.send()
        self.assert_told_only_to_the_other(code, self.supplier, subscriptions)

    def test_what_is_computed_late_is_no_echo(self):
        """A stored computed field is written by the flush, whose environment knows nothing."""
        subscriptions = self.listen("supply.supplier.updated")
        seen = []
        name = "complete_name"
        compute = self.partners._compute_complete_name

        def late(partners):
            compute(partners)
            seen.append(partners.env.context.get("integration_origin"))
            partners._integration_emit("supply.supplier.updated")

        renamed = patch.object(
            self.partners,
            NOTED,
            lambda partners, data, message: self.rename(partners, data),
        )
        field = self.partners._fields[name]
        with renamed, patch.object(self.partners, "_compute_complete_name", late):
            self.assertEqual(field.compute, "_compute_complete_name")
            message = self.send(city="Late name")
        self.assertEqual(message.state, "done", message.last_error)
        self.assertEqual(seen, [None])
        self.assert_told_only_to_the_other(
            "supply.supplier.updated", self.supplier, subscriptions
        )

    @staticmethod
    def rename(partners, data):
        partner = partners.search([("ref", "=", data["number"])])
        # as any stored computed field that nobody reads before the end
        partners.env.add_to_compute(partners._fields["complete_name"], partner)
        return partner

    def test_job_of_the_handler_knows_whose_change_it_is(self):
        with trap_jobs() as trap:
            message = self.send(job=True)
        self.assertEqual(message.state, "done", message.last_error)
        job = next(
            job
            for job in trap.enqueued_jobs
            if job.method_name == "_compute_display_name"
        )
        context = job.recordset._job_prepare_context_before_enqueue()
        self.assertEqual(context["integration_origin"], self.sender.id)
        self.assertNotIn("integration_occurred_at", context)

    def test_own_change_afterwards_goes_to_both(self):
        subscriptions = self.listen("supply.supplier.updated")
        self.send()
        self.next_transaction()
        self.supplier.with_user(self.user).city = "Bruges"
        newest = self.published("supply.supplier.updated", self.supplier)[-1]
        self.assertFalse(newest.origin_system_id)
        self.assertEqual(
            newest.message_ids.subscription_id, subscriptions[0] | subscriptions[1]
        )

    def test_confirmation_of_an_order_and_all_that_follows(self):
        """The acknowledgement moves dates: order, receipt and moves change with it."""
        code = "supply.purchase_order.changed"
        order = self.confirmed_order()
        subscriptions = self.listen(code)
        self.next_transaction()

        def move_date(partners, data, message):
            found = partners.env["purchase.order"].browse(order.id)
            found.order_line[0].date_planned = fields.Datetime.add(
                found.order_line[0].date_planned, days=9
            )
            found.order_line[0].product_qty += 1
            return found

        with patch.object(self.partners, NOTED, move_date):
            message = self.send()
        self.assertEqual(message.state, "done", message.last_error)
        events = self.published(code, order)
        self.assertTrue(events)
        self.assertEqual(events.origin_system_id, self.sender)
        self.assertEqual(events.message_ids.subscription_id, subscriptions[1])

    # -- stale ---------------------------------------------------------------------------

    def test_older_message_is_filtered_with_its_reason_and_changes_nothing(self):
        new = self.send(city="New", time="2026-11-20T10:00:00Z")
        self.assertEqual(new.state, "done", new.last_error)
        old = self.send(city="Old", time="2026-11-20T09:00:00Z")
        self.assertEqual(old.state, "filtered")
        self.assertEqual(self.supplier.city, "New")
        self.assertIn("2026-11-20T09:00:00.000Z", old.filter_reason)
        self.assertIn("2026-11-20T10:00:00.000Z", old.filter_reason)

    def test_failed_message_does_not_make_older_ones_stale(self):
        def fail(partners, data, message):
            raise ValueError("bug")

        with patch.object(self.partners, NOTED, fail):
            with self.assertLogs("odoo.addons.healthcare_integration_base", "ERROR"):
                failed = self.send(time="2026-11-20T10:00:00Z")
        self.assertEqual(failed.state, "dead")
        old = self.send(city="Old", time="2026-11-20T09:00:00Z")
        self.assertEqual(old.state, "done", old.last_error)

    def test_without_a_time_nothing_is_stale(self):
        self.send(city="New", time="2026-11-20T10:00:00Z")
        later = self.send(city="Undated")
        self.assertEqual(later.state, "done", later.last_error)
        self.assertEqual(self.supplier.city, "Undated")
