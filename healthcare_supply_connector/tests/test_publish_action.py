# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import json

from odoo import Command
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, tagged

from .common import SupplyCase

CREATED = "finance.customer.created"
UPDATED = "finance.customer.updated"


class PublishCase(SupplyCase):
    """Events of a model nobody describes by code: activity types stand for leads, tickets…"""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = cls.env["ir.model"]._get("mail.activity.type")
        cls.event_type = cls.make_event_type(
            code="test.kind.changed",
            model_id=cls.model.id,
            field_ids=[
                Command.create({"target": "id", "source": "id", "required": True}),
                Command.create({"target": "kind.name", "source": "name"}),
                Command.create({"target": "kind.days", "source": "delay_count"}),
                Command.create(
                    {
                        "target": "next[].name",
                        "source": "suggested_next_type_ids.name",
                    }
                ),
            ],
        )
        cls.admin = cls.make_user("administrator")
        cls.admin.group_ids = [Command.link(cls.env.ref("base.group_system").id)]

    @classmethod
    def make_action(cls, event_type=None, **vals):
        event_type = event_type or cls.event_type
        return cls.env["ir.actions.server"].create(
            {
                "name": "Publish",
                "model_id": event_type.model_id.id,
                "state": "integration_event",
                "integration_event_type_id": event_type.id,
                **vals,
            }
        )

    @classmethod
    def make_rule(cls, trigger, action_vals=(), **vals):
        rule = cls.env["base.automation"].create(
            {
                "name": "Publish",
                "model_id": cls.model.id,
                "trigger": trigger,
                **vals,
            }
        )
        cls.make_action(
            usage="base_automation", base_automation_id=rule.id, **dict(action_vals)
        )
        return rule

    def make_kind(self, **vals):
        return self.env["mail.activity.type"].create({"name": "Call ward", **vals})

    def run_on(self, action, records):
        action.with_context(
            active_model=records._name, active_id=records[:1].id, active_ids=records.ids
        ).run()

    def data(self, record, code="test.kind.changed"):
        return self.data_of(code, record)


@tagged("post_install", "-at_install")
class TestPublishAction(PublishCase):
    def test_rule_publishes_what_is_created_and_written(self):
        self.make_rule(
            "on_create_or_write",
            trigger_field_ids=[
                Command.set(
                    self.env["ir.model.fields"]._get("mail.activity.type", "name").ids
                )
            ],
        )
        self.subscribe("test.kind.changed")
        following = self.make_kind(name="Order")
        kind = self.make_kind(
            delay_count=3,
            suggested_next_type_ids=[Command.set(following.ids)],
        )
        self.assertEqual(
            self.data(kind),
            {
                "id": str(kind.id),
                "kind": {"name": "Call ward", "days": 3},
                "next": [{"name": "Order"}],
            },
        )
        self.next_transaction()
        kind.delay_count = 5
        self.assertEqual(len(self.published("test.kind.changed", kind)), 1)
        kind.name = "Call ward 3"
        kind.name = "Call ward 4"
        events = self.published("test.kind.changed", kind)
        self.assertEqual(len(events), 2)
        self.assertEqual(
            json.loads(events[1].sudo().data)["kind"],
            {"name": "Call ward 4", "days": 5},
        )

    def test_message_waits_for_the_subscriber(self):
        action = self.make_action()
        subscription = self.subscribe("test.kind.changed")
        kind = self.make_kind()
        self.run_on(action, kind)
        event = self.published("test.kind.changed", kind)
        self.assertEqual(event.message_ids.subscription_id, subscription)
        self.assertEqual(event.ordering_key, f"mail.activity.type,{kind.id}")

    def test_nobody_wants_it_nothing_is_stored(self):
        action = self.make_action()
        self.forget_plans()
        self.run_on(action, self.make_kind())
        self.assertNotPublished("test.kind.changed")

    def test_rolled_back_is_not_published(self):
        action = self.make_action()
        self.subscribe("test.kind.changed")
        kind = self.make_kind()
        with self.assertRaises(ZeroDivisionError), self.cr.savepoint():
            self.run_on(action, kind)
            self.cr.flush()
            raise ZeroDivisionError
        self.assertNotPublished("test.kind.changed")

    def test_filter_of_the_action(self):
        action = self.make_action(integration_domain="[('delay_count', '>', 2)]")
        self.subscribe("test.kind.changed")
        few, many = self.make_kind(delay_count=1), self.make_kind(delay_count=9)
        self.run_on(action, few | many)
        self.assertPublished("test.kind.changed", many)

    def test_trouble_never_aborts_the_user(self):
        self.event_type.field_ids = [
            Command.create({"target": "must", "source": "summary", "required": True})
        ]
        action = self.make_action()
        self.subscribe("test.kind.changed")
        kind = self.make_kind()
        with self.assertLogs("odoo.addons.healthcare_integration_base", "ERROR"):
            self.run_on(action, kind)
            event = self.published("test.kind.changed", kind)
        self.assertTrue(kind.exists())
        self.assertEqual(event.error, "payload_failed")
        self.assertFalse(event.sudo().data)
        self.assertTrue(event.message_ids)
        kind.summary = "now it is there"
        self.assertTrue(event._integration_rebuild())
        self.assertEqual(json.loads(event.sudo().data)["must"], "now it is there")

    def test_filter_that_fails_publishes_no_value(self):
        action = self.make_action()
        self.env.cr.execute(
            "UPDATE ir_act_server SET integration_domain = %s WHERE id = %s",
            ["[('gone_field', '=', 1)]", action.id],
        )
        action.invalidate_recordset()
        self.subscribe("test.kind.changed")
        kind = self.make_kind()
        with self.assertLogs("odoo.addons.healthcare_integration_base", "ERROR"):
            self.run_on(action, kind)
        event = self.published("test.kind.changed", kind)
        self.assertEqual(event.error, "condition_failed")
        self.assertFalse(event.sudo().data)
        self.assertFalse(event._integration_rebuild())

    def test_deleted_record_is_described_before_it_is_gone(self):
        self.make_rule("on_unlink")
        self.subscribe("test.kind.changed")
        kind = self.make_kind()
        kind_id = kind.id
        kind.unlink()
        event = self.published("test.kind.changed")
        self.assertEqual(event.res_id, kind_id)
        self.assertEqual(json.loads(event.sudo().data)["kind"]["name"], "Call ward")

    def test_schedule_publishes_all_that_match(self):
        kinds = self.make_kind(delay_count=41) | self.make_kind(delay_count=42)
        self.make_kind(delay_count=3)
        cron = self.env["ir.cron"].create(
            {
                "name": "Publish nightly",
                "model_id": self.model.id,
                "state": "integration_event",
                "integration_event_type_id": self.event_type.id,
                "integration_domain": "[('delay_count', '>', 40)]",
            }
        )
        self.subscribe("test.kind.changed")
        cron.ir_actions_server_id.run()
        self.assertPublished("test.kind.changed", kinds)

    def test_action_menu(self):
        action = self.make_action()
        action.create_action()
        self.subscribe("test.kind.changed")
        kinds = self.make_kind() | self.make_kind()
        user = self.make_user()
        user.group_ids = [Command.link(self.env.ref("base.group_system").id)]
        self.run_on(action.with_user(user), kinds)
        self.assertPublished("test.kind.changed", kinds)
        self.assertEqual(self.published("test.kind.changed").user_id, user)

    def test_change_of_a_system_is_not_told_to_it(self):
        self.make_rule("on_create")
        subscription = self.subscribe("test.kind.changed")
        origin = subscription.endpoint_id.system_id
        other = self.subscribe("test.kind.changed")
        kind = (
            self.env["mail.activity.type"]
            .with_context(integration_origin=origin.id)
            .create({"name": "From outside"})
        )
        event = self.published("test.kind.changed", kind)
        self.assertEqual(event.origin_system_id, origin)
        self.assertEqual(event.message_ids.subscription_id, other)


@tagged("post_install", "-at_install")
class TestFieldTable(PublishCase):
    def add(self, source, user=None, target=None):
        target = target or self.next_code("value")
        return (
            self.env["integration.event.field"]
            .with_user(user or self.admin)
            .create(
                {
                    "event_type_id": self.event_type.id,
                    "target": target,
                    "source": source,
                }
            )
        )

    def refused(self, source, text, user=None):
        with (
            self.assertRaisesRegex(ValidationError, text),
            self.cr.savepoint(),
        ):
            self.add(source, user)

    def test_schema_is_made_of_the_table(self):
        schema = self.event_type._schema()
        self.assertEqual(schema["required"], ["id"])
        self.assertEqual(
            schema["properties"]["kind"]["properties"]["days"], {"type": "integer"}
        )
        self.assertTrue(self.event_type._has_schema())

    def test_schema_follows_the_table(self):
        self.event_type._schema()
        self.add("summary", target="summary")
        self.assertIn("summary", self.event_type._schema()["properties"])

    def test_paths_that_lead_nowhere(self):
        self.refused("nothing", "there is no field nothing")
        self.refused("name.length", "leads to no record")
        self.refused("suggested_next_type_ids.name", "more \\[\\] than the target")
        self.refused("create_uid[].name", "\\[\\] than the source|no list|Row")
        self.refused("__class__", "no path|no field")

    def test_secrets_are_never_published(self):
        self.refused("create_uid.password", "secret")
        self.refused("create_uid.api_key_ids[].name", "secret|\\[\\]|Row")

    def test_author_publishes_only_what_he_may_read(self):
        author = self.make_user("administrator")
        field = type(self.env["mail.activity.type"])._fields["summary"]
        self.addCleanup(setattr, field, "groups", field.groups)
        field.groups = "base.group_system"
        self.refused("summary", "may not read", author)
        self.add("summary")

    def test_filter_on_what_the_author_may_not_read(self):
        field = type(self.env["mail.activity.type"])._fields["summary"]
        self.addCleanup(setattr, field, "groups", field.groups)
        field.groups = "base.group_no_one"
        action = self.make_action().with_user(self.admin)
        with self.assertRaisesRegex(ValidationError, "not readable"):
            action.integration_domain = "[('summary', '=', 'x')]"

    def test_table_for_incoming_type(self):
        with self.assertRaises(ValidationError):
            self.event_type.direction = "in"

    def test_type_of_another_model(self):
        with self.assertRaisesRegex(ValidationError, "no outgoing type"):
            self.make_action(model_id=self.env["ir.model"]._get("res.partner").id)

    def test_action_without_type(self):
        with self.assertRaisesRegex(ValidationError, "Choose which event"):
            self.make_action(integration_event_type_id=False)

    def test_viewer_changes_no_table(self):
        with self.assertRaises(AccessError):
            self.event_type.field_ids[0].with_user(self.make_user("viewer")).write(
                {"source": "summary"}
            )

    def test_table_is_edited_on_the_action(self):
        action = self.make_action().with_user(self.admin)
        with Form(action) as form, form.integration_field_ids.new() as row:
            row.target, row.source = "icon", "icon"
        self.assertIn("icon", self.event_type.field_ids.mapped("target"))

    def test_start_with_usual_fields(self):
        event_type = self.make_event_type().with_user(self.admin)
        event_type.action_propose_fields()
        self.assertIn("name", event_type.field_ids.mapped("source"))
        event_type._schema()

    def test_change_of_the_table_is_audited(self):
        self.event_type.field_ids[0].required = False
        details = str(self.audit_entries(self.event_type).mapped("detail"))
        self.assertIn("kind.name", details)


@tagged("post_install", "-at_install")
class TestCustomerEvents(SupplyCase):
    """The example that is shipped: customers, by rules and a field table."""

    def make_customer(self, **vals):
        return self.env["res.partner"].create(
            {
                "name": "Clinic West",
                "is_company": True,
                "customer_rank": 1,
                "ref": "C-1",
                "country_id": self.env.ref("base.be").id,
                **vals,
            }
        )

    def test_created(self):
        self.subscribe(CREATED)
        customer = self.make_customer()
        data = self.data_of(CREATED, customer)
        self.assertEqual(data["name"], "Clinic West")
        self.assertEqual(data["address"]["country"], "BE")
        self.assertIs(data["active"], True)

    def test_becomes_a_customer(self):
        self.subscribe(CREATED)
        partner = self.make_customer(customer_rank=0)
        self.assertNotPublished(CREATED)
        partner.customer_rank = 1
        self.assertPublished(CREATED, partner)
        partner.customer_rank = 2
        self.assertPublished(CREATED, partner)

    def test_updated_only_when_something_told_has_changed(self):
        self.subscribe(UPDATED)
        customer = self.make_customer()
        self.next_transaction()
        customer.comment = "nice"
        self.assertNotPublished(UPDATED)
        customer.city = "Ghent"
        self.assertEqual(self.data_of(UPDATED, customer)["address"]["city"], "Ghent")

    def test_persons_are_left_out_since_they_may_be_patients(self):
        self.subscribe(CREATED, UPDATED)
        person = self.make_customer(is_company=False)
        person.city = "Ghent"
        self.assertNotPublished(CREATED)
        self.assertNotPublished(UPDATED)

    def test_suppliers_events_are_as_before(self):
        self.subscribe("supply.supplier.created", CREATED)
        self.env["res.partner"].create({"name": "S", "supplier_rank": 1})
        self.assertEqual(len(self.published("supply.supplier.created")), 1)
        self.assertNotPublished(CREATED)
