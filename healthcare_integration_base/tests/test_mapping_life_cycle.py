# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..engine import payload
from .common import IntegrationCase


@tagged("post_install", "-at_install")
class TestMappingLifeCycle(IntegrationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mapper = cls.make_user("mapper")
        cls.approver = cls.make_user("approver")
        cls.both = cls.make_user("mapper", "approver")
        cls.event_type = cls.make_event_type()

    def draft(self, user=None, **vals):
        vals = {
            "name": self.next_code("mapping"),
            "kind": "jsonata",
            "expression_text": '{"n": number}',
            "event_type_id": self.event_type.id,
            **vals,
        }
        return (
            self.env["integration.mapping"].with_user(user or self.mapper).create(vals)
        )

    def activated(self, mapping):
        mapping.with_user(self.approver).action_approve()
        mapping.with_user(self.approver).action_activate()
        return mapping

    def test_from_draft_to_retired(self):
        mapping = self.draft()
        self.assertEqual((mapping.state, mapping.author_id), ("draft", self.mapper))
        mapping.with_user(self.approver).action_approve()
        self.assertEqual(
            (mapping.state, mapping.approver_id), ("approved", self.approver)
        )
        self.assertTrue(mapping.approved_at)
        mapping.with_user(self.approver).action_activate()
        self.assertEqual(mapping.state, "active")
        mapping.with_user(self.approver).action_retire()
        self.assertEqual(mapping.state, "retired")

    def test_a_mapper_does_not_approve(self):
        with self.assertRaisesRegex(AccessError, "Approver"):
            self.draft().action_approve()

    def test_nobody_approves_what_he_wrote(self):
        mapping = self.draft(self.both)
        with self.assertRaisesRegex(AccessError, "You wrote"):
            mapping.with_user(self.both).action_approve()

    def test_nobody_approves_what_he_changed(self):
        mapping = self.draft()
        mapping.with_user(self.both).expression_text = '{"n": other}'
        self.assertEqual(mapping.author_id, self.both)
        with self.assertRaisesRegex(AccessError, "You wrote"):
            mapping.with_user(self.both).action_approve()

    def test_changing_a_row_of_the_table_makes_an_author_too(self):
        row = Command.create({"target": "a", "source": "b"})
        mapping = self.draft(kind="table", line_ids=[row])
        mapping.line_ids.with_user(self.both).source = "c"
        with self.assertRaisesRegex(AccessError, "You wrote"):
            mapping.with_user(self.both).action_approve()

    def test_the_first_author_does_not_approve_after_a_change_by_another(self):
        mapping = self.draft(self.both)
        mapping.with_user(self.mapper).expression_text = '{"n": other}'
        with self.assertRaisesRegex(AccessError, "You wrote"):
            mapping.with_user(self.both).action_approve()

    def test_the_context_does_not_forge_an_approval(self):
        forged = {
            "default_state": "active",
            "default_author_id": self.approver.id,
            "default_approver_id": self.approver.id,
            "default_version": 7,
        }
        vals = {"name": "m", "kind": "jsonata", "expression_text": "number"}
        mapping = (
            self.env["integration.mapping"]
            .with_user(self.mapper)
            .with_context(**forged)
            .create({**vals, "event_type_id": self.event_type.id})
        )
        self.assertEqual(mapping.state, "draft")
        self.assertEqual(mapping.author_id, self.mapper)
        self.assertFalse(mapping.approver_id)
        self.assertEqual(mapping.version, 1)

    def test_the_author_cannot_be_forged(self):
        mapping = self.draft(self.both)
        for vals in (
            {"author_id": self.mapper.id},
            {"state": "active"},
            {"approver_id": self.approver.id},
            {"version": 9},
        ):
            with (
                self.subTest(vals),
                self.assertRaisesRegex(AccessError, "by its buttons only"),
            ):
                mapping.with_user(self.both).write(vals)

    def test_only_drafts_change(self):
        row = Command.create({"target": "a", "source": "b"})
        mapping = self.activated(self.draft(kind="table", line_ids=[row])).with_user(
            self.mapper
        )
        for change in (
            lambda: mapping.write({"content_type": "text/plain"}),
            lambda: mapping.write({"line_ids": [Command.clear()]}),
            lambda: mapping.line_ids.write({"source": "c"}),
            lambda: mapping.line_ids.unlink(),
            lambda: mapping.line_ids.create({"mapping_id": mapping.id, "target": "x"}),
            lambda: mapping.unlink(),
        ):
            with self.assertRaisesRegex(UserError, "make a new version"):
                change()

    def test_states_follow_each_other(self):
        mapping = self.draft().with_user(self.approver)
        with self.assertRaisesRegex(UserError, "must be in state Approved"):
            mapping.action_activate()
        with self.assertRaisesRegex(UserError, "must be in state Active"):
            mapping.action_retire()
        mapping.action_approve()
        with self.assertRaisesRegex(UserError, "must be in state Draft"):
            mapping.action_approve()
        mapping.action_reject()
        self.assertEqual((mapping.state, mapping.approver_id.id), ("draft", False))

    def test_a_new_version_takes_over_when_it_is_activated(self):
        first = self.activated(self.draft())
        endpoint = self.make_endpoint()
        subscription = self.make_subscription(
            endpoint, self.event_type, mapping_id=first.id
        )
        action = first.with_user(self.mapper).action_new_version()
        second = self.env["integration.mapping"].browse(action["res_id"])
        self.assertEqual(
            (
                second.version,
                second.state,
                second.previous_id,
                second.author_id,
                second.name,
            ),
            (2, "draft", first, self.mapper, first.name),
        )
        self.assertEqual(subscription.mapping_id, first)
        second.with_user(self.mapper).expression_text = '{"n": number, "v": 2}'
        self.activated(second)
        self.assertEqual(subscription.mapping_id, second)
        self.assertEqual(first.state, "retired")

    def test_what_is_in_use_is_not_retired(self):
        mapping = self.activated(self.draft())
        subscription = self.make_subscription(
            None, self.event_type, mapping_id=mapping.id
        )
        with self.assertRaisesRegex(UserError, "is used by"):
            mapping.with_user(self.approver).action_retire()
        subscription.mapping_id = False
        mapping.with_user(self.approver).action_retire()

    def test_approval_and_activation_are_audited_with_the_digest_of_the_expression(
        self,
    ):
        mapping = self.activated(self.draft())
        entries = self.audit_entries(mapping, "state")
        self.assertEqual(entries.mapped("user_id"), [self.approver.id] * 2)
        for entry in entries:
            self.assertRegex(entry.detail, r'"expression_sha256": "[0-9a-f]{64}"')

    def test_a_copy_is_another_mapping(self):
        mapping = self.activated(self.draft())
        copy = mapping.with_user(self.mapper).copy()
        self.assertEqual((copy.version, copy.state), (1, "draft"))
        self.assertNotEqual(copy.name, mapping.name)


@tagged("post_install", "-at_install")
class TestMappingPreview(IntegrationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mapper = cls.make_user("mapper")
        cls.event_type = cls.make_event_type(
            schema_text='{"type": "object", "properties": {"number": {"type": "string"}}}'
        )
        cls.event = cls.make_event(cls.event_type, {"number": 17})
        cls.mapping = cls.make_mapping('{"n": number}', event_type_id=cls.event_type.id)

    def preview(self, user=None, **vals):
        model = self.env["integration.mapping.preview"].with_user(user or self.mapper)
        return model.create({"mapping_id": self.mapping.id, **vals})

    def test_it_shows_what_would_be_sent_and_what_deviates(self):
        preview = self.preview()
        self.assertEqual(preview.event_id, self.event)
        self.assertEqual(preview.result, "")
        preview.action_preview()
        self.assertEqual(preview.result, '{"n":17}')
        self.assertEqual(preview.content_type, "application/json")
        self.assertIn("/number", preview.schema_errors)
        self.assertEqual(preview.error, "")

    def test_viewing_is_audited_once_and_cannot_be_forged(self):
        preview = self.preview(shown=True)
        preview.write({"shown": True})
        self.assertEqual(preview.result, "")
        self.assertFalse(self.audit_entries(self.event))
        preview.action_preview()
        entry = self.audit_entries(self.event, "payload_view")
        self.assertEqual(entry.user_id, self.mapper.id)

    def test_another_event_is_another_view(self):
        other = self.make_event(self.event_type, {"number": 18})
        preview = self.preview(event_id=self.event.id)
        preview.action_preview()
        preview.event_id = other
        self.assertEqual(preview.result, "")

    def test_a_failing_mapping_shows_its_error(self):
        self.mapping.expression_text = '$error("no")'
        preview = self.preview()
        preview.action_preview()
        self.assertTrue(preview.error)
        self.assertEqual(preview.result, "")

    def test_the_result_is_not_stored(self):
        preview = self.preview()
        preview.action_preview()
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT * FROM integration_mapping_preview WHERE id = %s", [preview.id]
        )
        self.assertNotIn("17", [str(value) for value in self.env.cr.fetchone()])
        self.assertNotIn('{"n":17}', str(self.env.cr.fetchall()))

    def test_protected_content_needs_a_payload_reader(self):
        event_type = self.make_event_type(sensitivity="phi")
        event = self.make_event(event_type, {"number": "secret 17"})
        self.assertNotIn("secret 17", event.data)
        mapping = self.make_mapping('{"n": number}', event_type_id=event_type.id)
        with self.assertRaisesRegex(AccessError, "payload readers"):
            self.preview(mapping_id=mapping.id).action_preview()
        reader = self.make_user("mapper", "payload_reader")
        preview = self.preview(reader, mapping_id=mapping.id)
        preview.action_preview()
        self.assertEqual(preview.result, '{"n":"secret 17"}')

    def test_an_event_of_another_type_is_not_previewed(self):
        protected = self.make_event_type(sensitivity="phi")
        event = self.make_event(protected, {"number": "secret 17"})
        preview = self.preview(event_id=event.id)
        with self.assertRaisesRegex(AccessError, "payload readers"):
            preview.action_preview()
        self.assertEqual(preview.result, "")
        other = self.make_event(self.make_event_type(), {"number": 17})
        with self.assertRaisesRegex(UserError, self.event_type.code):
            self.preview(event_id=other.id).action_preview()

    def test_an_onchange_shows_nothing(self):
        values = {
            "mapping_id": self.mapping.id,
            "event_id": self.event.id,
            "shown": True,
        }
        wizard = self.env["integration.mapping.preview"].with_user(self.mapper)
        spec = {"shown": {}, "result": {}, "event_id": {}, "mapping_id": {}}
        answer = wizard.onchange(values, ["shown"], spec)
        self.assertFalse(answer["value"].get("result"))
        self.assertFalse(self.audit_entries(self.event))

    def test_the_mapping_of_another_company_is_not_shown(self):
        company = self.env["res.company"].create({"name": "Another"})
        foreign = self.make_mapping(
            "secret.rule", event_type_id=self.event_type.id, company_id=company.id
        )
        with mute_logger("odoo.addons.base.models.ir_rule"):
            with self.assertRaises(AccessError):
                self.preview(mapping_id=foreign.id).read(["expression"])

    def test_incoming_messages_are_previewed_as_they_are_applied(self):
        mapping = self.make_mapping(
            '{"number": orderNo}', event_type_id=self.event_type.id, direction="in"
        )
        endpoint = self.make_endpoint(direction="in")
        message = self.env["integration.message"].create(
            {
                "uid": "01900000-0000-7000-8000-000000000001",
                "direction": "in",
                "endpoint_id": endpoint.id,
                "event_type_id": self.event_type.id,
                "content_type": "application/json; charset=utf-8",
            }
        )
        self.env.flush_all()
        payload.store(
            self.env.cr, [{"message_id": message.id, "body": b'{"orderNo": 5}'}]
        )
        with self.assertRaisesRegex(AccessError, "payload readers"):
            self.preview(mapping_id=mapping.id).action_preview()
        preview = self.preview(
            self.make_user("mapper", "payload_reader"), mapping_id=mapping.id
        )
        self.assertEqual(preview.message_id, message)
        preview.action_preview()
        self.assertEqual(preview.result, '{"number":5}')
        self.assertIn("/number", preview.schema_errors)
        self.assertTrue(self.audit_entries(message, "payload_view"))

    def test_viewers_have_no_preview(self):
        viewer = self.make_user("viewer", "payload_reader")
        with (
            mute_logger("odoo.addons.base.models.ir_model"),
            self.assertRaises(AccessError),
        ):
            self.preview(viewer)

    def test_events_of_another_company_stay_out_of_reach(self):
        other = self.env["res.company"].create({"name": "Other Hospital"})
        event = self.make_event(self.event_type, {"number": 1}, company_id=other.id)
        preview = self.preview(event_id=event.id)
        with (
            mute_logger("odoo.addons.base.models.ir_rule"),
            self.assertRaises(AccessError),
        ):
            preview.action_preview()

    def test_without_any_event_it_says_so(self):
        preview = self.preview(event_id=False)
        with self.assertRaisesRegex(UserError, "Choose an event"):
            preview.action_preview()
