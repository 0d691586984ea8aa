# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""One endpoint, several kinds of messages: routes by content."""

import json

from odoo import Command
from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .reception_common import CODE, HANDLER, InboxCase, ReceptionCase

LEAD = "partner.lead.announced"


class RoutingCase(InboxCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lead = cls.make_event_type(
            code=LEAD,
            direction="in",
            schema_text=json.dumps({"type": "object"}),
            handler_model="res.partner",
            handler_method=HANDLER,
        )
        cls.endpoint.event_type_id = False

    def add_route(self, condition="equals", event_type=None, **values):
        return self.env["integration.endpoint.route"].create(
            {
                "endpoint_id": self.endpoint.id,
                "condition": condition,
                "event_type_id": (event_type or self.event_type).id,
                **values,
            }
        )

    def routes_by_kind(self):
        self.add_route(path="kind", value="contact")
        self.add_route(event_type=self.lead, path="kind", value="lead\nprospect")


@tagged("post_install", "-at_install")
class TestRouting(RoutingCase, ReceptionCase):
    def test_the_content_says_what_a_message_is(self):
        self.routes_by_kind()
        for kind in ("contact", "prospect"):
            self.assert_accepted(self.post({"kind": kind, "name": kind}))
        messages = self.messages()
        self.assertEqual(messages.event_type_id, self.event_type + self.lead)
        self.assertEqual(messages.mapped("route_id"), self.endpoint.route_ids)
        self.apply_all()
        self.assertEqual(set(self.messages().mapped("state")), {"done"})

    def test_the_first_route_that_fits_decides(self):
        self.add_route("exists", self.lead, path="name", sequence=2)
        self.add_route("always", sequence=1)
        self.post({"name": "A"})
        self.assertEqual(self.messages().event_type_id, self.event_type)

    def test_an_unroutable_message_is_refused(self):
        self.routes_by_kind()
        self.assert_problem(self.post({"name": "A"}), 400, "unroutable")
        self.assertFalse(self.messages())

    def test_an_unroutable_message_may_be_kept_for_people(self):
        self.routes_by_kind()
        self.endpoint.unroutable = "keep"
        uid = self.assert_accepted(self.post({"name": "A"}))
        self.apply_all()
        message = self.messages()
        self.assert_dead(message, "business", "unroutable")
        answer = self.ask(uid).json()
        self.assertEqual(answer["error"]["code"], "unroutable")
        self.assertNotIn("type", answer)

    def test_a_kept_message_goes_its_way_when_there_is_one(self):
        self.routes_by_kind()
        self.endpoint.unroutable = "keep"
        self.post({"name": "A"})
        self.apply_all()
        self.add_route("always", self.lead, sequence=99)
        self.messages()._replay("a route was added")
        self.apply_all()
        replay = self.messages()[-1]
        self.assertEqual((replay.state, replay.event_type_id), ("done", self.lead))
        self.assertEqual(replay.route_id, self.endpoint.route_ids[-1])

    def test_what_no_route_takes_is_what_it_says_or_the_default(self):
        self.add_route(event_type=self.lead, path="kind", value="lead")
        self.endpoint.event_type_id = self.event_type
        self.assert_accepted(self.post({"name": "A"}))
        self.assertEqual(self.messages().event_type_id, self.event_type)
        self.assertFalse(self.messages().route_id)

    def test_an_expression_decides_when_the_message_is_applied(self):
        self.add_route("jsonata", self.lead, expression="$count(tags) > 1")
        self.add_route("always", sequence=20)
        self.assert_accepted(self.post({"name": "A", "tags": [1, 2]}))
        self.assert_accepted(self.post({"name": "B", "tags": [1]}))
        self.assertFalse(self.messages().event_type_id)
        self.apply_all()
        self.assertEqual(self.messages().mapped("state"), ["done", "done"])
        self.assertEqual(
            self.messages().mapped(lambda one: one.event_type_id.code), [LEAD, CODE]
        )

    def test_an_expression_that_fails_makes_a_case(self):
        self.add_route("jsonata", self.lead, expression="$number(name) > 1")
        self.post({"name": "secret-name"})
        self.apply_all()
        message = self.messages()
        self.assertEqual((message.state, message.last_error_class), ("dead", "mapping"))
        self.assertNotIn("secret-name", message.last_error)

    def test_what_may_be_protected_is_protected_until_it_is_decided(self):
        self.lead.sensitivity = "phi"
        self.add_route("jsonata", self.lead, expression="kind = 'x'")
        self.add_route("always", sequence=20)
        self.post({"name": "Jane"})
        self.assertNotIn(b"Jane", self.raw_body(self.messages()))
        self.apply_all()
        self.assertEqual(self.messages().state, "done")

    def test_each_route_has_its_own_mapping(self):
        mapping = self.make_mapping(
            '{"name": "mapped " & who}',
            direction="in",
            event_type_id=self.event_type.id,
            system_id=self.system.id,
        )
        mapping._integration_transition({"state": "active"})
        self.add_route(path="kind", value="mapped", mapping_id=mapping.id)
        self.add_route("always", sequence=20)
        self.post({"kind": "mapped", "who": "Ann"})
        self.post({"kind": "plain", "name": "Bo"})
        self.apply_all()
        self.assertEqual(self.messages().mapped("res_name"), ["mapped Ann", "Bo"])
        self.assertEqual(self.messages()[0].mapping_id, mapping)

    def test_attributes_of_an_event_route_as_well(self):
        self.add_route(event_type=self.lead, path="$event.type", value="their.own.type")
        document = {
            "specversion": "1.0",
            "id": "1",
            "source": "s",
            "type": "their.own.type",
            "data": {"name": "A"},
        }
        body = json.dumps(document).encode()
        self.assert_accepted(
            self.post(body, content_type="application/cloudevents+json")
        )
        self.assertEqual(self.messages().event_type_id, self.lead)

    def test_a_client_may_be_kept_from_types_an_expression_finds(self):
        self.add_route("jsonata", self.lead, expression="true")
        scope = self.client.scope_ids.filtered(
            lambda one: one.scope == "messages:write"
        )
        scope.event_type_ids = self.event_type
        self.post({"name": "A"})
        self.apply_all()
        self.assert_dead(self.messages(), "business", "event_type_not_allowed")

    def test_order_and_time_are_read_where_the_endpoint_says(self):
        self.add_route("always")
        self.endpoint.write({"ordering_path": "ref", "time_path": "sent"})
        seen = []

        def handler(records, data, message):
            seen.append(records.env.context["integration_occurred_at"])
            return records.create({"name": data["name"]})

        self.handle_with(handler)
        self.post({"name": "A", "ref": "k-1", "sent": "2026-11-20T12:00:00+02:00"})
        self.post({"name": "B", "ref": {"no": "key"}, "sent": "soon"})
        self.assertEqual(self.messages().mapped("ordering_key"), ["k-1", False])
        self.apply_all()
        self.assertEqual(seen, ["2026-11-20T10:00:00Z", None])

    def test_without_a_path_an_event_says_when_it_happened(self):
        self.add_route("always")
        seen = []

        def handler(records, data, message):
            seen.append(records.env.context["integration_occurred_at"])
            return records.create({"name": data["name"]})

        self.handle_with(handler)
        document = {
            "specversion": "1.0",
            "id": "1",
            "source": "s",
            "type": CODE,
            "time": "2026-11-20T10:00:00.5Z",
            "partitionkey": "p-1",
            "data": {"name": "A"},
        }
        body = json.dumps(document).encode()
        self.post(body, content_type="application/cloudevents+json")
        self.assertEqual(self.messages().ordering_key, "p-1")
        self.apply_all()
        self.assertEqual(seen, ["2026-11-20T10:00:00.500000Z"])

    def test_a_key_waits_for_its_older_message_and_a_dead_one_stops_only_its_key(self):
        self.add_route("always")
        self.endpoint.ordering_path = "ref"
        self.post({"name": 7, "ref": "k-1"})  # breaks the schema
        self.post({"name": "B", "ref": "k-1"})
        self.post({"name": "C", "ref": "k-2"})
        self.apply_all()
        self.assertEqual(self.messages().mapped("state"), ["dead", "pending", "done"])

    def test_changes_of_routes_count_at_once(self):
        self.routes_by_kind()
        self.assert_problem(self.post({"kind": "new", "name": "A"}), 400, "unroutable")
        self.endpoint.route_ids[0].value = "new"
        self.assert_accepted(self.post({"kind": "new", "name": "A"}))
        self.endpoint.route_ids[0].active = False
        self.assert_problem(self.post({"kind": "new", "name": "B"}), 400, "unroutable")


@tagged("post_install", "-at_install")
class TestRouteForm(RoutingCase):
    def test_what_cannot_be_decided_is_refused_in_the_form(self):
        for values in (
            {"path": "", "value": "x"},
            {"path": "a..b", "value": "x"},
            {"path": "a", "value": ""},
            {"condition": "matches", "path": "a", "value": "(a+)+$"},
            {"condition": "matches", "path": "a", "value": "("},
            {"condition": "content_type", "value": ""},
            {"condition": "jsonata", "expression": ""},
            {"condition": "jsonata", "expression": "$sum("},
        ):
            with self.subTest(values=values), self.assertRaises(ValidationError):
                self.add_route(**values)

    def test_a_route_leads_to_incoming_types_and_their_mappings(self):
        outgoing = self.make_event_type()
        with self.assertRaisesRegex(ValidationError, "incoming"):
            self.add_route("always", outgoing)

    def test_bad_paths_of_an_endpoint_are_refused(self):
        for name in ("ordering_path", "time_path"):
            with self.assertRaisesRegex(ValidationError, self.endpoint.name):
                self.endpoint[name] = "a["

    def test_a_copy_of_an_endpoint_has_its_routes(self):
        self.routes_by_kind()
        copied = self.endpoint.copy()
        self.assertEqual(len(copied.route_ids), 2)
        self.assertEqual(copied.state, "draft")

    def test_only_administrators_change_routes(self):
        self.add_route("always")
        viewer = self.make_user("viewer", company=self.company)
        self.assertTrue(self.endpoint.route_ids.with_user(viewer).mapped("condition"))
        administrator = self.make_user("administrator", company=self.company)
        self.endpoint.with_user(administrator).route_ids = [
            Command.update(self.endpoint.route_ids.id, {"sequence": 5})
        ]
        self.assertEqual(self.endpoint.route_ids.sequence, 5)
