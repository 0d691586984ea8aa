# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The generic ways to finish a case: correct, dispute, assign, ignore many."""

import json

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tests import Form, tagged

from ..engine import correct
from .cases_common import CauseCase


@tagged("post_install", "-at_install")
class TestCaseWizards(CauseCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.reader = cls.make_user(
            "exception_handler", "payload_reader", company=cls.company
        )
        cls.supplier.email = "orders@medline.example"

    def wizard(self, name, user, **values):
        return self.env[f"integration.exception.{name}"].with_user(user).create(values)

    def correction(self, message, user=None, reason="A typing error"):
        return self.wizard(
            "correct",
            user or self.reader,
            exception_id=message.exception_id.id,
            message_id=message.id,
            reason=reason,
        )

    # -- correct ---------------------------------------------------------------------

    def test_corrected_body_is_applied_and_the_original_kept(self):
        message = self.fail("ABD")
        original = self.stored_body(message)
        wizard = self.correction(message)
        wizard.action_show()
        self.assertIn('"ABD"', wizard.body)
        self.known = {"ABC"}
        text = '{"name" : "ABC",  "ref": "R1"}'
        wizard.body = text
        wizard.action_apply()
        replay = self.replays(message)
        self.assertEqual(self.stored_body(replay), text.encode())
        self.assertEqual(replay.body_sha256, correct.digest(text.encode(), False))
        self.assertEqual((replay.corrected, replay.size), (True, len(text)))
        self.assertEqual(self.stored_body(message), original)
        self.apply_all()
        self.assertEqual(replay.state, "done")
        self.assertRecordValues(
            message.exception_id,
            [
                {
                    "state": "resolved",
                    "resolution": "A typing error",
                    "resolution_kind": "corrected",
                    "resolved_by_id": self.reader.id,
                }
            ],
        )
        for action in ("payload_view", "replay"):
            entry = self.audit_entries(message, action)
            self.assertEqual(
                (entry.user_id, entry.reason), (self.reader.id, "A typing error")
            )

    def test_numbers_keep_their_digits_in_the_editor(self):
        text = '{"price":5.10,"lines":[{"a":"x, {y}"},{}],"none":[]}'
        spread = correct.spread(text)
        self.assertIn('"price": 5.10,', spread)
        self.assertIn('"a": "x, {y}"', spread)
        self.assertEqual(json.loads(spread), json.loads(text))
        self.assertEqual(correct.spread("{broken"), "{broken")

    def test_bad_corrections_are_refused_with_the_reason(self):
        message = self.fail("ABD")
        wizard = self.correction(message)
        wizard.action_show()
        with self.assertRaisesRegex(UserError, "Nothing was corrected"):
            wizard.action_apply()
        for body, expected in (
            ("{no json", "JSON"),
            ("", ""),
            ('["ABC"]', ""),
            ('{"ref": "x"}', "name"),
            ('{"name": 5}', "/name"),
            (json.dumps({"name": "x" * 300_000}), "too long"),
        ):
            wizard.body = body
            with self.subTest(body[:20]), self.assertRaisesRegex(UserError, expected):
                wizard.action_apply()
        self.assertFalse(self.replays(message))
        self.assertEqual(message.state, "dead")

    def test_body_is_for_payload_readers_with_a_reason(self):
        message = self.fail("ABD")
        plain = self.correction(message, self.handler)
        with self.assertRaises(AccessError):
            plain.action_show()
        self.assertFalse(plain.body)
        with self.assertRaises(UserError):
            self.correction(message, reason="  ").action_show()
        for values in ({"shown": True}, {"draft": "x"}):
            with self.subTest(values), self.assertRaises(AccessError):
                plain.write(values)
            with self.assertRaises(AccessError):
                self.wizard(
                    "correct",
                    self.reader,
                    exception_id=message.exception_id.id,
                    message_id=message.id,
                    reason="x",
                    **values,
                )
            context = {f"default_{name}": value for name, value in values.items()}
            with self.assertRaises(AccessError):
                self.env["integration.exception.correct"].with_user(
                    self.reader
                ).with_context(**context).create(
                    {
                        "exception_id": message.exception_id.id,
                        "message_id": message.id,
                        "reason": "x",
                    }
                )
        unseen = self.correction(message)
        with self.assertRaisesRegex(UserError, "Look at the body"):
            unseen.action_apply()
        self.assertFalse(self.audit_entries(message, "payload_view"))

    def test_shown_dialog_shows_no_other_message(self):
        one, other = self.fail("ABD", "ABD")
        wizard = self.correction(one)
        wizard.action_show()
        with self.assertRaises(UserError):
            wizard.message_id = other
        stranger = self.fail("XYZ")
        mixed = self.wizard(
            "correct",
            self.reader,
            exception_id=one.exception_id.id,
            message_id=stranger.id,
            reason="x",
        )
        with self.assertRaisesRegex(UserError, "another case"):
            mixed.action_show()

    def test_onchange_shows_nothing_that_was_not_asked_for_with_a_reason(self):
        shown, other = self.fail("ABD"), self.fail("ABE")
        spec = {"body": {}, "shown": {}, "message_id": {}}
        forged = {
            "exception_id": other.exception_id.id,
            "message_id": other.id,
            "reason": "Curious",
            "shown": True,
        }
        wizards = self.env["integration.exception.correct"].with_user(self.reader)
        values = wizards.onchange(forged, ["message_id"], spec)["value"]
        self.assertNotIn("ABE", str(values))
        wizard = self.correction(shown)
        wizard.action_show()
        values = wizard.onchange(forged, ["message_id"], spec)["value"]
        self.assertNotIn("ABE", str(values))
        self.assertFalse(self.audit_entries(other, "payload_view"))

    def test_correction_of_protected_health_information_is_ciphertext(self):
        self.event_type.sensitivity = "phi"
        message = self.fail("Anna Mueller")
        wizard = self.correction(message)
        wizard.action_show()
        self.assertIn("Anna Mueller", wizard.body)
        self.known = {"Anna Miller"}
        wizard.body = '{"name": "Anna Miller"}'
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT draft FROM integration_exception_correct WHERE id = %s",
            (wizard.id,),
        )
        self.assertNotIn("Anna", self.env.cr.fetchone()[0])
        wizard.action_apply()
        replay = self.replays(message)
        self.assertNotIn(b"Anna", self.raw_body(replay))
        self.apply_all()
        self.assertEqual(replay.state, "done")

    def test_one_of_several_is_corrected_and_the_others_still_wait(self):
        one, other = self.fail("ABD", "ABD")
        wizard = self.correction(one)
        wizard.action_show()
        self.known = {"ABC"}
        wizard.body = '{"name": "ABC"}'
        wizard.action_apply()
        self.apply_all()
        case = other.exception_id
        self.assertEqual((case.state, case.unresolved_count), ("in_progress", 1))

    # -- dispute ---------------------------------------------------------------------

    def dispute(self, case, user=None, **values):
        action = case.with_user(user or self.handler).action_dispute()
        Wizard = self.env[action["res_model"]].with_user(user or self.handler)
        with Form(Wizard.with_context(**action["context"])) as form:
            for name, value in values.items():
                form[name] = value
        return form.record

    def test_partner_is_written_to_and_awaited(self):
        document = self.env["res.partner"].create({"name": "P00042"})
        case = self.raise_case(self.price("3", document))
        wizard = self.dispute(case, reason="The agreed price is <4.80>.")
        self.assertEqual(wizard.partner_id, self.supplier)
        for text in ("P00042", "The agreed price is &lt;4.80&gt;.", "Medline"):
            self.assertIn(text, wizard.body)
        wizard.action_send()
        self.assertRecordValues(
            case,
            [
                {
                    "state": "in_progress",
                    "waiting_for": "partner",
                    "user_id": self.handler.id,
                }
            ],
        )
        letter = case.message_ids.filtered(lambda one: self.supplier in one.partner_ids)
        self.assertEqual(letter.author_id, self.handler.partner_id)
        self.assertIn("4.80", letter.body)
        case.with_user(self.handler).action_answered()
        self.assertFalse(case.waiting_for)

    def test_answer_of_a_partner_comes_by_mail_alone(self):
        case = self.fail("ABD").exception_id
        with self.assertRaises(AccessError):
            call_kw(case.with_user(self.reader), "message_update", [case.ids, {}], {})

    def test_letter_of_the_kind_of_case(self):
        template = self.env.ref(
            "healthcare_integration_base.mail_template_dispute"
        ).copy({"subject": "Wrong price: {{ object.name }}"})
        self.env["integration.exception.code"].search(
            [("code", "=", "price_difference")]
        ).unlink()
        self.env["integration.exception.code"].create(
            {
                "name": "Price",
                "code": "price_difference",
                "template_id": template.id,
            }
        )
        case = self.raise_case(self.price("3", None))
        self.assertTrue(self.dispute(case, reason="x").subject.startswith("Wrong pri"))

    def test_letter_tells_nothing_of_patients(self):
        self.event_type.sensitivity = "phi"
        patient = self.env["res.partner"].create({"name": "Anna Mueller"})
        case = self.raise_case(self.price("3", patient), event_type=self.event_type)
        wizard = self.dispute(case, reason="Please call us.")
        self.assertNotIn("Anna", f"{wizard.subject} {wizard.body}")

    def test_dispute_needs_reason_and_address(self):
        case = self.raise_case(self.price("3", None))
        with self.assertRaisesRegex(UserError, "Say what"):
            self.dispute(case).action_send()
        self.supplier.email = False
        with self.assertRaisesRegex(UserError, "no e-mail address"):
            self.dispute(case, reason="x").action_send()
        viewer = self.make_user("viewer", company=self.company)
        with self.assertRaises(AccessError):
            case.with_user(viewer).action_dispute()

    # -- many at a time --------------------------------------------------------------

    def test_many_are_assigned_and_ignored(self):
        cases = self.raise_case(self.unknown("A")) | self.raise_case(self.unknown("B"))
        queue = self.env["integration.exception.queue"].create({"name": "Other"})
        with self.assertRaisesRegex(UserError, "person or a queue"):
            self.wizard(
                "assign", self.handler, exception_ids=[Command.set(cases.ids)]
            ).action_assign()
        self.wizard(
            "assign",
            self.handler,
            exception_ids=[Command.set(cases.ids)],
            user_id=self.reader.id,
            queue_id=queue.id,
        ).action_assign()
        self.assertEqual((cases.user_id, cases.queue_id), (self.reader, queue))
        self.wizard(
            "close",
            self.handler,
            exception_ids=[Command.set(cases.ids)],
            outcome="ignore",
            reason="A test of theirs",
        ).action_close()
        self.assertEqual(set(cases.mapped("state")), {"ignored"})
        with self.assertRaisesRegex(UserError, "Choose the cases"):
            self.wizard(
                "close", self.handler, outcome="ignore", reason="x"
            ).action_close()

    # -- suggestion ------------------------------------------------------------------

    def test_what_helped_before_is_suggested(self):
        self.known = set()
        first = self.fail("ABC").exception_id
        self.known = {"ABC"}
        first.with_user(self.handler).action_replay_all()
        self.apply_all()
        self.assertEqual((first.state, first.resolution_kind), ("resolved", "replayed"))
        self.known = set()
        again = self.fail("ABC").exception_id.with_user(self.handler)
        self.assertRecordValues(
            again,
            [
                {
                    "suggestion_case_id": first.id,
                    "suggestion_by_id": self.handler.id,
                    "suggestion_same": True,
                    "suggestion_count": 1,
                    "suggestion_total": 1,
                    "suggestion_returned": 1,
                    "suggestion_kind": "replayed",
                }
            ],
        )
        alike = self.fail("XYZ").exception_id.with_user(self.handler)
        self.assertEqual(alike.suggestion_case_id, first)
        self.assertFalse(alike.suggestion_same)
        self.known = {"ABC"}
        again.action_do_as_before()
        self.apply_all()
        self.assertEqual(again.state, "resolved")

    def test_nothing_is_suggested_from_cases_that_closed_by_themselves(self):
        message = self.fail("ABC")
        self.known = {"ABC"}
        message.sudo().action_replay()
        self.apply_all()
        self.assertEqual(message.exception_id.resolution_kind, "itself")
        self.known = set()
        self.assertFalse(self.fail("ABC").exception_id.suggestion)

    # -- who sees what ---------------------------------------------------------------

    def test_queue_for_members_only(self):
        queue = self.env["integration.exception.queue"].create(
            {"name": "Salaries", "members_only": True}
        )
        case = self.raise_case(self.unknown("A"))
        case.queue_id = queue
        Case = self.env["integration.exception"]
        administrator = self.make_user("administrator", company=self.company)

        def sees(user):
            return bool(Case.with_user(user).search_count([("id", "=", case.id)]))

        self.assertFalse(sees(self.handler))
        self.assertTrue(sees(administrator))
        queue.member_ids = self.handler
        self.assertTrue(sees(self.handler))
        queue.member_ids = False
        case.user_id = self.handler
        self.assertTrue(sees(self.handler))
        self.assertFalse(sees(self.reader))
