# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Finishing a case: mend, replay, closed by itself; or open again, with a note."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..protocol.errors import Rejected
from .cases_common import CauseCase


@tagged("post_install", "-at_install")
class TestCaseFinishing(CauseCase):
    def test_finished_case_replays_all_its_messages_and_closes(self):
        messages = self.fail("ABC", "ABC")
        case = messages.exception_id.with_user(self.handler)
        self.known = {"ABC"}
        case._finish("Product ABC chosen")
        self.assertRecordValues(
            case,
            [
                {
                    "state": "in_progress",
                    "waiting_for": "replay",
                    "resolution": "Product ABC chosen",
                    "resolved_by_id": self.handler.id,
                    "resolved_at": False,
                }
            ],
        )
        self.apply_all()
        self.assertEqual(self.replays(messages).mapped("state"), ["done", "done"])
        self.assertRecordValues(
            case,
            [
                {
                    "state": "resolved",
                    "waiting_for": False,
                    "resolution": "Product ABC chosen",
                    "resolved_by_id": self.handler.id,
                }
            ],
        )
        self.assertTrue(case.resolved_at)

    def test_replay_that_fails_for_the_same_cause_opens_the_case_again(self):
        case = self.fail("ABC", "ABC").exception_id
        case.with_user(self.handler)._finish("Product ABC chosen")
        self.apply_all()
        self.assertRecordValues(
            case,
            [
                {
                    "state": "open",
                    "waiting_for": False,
                    "resolution": False,
                    "resolved_by_id": False,
                    "unresolved_count": 2,
                }
            ],
        )
        notes = " ".join(case.message_ids.mapped("body"))
        self.assertIn("failed again", notes)
        self.assertIn("Product ABC chosen", notes)

    def test_replays_keep_the_order_and_parked_messages_follow(self):
        order = []

        def handler(model, data, message):
            if data["name"] not in self.known:
                raise Rejected("Unknown item", cause=self.unknown(data["name"]))
            order.append(data["ref"])
            return model.create({"name": data["name"]})

        self.handle_with(handler)
        messages = [self.hand_in({"name": "ABC", "ref": str(n)}) for n in range(3)]
        ids = [message.id for message in messages]
        for table, column in (
            ("integration_message", "id"),
            ("integration_queue_entry", "message_id"),
        ):
            self.env.cr.execute(
                f"UPDATE {table} SET ordering_key = 'order,1' WHERE {column} = ANY(%s)",
                (ids,),
            )
        self.env.invalidate_all()
        self.apply_all()
        states = [message.state for message in messages]
        self.assertEqual(states, ["dead", "pending", "pending"])
        self.known = {"ABC"}
        messages[0].exception_id.with_user(self.handler)._finish("Chosen")
        self.apply_all()
        self.apply_all()
        self.assertEqual(order, ["0", "1", "2"])

    def test_handler_without_the_operators_group_replays_and_retries_his_cases(self):
        for method in ("action_replay_all", "action_retry_all"):
            item = method
            case = self.fail(item).exception_id
            self.known.add(item)
            getattr(case.with_user(self.handler), method)()
            self.apply_all()
            self.assertEqual(case.state, "resolved", method)

    def test_ignoring_gives_up_dead_messages_and_lets_the_next_ones_go(self):
        message = self.fail("ABC")
        case = message.exception_id
        case.with_user(self.handler).action_ignore("An old catalogue")
        self.assertRecordValues(
            message, [{"state": "cancelled", "filter_reason": "An old catalogue"}]
        )
        self.assertEqual((case.state, self.queued(message)), ("ignored", 0))

    def test_who_may_not(self):
        case = self.fail("ABC").exception_id
        viewer = self.make_user("viewer", company=self.company)
        stranger = self.make_user("exception_handler")
        for user in (viewer, stranger):
            for method, arguments in (
                ("_finish", ("x",)),
                ("action_replay_all", ()),
                ("action_retry_all", ()),
                ("action_ignore", ("x",)),
                ("action_resolve", ("x",)),
                ("action_take", ()),
            ):
                with self.subTest(method), self.assertRaises(AccessError):
                    getattr(case.with_user(user), method)(*arguments)
        self.assertEqual(case.state, "open")

    def test_closed_case_and_empty_reason_are_refused(self):
        case = self.fail("ABC").exception_id.with_user(self.handler)
        with self.assertRaisesRegex(UserError, "Say how"):
            case._finish("  ")
        case.action_resolve("By telephone")
        with self.assertRaisesRegex(UserError, "closed"):
            case._finish("Again")

    def test_disabled_endpoint_is_named(self):
        case = self.fail("ABC").exception_id
        self.endpoint._transition("disabled")
        with self.assertRaisesRegex(UserError, "not in use"):
            case.with_user(self.handler).action_replay_all()

    def test_fields_of_a_case_are_not_written_from_outside(self):
        case = self.fail("ABC").exception_id.with_user(self.handler)
        for name, value in {
            "state": "resolved",
            "amount": 1,
            "decision": False,
            "resolution": "x",
            "cause_data": {"a": 1},
            "partner_id": False,
        }.items():
            with self.subTest(name), self.assertRaises(AccessError):
                case.write({name: value})
        with self.assertRaises(AccessError):
            self.env["integration.exception"].with_user(self.handler).create(
                {"name": "x", "fingerprint": "x", "category": "business"}
            )
