# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Applying what came in: who does it, what becomes of it, and who is not disturbed."""

import logging
from unittest.mock import patch

import psycopg2

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..engine import apply, queue, verdict
from ..protocol.drain_types import Claimed
from ..protocol.errors import Configuration, Filtered, Rejected, Retryable
from .reception_common import CODE, InboxCase

VERDICT = "odoo.addons.healthcare_integration_base.engine.verdict"


def raising(exception):
    """Return a handler that writes something and then fails."""

    def handler(self, data, message):
        self.create({"name": "left behind"})
        raise exception

    return handler


@tagged("post_install", "-at_install")
class TestApplying(InboxCase):
    def applied(self, body, handler=None, **values):
        """Hand in and apply one message; return it."""
        if handler:
            self.handle_with(handler)
        message = self.hand_in(body, **values)
        self.apply_all()
        return message

    def assert_dead(self, message, error_class, code):
        self.assertRecordValues(
            message,
            [{"state": "dead", "last_error_class": error_class, "last_error_code": code}],
        )
        self.assertEqual(message.attempt_ids.mapped("outcome"), ["failure"])
        self.assertTrue(message.exception_id)
        self.assertEqual(self.queued(message), 0)
        self.assertFalse(self.env["res.partner"].search([("name", "=", "left behind")]))

    # -- done ----------------------------------------------------------------------

    def test_a_message_is_applied_once_and_linked_to_its_document(self):
        message = self.applied({"name": "Anna", "ref": "A-1"})
        partner = self.env["res.partner"].search([("ref", "=", "A-1")])
        self.assertRecordValues(
            message,
            [
                {
                    "state": "done",
                    "attempt_count": 1,
                    "res_model": "res.partner",
                    "res_id": partner.id,
                    "res_name": "Anna",
                    "last_error_code": False,
                }
            ],
        )
        self.assertTrue(message.finished_at)
        self.assertEqual(message.attempt_ids.mapped("outcome"), ["success"])
        self.assertEqual(self.queued(message), 0)
        self.apply_all()
        self.assertEqual(len(self.env["res.partner"].search([("ref", "=", "A-1")])), 1)

    def test_it_is_done_by_the_clients_user_in_its_company(self):
        seen = {}

        def handler(self, data, message):
            seen.update(uid=self.env.uid, su=self.env.su, company=self.env.companies.ids)
            seen.update(origin=self.env.context["integration_origin"], message=message.uid)
            seen.update(partner=message.endpoint_id.system_id.partner_id)

        message = self.applied({"name": "Anna"}, handler)
        self.assertEqual(message.state, "done")
        self.assertEqual(
            seen,
            {
                "uid": self.user.id,
                "su": False,
                "company": self.company.ids,
                "origin": self.system.id,
                "message": message.uid,
                "partner": self.supplier,
            },
        )

    def test_rights_of_the_user_count(self):
        self.user.group_ids = [Command.set(self.env.ref("base.group_user").ids)]
        self.assert_dead(self.applied({"name": "Anna"}), "business", "access_error")

    def test_a_handler_without_document_is_done_too(self):
        message = self.applied({"name": "Anna"}, lambda self, data, message: None)
        self.assertRecordValues(message, [{"state": "done", "res_model": False, "res_id": 0}])

    def test_a_filtered_message_keeps_its_reason(self):
        message = self.applied({"name": "Anna"}, raising(Filtered("Not for this site")))
        self.assertRecordValues(
            message, [{"state": "filtered", "filter_reason": "Not for this site"}]
        )
        self.assertFalse(message.exception_id)
        self.assertFalse(self.env["res.partner"].search([("name", "=", "left behind")]))

    # -- refused -------------------------------------------------------------------

    def test_deviations_from_the_schema_are_reported_on_the_message(self):
        message = self.applied({"name": 5, "ref": "X"})
        self.assert_dead(message, "schema", "schema_violation")
        self.assertEqual(message.schema_errors[0]["path"], "/name")

    def test_a_handlers_refusal_is_told(self):
        message = self.applied({"name": "Anna"}, raising(Rejected("No such order", code="no_order")))
        self.assert_dead(message, "business", "no_order")
        self.assertEqual(message.last_error, "No such order")

    def test_odoos_refusals_have_codes_of_their_own(self):
        for exception, code in (
            (UserError("Not now"), "user_error"),
            (ValidationError("Wrong"), "validation_error"),
            (AccessError("No"), "access_error"),
            (psycopg2.IntegrityError("dup"), "constraint_violation"),
        ):
            self.assert_dead(self.applied({"name": code}, raising(exception)), "business", code)

    def test_the_reason_quotes_no_value_of_the_payload(self):
        body = {"name": "Anna Mueller", "ref": "MRN-4711"}
        error = UserError("Anna Mueller (MRN-4711) is known already")
        message = self.applied(body, raising(error))
        self.assertEqual(message.last_error, "… (…) is known already")

    def test_of_protected_health_information_only_the_kind_is_kept(self):
        self.event_type.sensitivity = "phi"
        message = self.applied({"name": "Anna"}, raising(UserError("A patient of ward 7")))
        self.assertEqual(message.last_error, "Odoo refused it (UserError)")

    def test_a_handlers_bug_is_told_by_its_place_not_by_its_words(self):
        with self.assertLogs(VERDICT, logging.ERROR) as logs:
            message = self.applied({"name": "Anna"}, raising(KeyError("Anna")))
        self.assert_dead(message, "business", "handler_error")
        self.assertIn("KeyError at test_applying.py", message.last_error)
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
        message = self.applied({"name": "Anna"}, raising(Retryable("Locked", code="order_locked")))
        self.assertRecordValues(
            message,
            [{"state": "pending", "attempt_count": 1, "last_error_code": "order_locked"}],
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

        with patch("odoo.addons.healthcare_integration_base.engine.apply._is_conflict") as conflict:
            conflict.side_effect = lambda exc: isinstance(exc, psycopg2.OperationalError)
            message = self.applied({"name": "Anna"}, handler)
        self.assertEqual((message.state, message.attempt_count, len(tries)), ("done", 1, 3))

    def test_lasting_conflicts_are_tried_again_later(self):
        message = self.applied({"name": "Anna"}, raising(psycopg2.OperationalError("busy")))
        self.assertRecordValues(message, [{"state": "pending", "last_error_code": "database_busy"}])

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
        messages = [self.hand_in({"name": name}, str(i)) for i, name in enumerate(names)]
        with mute_logger("odoo.sql_db", VERDICT):
            self.apply_all()
        states = [message.state for message in messages]
        self.assertEqual(states, ["done", "dead", "done", "done", "dead", "done"])
        applied = self.env["res.partner"].search([("ref", "=", "neighbour")])
        self.assertEqual(sorted(applied.mapped("name")), ["n1", "n2", "n3", "n4"])
        dead = messages[1] + messages[4]
        self.assertEqual(len(dead.exception_id), 1, "one case per cause")

    def test_a_message_that_kills_the_server_is_given_up_and_its_neighbours_are_not(self):
        killed = []

        def handler(self, data, message):
            if data["name"] == "killer":
                killed.append(1)
                raise SystemExit  # what is left of a process that was killed
            return self.create({"name": data["name"]})

        self.handle_with(handler)
        killer, neighbour = self.hand_in({"name": "killer"}), self.hand_in({"name": "neighbour"})
        for _death in range(3):
            self.die_with(killer, killer + neighbour)
        self.assertEqual(neighbour.attempt_ids.mapped("outcome"), ["unknown"] * 3)
        self.apply_all()
        self.assertEqual(len(killed), 3)
        self.assertEqual((killer.state, killer.last_error_code), ("dead", "stops_the_server"))
        self.assertEqual(neighbour.state, "done")

    def die_with(self, message, messages):
        """Claim messages, begin with one of them, and be killed on the way."""
        self.env.cr.execute(
            "UPDATE integration_queue_entry SET claim = 'dead drain' WHERE message_id = ANY(%s)",
            (messages.ids,),
        )
        claim = Claimed(message.id, self.endpoint.id, message.id, attempts=message.attempt_count)
        with self.one_connection():
            try:  # assertRaises would roll back what the dead one had committed
                apply.ApplyProcessor(self.env, "dead drain").apply(claim)
                self.fail("It was not begun")
            except SystemExit:
                self.env.cr.execute(queue.free(queue.orphans(self.endpoint.ids, "next drain")))
        self.env.invalidate_all()

    def test_failed_statements_are_logged_without_values(self):
        def handler(self, data, message):
            self.env.cr.execute("SELECT %s::int", [data["name"]])

        with self.assertLogs("odoo", logging.INFO) as logs, patch.object(verdict._logger, "error"):
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

    # -- afterwards ----------------------------------------------------------------

    def make_target(self):
        """Return an outgoing endpoint of another system in the client's company."""
        system = self.make_system(company_id=self.company.id)
        return self.make_endpoint(system_id=system.id, state="active")

    def test_others_may_subscribe_to_what_came_in(self):
        target = self.make_target()
        self.make_subscription(target, self.event_type)
        message = self.applied({"name": "Anna"})
        event = self.env["integration.event"].search([("type_id", "=", self.event_type.id)])
        self.assertRecordValues(
            event,
            [
                {
                    "res_model": "res.partner",
                    "res_id": message.res_id,
                    "origin_system_id": self.system.id,
                    "causation_uid": message.uid,
                    "data": '{"name":"Anna"}',
                }
            ],
        )
        self.assertEqual(event.message_ids.endpoint_id, target)

    def test_it_is_not_echoed_to_the_system_it_came_from(self):
        echo = self.make_endpoint(system_id=self.system.id, state="active")
        other = self.make_target()
        self.make_subscription(echo, self.event_type)
        self.make_subscription(other, self.event_type)
        self.assertEqual(self.applied({"name": "Anna"}).state, "done")
        outgoing = self.env["integration.message"].search([("direction", "=", "out")])
        self.assertEqual(outgoing.endpoint_id, other)

    def test_what_failed_publishes_nothing(self):
        self.make_subscription(self.make_target(), self.event_type)
        self.applied({"name": "Anna"}, raising(UserError("no")))
        self.assertFalse(self.env["integration.event"].search([("type_id.code", "=", CODE)]))

    # -- mapping -------------------------------------------------------------------

    def make_mapping(self, expression, **values):
        mapping = self.env["integration.mapping"].create(
            {
                "name": "Theirs",
                "direction": "in",
                "event_type_id": self.event_type.id,
                "kind": "jsonata",
                "expression_text": expression,
                **values,
            }
        )
        self.env.cr.execute(
            "UPDATE integration_mapping SET state = 'active' WHERE id = %s", mapping.ids
        )
        mapping.invalidate_recordset()
        self.endpoint.mapping_id = mapping
        return mapping

    def test_a_mapping_makes_the_canonical_form(self):
        mapping = self.make_mapping('{"name": contact.full, "ref": event.id}')
        message = self.applied({"contact": {"full": "Anna"}})
        self.assertRecordValues(
            message,
            [{"state": "done", "mapping_id": mapping.id, "mapping_version": 1, "res_name": "Anna"}],
        )

    def test_the_schema_is_that_of_the_canonical_form(self):
        self.make_mapping('{"name": contact.number}')
        self.assert_dead(self.applied({"contact": {"number": 5}}), "schema", "schema_violation")

    def test_a_mapping_that_fails_on_one_message_leaves_its_neighbours_alone(self):
        self.make_mapping('{"name": $uppercase(contact.full)}')
        bad = self.hand_in({"contact": {"full": 5}}, "1")
        good = self.hand_in({"contact": {"full": "Anna"}}, "2")
        self.apply_all()
        self.assertEqual((bad.state, bad.last_error_class), ("dead", "mapping"))
        self.assertEqual((good.state, good.res_name), ("done", "ANNA"))

    # -- again ---------------------------------------------------------------------

    def test_a_replay_applies_the_same_bytes_anew(self):
        body = b'{"name":   "Anna"}'
        self.handle_with(raising(Configuration("Not set up", code="not_set_up")))
        message = self.hand_in(body, "m-1")
        self.apply_all()
        self.assert_dead(message, "configuration", "not_set_up")
        case = message.exception_id
        self.handle_with(lambda self, data, message: self.create({"name": data["name"]}))
        message.action_replay()
        replay = self.env["integration.message"].search([("replay_of_id", "=", message.id)])
        self.assertNotEqual(replay.uid, message.uid)
        self.assertEqual(self.stored_body(replay), body)
        self.assertEqual(replay.client_id, self.client)
        self.apply_all()
        self.assertEqual((message.state, message.superseded), ("dead", True))
        self.assertRecordValues(replay, [{"state": "done", "res_name": "Anna"}])
        self.assertEqual(case.state, "resolved")

    def test_a_retry_applies_the_same_message_again(self):
        message = self.applied({"name": "Anna"}, raising(UserError("no")))
        self.handle_with(lambda self, data, message: self.create({"name": data["name"]}))
        message.action_retry()
        self.apply_all()
        self.assertRecordValues(message, [{"state": "done", "attempt_count": 2}])
        self.assertEqual(message.attempt_ids.mapped("trigger"), ["automatic", "manual"])


@tagged("post_install", "-at_install")
class TestOrderOfIncoming(InboxCase):
    def hand_in_event(self, number, key):
        body = {
            "specversion": "1.0",
            "id": f"e{number}",
            "source": "s",
            "type": CODE,
            "partitionkey": key,
            "data": {"name": f"{key}{number}"},
        }
        return self.hand_in(body, content_type="application/cloudevents+json")

    def test_a_refused_message_stops_its_key_and_no_other(self):
        done = []

        def handler(self, data, message):
            if data["name"] == "a1":
                raise UserError("no")
            done.append(data["name"])

        self.handle_with(handler)
        messages = [self.hand_in_event(n, key) for n, key in enumerate("aabab")]
        self.apply_all()
        self.assertEqual(sorted(done), ["a0", "b2", "b4"])
        self.assertEqual([m.state for m in messages], ["done", "dead", "done", "pending", "done"])
        messages[1].action_skip()
        self.apply_all()
        self.assertEqual(done[-1], "a3")
