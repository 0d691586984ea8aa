# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Applying what came in: who does it, what becomes of it, what follows."""

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from ..protocol.errors import Configuration, Filtered, Rejected
from .reception_common import CODE, InboxCase, raising


@tagged("post_install", "-at_install")
class TestApplying(InboxCase):
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
            seen.update(
                uid=self.env.uid, su=self.env.su, company=self.env.companies.ids
            )
            seen.update(
                origin=self.env.context["integration_origin"], message=message.uid
            )
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
        self.assertRecordValues(
            message, [{"state": "done", "res_model": False, "res_id": 0}]
        )

    def test_a_filtered_message_keeps_its_reason(self):
        message = self.applied({"name": "Anna"}, raising(Filtered("Not for this site")))
        self.assertRecordValues(
            message, [{"state": "filtered", "filter_reason": "Not for this site"}]
        )
        self.assertFalse(message.exception_id)
        self.assertFalse(self.env["res.partner"].search([("name", "=", "left behind")]))

    # -- afterwards ----------------------------------------------------------------

    def make_target(self):
        """Return an outgoing endpoint of another system in the client's company."""
        system = self.make_system(company_id=self.company.id)
        return self.make_endpoint(system_id=system.id, state="active")

    def test_others_may_subscribe_to_what_came_in(self):
        target = self.make_target()
        self.make_subscription(target, self.event_type)
        message = self.applied({"name": "Anna"})
        event = self.env["integration.event"].search(
            [("type_id", "=", self.event_type.id)]
        )
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
        self.assertFalse(
            self.env["integration.event"].search([("type_id.code", "=", CODE)])
        )

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
            [
                {
                    "state": "done",
                    "mapping_id": mapping.id,
                    "mapping_version": 1,
                    "res_name": "Anna",
                }
            ],
        )

    def test_the_schema_is_that_of_the_canonical_form(self):
        self.make_mapping('{"name": contact.number}')
        self.assert_dead(
            self.applied({"contact": {"number": 5}}), "schema", "schema_violation"
        )

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
        self.handle_with(
            lambda self, data, message: self.create({"name": data["name"]})
        )
        message.action_replay()
        replay = self.env["integration.message"].search(
            [("replay_of_id", "=", message.id)]
        )
        self.assertNotEqual(replay.uid, message.uid)
        self.assertEqual(self.stored_body(replay), body)
        self.assertEqual(replay.client_id, self.client)
        self.apply_all()
        self.assertEqual((message.state, message.superseded), ("dead", True))
        self.assertRecordValues(replay, [{"state": "done", "res_name": "Anna"}])
        self.assertEqual(case.state, "resolved")

    def test_a_retry_applies_the_same_message_again(self):
        message = self.applied({"name": "Anna"}, raising(UserError("no")))
        self.handle_with(
            lambda self, data, message: self.create({"name": data["name"]})
        )
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
                raise Rejected("no")
            done.append(data["name"])

        self.handle_with(handler)
        messages = [self.hand_in_event(n, key) for n, key in enumerate("aabab")]
        self.apply_all()
        self.assertEqual(sorted(done), ["a0", "b2", "b4"])
        self.assertEqual(
            [m.state for m in messages], ["done", "dead", "done", "pending", "done"]
        )
        messages[1].action_skip()
        self.apply_all()
        self.assertEqual(done[-1], "a3")
