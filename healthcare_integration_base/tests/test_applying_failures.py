# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Messages that cannot be applied: what is kept of it, and who is not disturbed."""

import logging
from unittest.mock import patch

import psycopg2

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..engine import apply, queue, verdict
from ..protocol.drain_types import Claimed
from ..protocol.errors import Rejected, Retryable
from .reception_common import InboxCase, raising

VERDICT = "odoo.addons.healthcare_integration_base.engine.verdict"


@tagged("post_install", "-at_install")
class TestNotApplied(InboxCase):
    # -- refused -------------------------------------------------------------------

    def test_deviations_from_the_schema_are_reported_on_the_message(self):
        message = self.applied({"name": 5, "ref": "X"})
        self.assert_dead(message, "schema", "schema_violation")
        self.assertEqual(message.schema_errors[0]["path"], "/name")

    def test_a_handlers_refusal_is_told(self):
        message = self.applied(
            {"name": "Anna"}, raising(Rejected("No such order", code="no_order"))
        )
        self.assert_dead(message, "business", "no_order")
        self.assertEqual(message.last_error, "No such order")

    def test_odoos_refusals_have_codes_of_their_own(self):
        for exception, code in (
            (UserError("Not now"), "user_error"),
            (ValidationError("Wrong"), "validation_error"),
            (AccessError("No"), "access_error"),
            (psycopg2.IntegrityError("dup"), "constraint_violation"),
        ):
            self.assert_dead(
                self.applied({"name": code}, raising(exception)), "business", code
            )

    def test_the_reason_quotes_no_value_of_the_payload(self):
        body = {"name": "Anna Mueller", "ref": "MRN-4711"}
        error = UserError("Anna Mueller (MRN-4711) is known already")
        message = self.applied(body, raising(error))
        self.assertEqual(message.last_error, "… (…) is known already")

    def test_of_protected_health_information_only_the_kind_is_kept(self):
        self.event_type.sensitivity = "phi"
        message = self.applied(
            {"name": "Anna"}, raising(UserError("A patient of ward 7"))
        )
        self.assertEqual(message.last_error, "Odoo refused it (UserError)")

    def test_a_handlers_bug_is_told_by_its_place_not_by_its_words(self):
        with self.assertLogs(VERDICT, logging.ERROR) as logs:
            message = self.applied({"name": "Anna"}, raising(KeyError("Anna")))
        self.assert_dead(message, "business", "handler_error")
        self.assertIn("KeyError at reception_common.py", message.last_error)
        self.assertNotIn("Anna", message.last_error + str(logs.output))

    def test_a_type_without_handler_is_a_matter_of_configuration(self):
        self.env.cr.execute(
            "UPDATE integration_event_type SET handler_method = NULL WHERE id = %s",
            self.event_type.ids,
        )
        self.assert_dead(self.applied({"name": "Anna"}), "configuration", "no_handler")

    def test_no_other_method_than_a_handler_is_ever_called(self):
        self.env.cr.execute(
            "UPDATE integration_event_type SET handler_method = 'unlink' WHERE id = %s",
            self.event_type.ids,
        )
        self.assert_dead(self.applied({"name": "Anna"}), "configuration", "no_handler")

    def test_a_client_that_is_gone_applies_nothing(self):
        message = self.hand_in({"name": "Anna"})
        self.user.active = False
        self.apply_all()
        self.assert_dead(message, "configuration", "no_acting_user")

    # -- later ---------------------------------------------------------------------

    def test_a_transient_failure_is_tried_again(self):
        message = self.applied(
            {"name": "Anna"}, raising(Retryable("Locked", code="order_locked"))
        )
        self.assertRecordValues(
            message,
            [
                {
                    "state": "pending",
                    "attempt_count": 1,
                    "last_error_code": "order_locked",
                }
            ],
        )
        self.assertTrue(message.attempt_ids.next_attempt_at)
        self.handle_with(lambda self, data, message: None)
        self.make_due()
        self.apply_all()
        self.assertEqual(message.state, "done")
        self.assertEqual(message.attempt_ids.mapped("outcome"), ["failure", "success"])

    def test_a_handlers_wish_for_time_does_not_hold_its_neighbours(self):
        def handler(self, data, message):
            if data["name"] == "later":
                raise Retryable("Not yet", seconds=3600)

        self.handle_with(handler)
        waiting, other = self.hand_in({"name": "later"}), self.hand_in({"name": "now"})
        self.apply_all()
        self.assertEqual((waiting.state, other.state), ("pending", "done"))

    def test_a_conflict_with_other_work_is_repeated_at_once(self):
        tries = []

        def handler(self, data, message):
            tries.append(1)
            if len(tries) < 3:
                raise psycopg2.errors.SerializationFailure() from None
            return self.create({"name": data["name"]})

        with patch(
            "odoo.addons.healthcare_integration_base.engine.apply._is_conflict"
        ) as conflict:
            conflict.side_effect = lambda exc: isinstance(
                exc, psycopg2.OperationalError
            )
            message = self.applied({"name": "Anna"}, handler)
        self.assertEqual(
            (message.state, message.attempt_count, len(tries)), ("done", 1, 3)
        )

    def test_what_somebody_has_made_meanwhile_is_found_by_a_repeat(self):
        tries = []

        def handler(self, data, message):
            tries.append(1)
            if len(tries) < 2:
                self.env.cr.execute(
                    "INSERT INTO ir_config_parameter (key, value)"
                    " VALUES ('database.uuid', 'mine')"
                )
            return self.create({"name": data["name"]})

        with mute_logger("odoo.sql_db"):
            message = self.applied({"name": "Anna"}, handler)
        self.assertEqual(
            (message.state, message.attempt_count, len(tries)), ("done", 1, 2)
        )

    def test_lasting_conflicts_are_tried_again_later(self):
        message = self.applied(
            {"name": "Anna"}, raising(psycopg2.OperationalError("busy"))
        )
        self.assertRecordValues(
            message, [{"state": "pending", "last_error_code": "database_busy"}]
        )

    def test_a_missing_key_holds_the_message_and_charges_nothing(self):
        self.event_type.sensitivity = "phi"
        message = self.hand_in({"name": "Anna"})
        self.use_settings(encryption_key=None)
        self.apply_all()
        self.assertRecordValues(message, [{"state": "pending", "attempt_count": 0}])
        self.use_settings()
        self.make_due()
        self.apply_all()
        self.assertEqual(message.state, "done")

    # -- neighbours ----------------------------------------------------------------

    def test_a_poison_message_disturbs_none_of_its_neighbours(self):
        def handler(self, data, message):
            if data["name"] == "poison":
                self.env.cr.execute("SELECT 1/0")
            return self.create({"name": data["name"], "ref": "neighbour"})

        self.handle_with(handler)
        names = ["n1", "poison", "n2", "n3", "poison", "n4"]
        messages = [
            self.hand_in({"name": name}, str(i)) for i, name in enumerate(names)
        ]
        with mute_logger("odoo.sql_db", VERDICT):
            self.apply_all()
        states = [message.state for message in messages]
        self.assertEqual(states, ["done", "dead", "done", "done", "dead", "done"])
        applied = self.env["res.partner"].search([("ref", "=", "neighbour")])
        self.assertEqual(sorted(applied.mapped("name")), ["n1", "n2", "n3", "n4"])
        dead = messages[1] + messages[4]
        self.assertEqual(len(dead.exception_id), 1, "one case per cause")

    def test_a_message_that_kills_the_server_is_given_up_and_its_neighbours_are_not(
        self,
    ):
        killed = []

        def handler(self, data, message):
            if data["name"] == "killer":
                killed.append(1)
                raise SystemExit  # what is left of a process that was killed
            return self.create({"name": data["name"]})

        self.handle_with(handler)
        killer, neighbour = (
            self.hand_in({"name": "killer"}),
            self.hand_in({"name": "neighbour"}),
        )
        for _death in range(3):
            self.die_with(killer, killer + neighbour)
        self.assertEqual(neighbour.attempt_ids.mapped("outcome"), ["unknown"] * 3)
        self.apply_all()
        self.assertEqual(len(killed), 3)
        self.assertEqual(
            (killer.state, killer.last_error_code), ("dead", "stops_the_server")
        )
        self.assertEqual(neighbour.state, "done")

    def die_with(self, message, messages):
        """Claim messages, begin with one of them, and be killed on the way."""
        self.env.cr.execute(
            "UPDATE integration_queue_entry SET claim = 'dead drain' WHERE message_id = ANY(%s)",
            (messages.ids,),
        )
        claim = Claimed(
            message.id, self.endpoint.id, message.id, attempts=message.attempt_count
        )
        with self.one_connection():
            try:  # assertRaises would roll back what the dead one had committed
                apply.ApplyProcessor(self.env, "dead drain").apply(claim)
                self.fail("It was not begun")
            except SystemExit:
                self.env.cr.execute(
                    queue.free(queue.orphans(self.endpoint.ids, "next drain"))
                )
        self.env.invalidate_all()

    def test_failed_statements_are_logged_without_values(self):
        def handler(self, data, message):
            self.env.cr.execute("SELECT %s::int", [data["name"]])

        with (
            self.assertLogs("odoo", logging.INFO) as logs,
            patch.object(verdict._logger, "error"),
        ):
            self.applied({"name": "Anna Mueller"}, handler)
        self.assertNotIn("Anna Mueller", "\n".join(logs.output))

    def test_a_paused_endpoint_holds_and_releases_in_order(self):
        order = []
        self.handle_with(lambda self, data, message: order.append(data["name"]))
        self.endpoint.state = "paused"
        for name in ("1", "2", "3"):
            self.hand_in({"name": name})
        self.apply_all()
        self.assertFalse(order)
        self.endpoint.state = "active"
        self.apply_all()
        self.assertEqual(order, ["1", "2", "3"])

    def test_a_shadow_endpoint_reads_and_does_nothing(self):
        self.endpoint.state = "shadow"
        good, bad = self.hand_in({"name": "Anna"}, "1"), self.hand_in({"name": 5}, "2")
        self.apply_all()
        self.assertEqual((good.state, bad.state), ("shadow", "dead"))
        self.assertFalse(self.env["res.partner"].search([("name", "=", "Anna")]))
