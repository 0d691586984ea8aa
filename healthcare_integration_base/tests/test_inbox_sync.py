# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Messages that are applied before the answer, where that was agreed."""

from odoo.tests import tagged

from ..engine import run
from ..protocol import errors
from .reception_common import ReceptionCase, raising


@tagged("post_install", "-at_install")
class TestInboxSync(ReceptionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.endpoint.sync_mode = "on_request"

    def wait(self, body, prefer="wait=5", **headers):
        return self.post(body, Prefer=prefer, **headers)

    def assert_waited(self, response, status):
        self.assertEqual(response.status_code, status, response.text)
        self.assertRegex(response.headers["Preference-Applied"], r"^wait=\d+$")
        uid = response.json()["uid"]
        self.assertTrue(response.headers["Location"].endswith(uid))
        return response.json()

    def test_the_answer_says_what_was_made_of_the_message(self):
        partner = {"name": "Ann"}
        answer = self.assert_waited(self.wait(partner), 200)
        self.assertEqual((answer["state"], answer["document"]), ("done", "Ann"))
        self.assertEqual(self.messages().state, "done")
        self.assertEqual(self.messages().attempt_count, 1)

    def test_identifiers_of_the_document_are_told(self):
        def handler(records, data, message):
            partner = records.create({"name": data["name"]})
            records.env["integration.identifier"].sudo().create(
                {
                    "system_id": message.system_id.id,
                    "kind": "customer_number",
                    "value": "C-1",
                    "res_model": "res.partner",
                    "res_id": partner.id,
                }
            )
            return partner

        self.handle_with(handler)
        answer = self.assert_waited(self.wait({"name": "Ann"}), 200)
        self.assertEqual(
            answer["identifiers"], [{"kind": "customer_number", "value": "C-1"}]
        )

    def test_the_same_again_is_told_again_and_not_applied_again(self):
        first = self.wait({"name": "Ann"}).json()
        second = self.wait({"name": "Ann"}).json()
        self.assertEqual(first, second)
        self.assertEqual(
            self.env["res.partner"].search_count([("name", "=", "Ann")]), 1
        )

    def test_a_drain_afterwards_finds_nothing_to_do(self):
        self.wait({"name": "Ann"})
        self.apply_all()
        self.assertEqual(self.messages().attempt_count, 1)

    def test_a_broken_schema_is_a_422_with_its_errors(self):
        response = self.wait({"name": 7})
        problem = self.assert_problem(response, 422, "schema_violation")
        self.assertEqual(problem["errors"][0]["path"], "/name")
        self.assertEqual(problem["uid"], self.messages().uid)
        self.assertEqual(self.messages().state, "dead")

    def test_a_refusal_by_the_handler_is_a_422_with_its_code(self):
        self.handle_with(
            raising(errors.Rejected("No such order", code="order_unknown"))
        )
        problem = self.assert_problem(self.wait({"name": "A"}), 422, "order_unknown")
        self.assertEqual(problem["detail"], "No such order")

    def test_a_fault_on_our_side_is_not_told(self):
        self.handle_with(raising(ZeroDivisionError("secret")))
        with self.assertLogs("odoo.addons.healthcare_integration_base", "ERROR"):
            answer = self.assert_waited(self.wait({"name": "A"}), 202)
        self.assertEqual(answer["state"], "dead")
        self.assertNotIn("secret", str(answer))
        self.assertNotIn("detail", answer["error"])

    def test_what_is_tried_again_later_is_a_202(self):
        self.handle_with(raising(errors.Retryable("Stock is closed", seconds=60)))
        answer = self.assert_waited(self.wait({"name": "A"}), 202)
        self.assertEqual(answer["state"], "pending")
        self.assertEqual(self.messages().state, "pending")

    def test_nothing_to_do_is_told_with_the_reason(self):
        self.handle_with(raising(errors.Filtered("Older than what was applied")))
        answer = self.assert_waited(self.wait({"name": "A"}), 200)
        self.assertEqual(answer["state"], "filtered")
        self.assertEqual(answer["reason"], "Older than what was applied")

    def test_the_partner_waits_no_longer_than_agreed(self):
        self.endpoint.sync_seconds = 3
        response = self.wait({"name": "A"}, "wait=100")
        self.assertEqual(response.headers["Preference-Applied"], "wait=3")

    def test_who_does_not_ask_does_not_wait(self):
        for number, prefer in enumerate(
            ["", "wait=0", "wait=x", "return=minimal", "respond-async", "wait=-1"]
        ):
            response = self.wait({"name": f"A{number}"}, prefer)
            self.assert_accepted(response)
            self.assertNotIn("Preference-Applied", response.headers)
        self.assertEqual(set(self.messages().mapped("state")), {"pending"})

    def test_one_of_several_preferences_counts(self):
        response = self.wait({"name": "A"}, 'return=minimal, Wait="2"; x=y')
        self.assertEqual(response.headers["Preference-Applied"], "wait=2")

    def test_an_endpoint_may_always_answer_with_the_outcome(self):
        self.endpoint.sync_mode = "always"
        self.assert_waited(self.post({"name": "A"}), 200)
        self.assert_accepted(self.post({"name": "B"}, Prefer="respond-async"))

    def test_where_it_was_not_agreed_nobody_waits(self):
        self.endpoint.sync_mode = "never"
        self.assert_accepted(self.wait({"name": "A"}))

    def test_a_paused_endpoint_keeps_the_message_for_later(self):
        self.endpoint.action_pause()
        answer = self.assert_waited(self.wait({"name": "A"}), 202)
        self.assertEqual(answer["state"], "pending")

    def test_a_message_waits_for_the_older_one_of_its_key(self):
        self.endpoint.write({"ordering_path": "ref", "sync_seconds": 1})
        self.assert_accepted(self.post({"name": "first", "ref": "k"}))
        answer = self.assert_waited(self.wait({"name": "second", "ref": "k"}), 202)
        self.assertEqual(answer["state"], "pending")
        self.apply_all()
        self.assertEqual(self.messages().mapped("state"), ["done", "done"])

    def test_what_another_has_claimed_is_left_to_it(self):
        self.endpoint.sync_mode = "never"
        self.assert_accepted(self.post({"name": "A"}))
        message = self.messages()
        self.env.cr.execute(
            "UPDATE integration_queue_entry SET claim = 'other', claimed_at = now()"
        )
        self.env.flush_all()
        with self.one_connection():
            run.run_now(self.env, message.ids, threaded=False)
        self.env.invalidate_all()
        self.assertEqual((message.state, message.attempt_count), ("pending", 0))
