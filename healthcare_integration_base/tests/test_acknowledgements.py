# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Delivered, acknowledged and posted are different: what partners say of our messages."""

import json

import psycopg2

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..engine import acknowledge
from .feed_common import AcknowledgementCase

UNKNOWN = "01934a5c-7c1e-7b6a-9d53-0d7f0c2f5c11"


@tagged("post_install", "-at_install")
class TestAcknowledgements(AcknowledgementCase):
    def test_accepted_then_posted(self):
        message = self.deliver()
        self.assertFalse(message.business_state)
        answer = self.state(message, "accepted", reference="SO-7")
        self.assertEqual(
            answer,
            {
                "uid": message.uid,
                "business_state": "accepted",
                "partner_reference": "SO-7",
                "applied": True,
                "repeated": False,
            },
        )
        self.state(message, "posted", occurred_at="2026-11-20T10:00:00+01:00")
        self.assertRecordValues(
            message,
            [
                {
                    "state": "delivered",
                    "business_state": "posted",
                    "partner_reference": "SO-7",
                    "acknowledged_at": fields.Datetime.to_datetime(
                        "2026-11-20 09:00:00"
                    ),
                }
            ],
        )
        self.assertEqual(
            message.acknowledgement_ids.mapped("status"), ["posted", "accepted"]
        )
        self.assertEqual(message.acknowledgement_ids.client_id, self.client)

    def test_the_same_said_twice_counts_once(self):
        message = self.deliver()
        body = {"reference": "SO-7", "occurred_at": "2026-11-20T10:00:00Z"}
        self.state(message, "accepted", **body)
        answer = self.state(message, "accepted", **body)
        self.assertTrue(answer["repeated"])
        self.assertEqual(len(message.acknowledgement_ids), 1)

    def test_accepted_after_posted_changes_nothing(self):
        message = self.deliver()
        self.state(message, "posted", reference="V1")
        answer = self.state(message, "accepted")
        self.assertEqual(
            (answer["business_state"], answer["applied"]), ("posted", False)
        )
        self.assertEqual(len(message.acknowledgement_ids), 2)

    def test_posted_under_another_reference_is_refused(self):
        message = self.deliver()
        self.state(message, "posted", reference="V1")
        response = self.post(message, {"status": "posted", "reference": "V2"})
        self.assert_problem(response, 409, "posted_otherwise")
        self.assertEqual(len(message.acknowledgement_ids), 1)
        self.assertEqual(message.partner_reference, "V1")

    def test_older_than_what_is_known_changes_nothing(self):
        message = self.deliver()
        self.state(message, "rejected", occurred_at="2026-11-20T10:00:00Z")
        answer = self.state(message, "accepted", occurred_at="2026-11-20T09:00:00Z")
        self.assertEqual(answer["business_state"], "rejected")

    def test_a_rejection_is_a_case_and_the_message_stays_delivered(self):
        partner = self.env["res.partner"].create({"name": "P00012"})
        message = self.deliver(
            res_model="res.partner", res_id=partner.id, res_name="P00012"
        )
        self.state(message, "rejected", reason="Unknown contract")
        case = self.cases("partner_rejected")
        self.assertEqual(case.name, "Contact P00012 rejected by Medline")
        self.assertEqual((case.category, case.state), ("rejected", "open"))
        self.assertEqual(case.message_line_ids, message)
        self.assertEqual(case.company_id, self.company)
        self.assertEqual(
            (message.state, message.business_state), ("delivered", "rejected")
        )
        self.assertEqual(message.acknowledgement_ids.reason, "Unknown contract")

    def test_two_rejections_of_a_document_are_one_case(self):
        values = {"res_model": "res.partner", "res_id": self.supplier.id}
        first, second = self.deliver(2, **values)
        self.state(first, "rejected")
        self.state(second, "rejected")
        case = self.cases("partner_rejected")
        self.assertEqual(len(case), 1)
        self.assertEqual(case.message_line_ids, first + second)

    def test_accepted_in_the_end_settles_the_case(self):
        message = self.deliver()
        self.state(message, "rejected")
        self.state(message, "accepted")
        self.assertEqual(self.cases("partner_rejected").state, "resolved")
        self.assertEqual(message.business_state, "accepted")

    def test_rejected_after_posted_says_so(self):
        message = self.deliver()
        self.state(message, "posted")
        self.state(message, "rejected")
        self.assertIn("after it was posted", self.cases("partner_rejected").name)
        self.assertEqual(message.business_state, "rejected")

    def test_what_was_not_sent_is_not_acknowledged(self):
        message = self.publish()
        response = self.post(message, {"status": "accepted"})
        self.assert_problem(response, 409, "not_delivered")
        self.items()
        self.state(message, "accepted")  # it has it, and has not said so yet

    def test_others_have_no_such_message(self):
        message = self.deliver()
        system = self.make_system(company_id=self.company.id)
        key = self.other_client(system=system, endpoints=self.feed.browse())
        for uid in (message.uid, UNKNOWN, "x", "%00", "9" * 3000):
            response = self.post(uid, {"status": "accepted"}, key=key)
            self.assertEqual(response.status_code, 404, uid[:40])
        self.assert_problem(
            self.post(message, {"status": "accepted"}, key=key), 404, "unknown_message"
        )
        self.assertFalse(message.acknowledgement_ids)

    def test_a_client_of_the_same_system_needs_no_endpoint(self):
        message = self.deliver()
        key = self.other_client(endpoints=self.feed.browse())
        response = self.post(message, {"status": "accepted"}, key=key)
        self.assertEqual(response.status_code, 200)

    def test_messages_of_another_company(self):
        shared = self.make_system(company_id=False)
        feed = self.make_feed("shared-feed", system_id=shared.id)
        foreign = self.publish(feed=feed, company_id=self.env.company.id)
        self.env.cr.execute("UPDATE integration_message SET attempt_count = 1")
        user = self.make_user(company=self.company)
        key = self.other_client(system=shared, endpoints=feed, user_id=user.id)
        response = self.post(foreign, {"status": "accepted"}, key=key)
        self.assert_problem(response, 404, "unknown_message")

    def test_incoming_messages_are_not_acknowledged(self):
        inbox = self.make_endpoint(direction="in", system_id=self.system.id)
        (message_id,) = self.env["integration.message"]._enqueue(
            [{"direction": "in", "endpoint_id": inbox.id}]
        )
        message = self.env["integration.message"].browse(message_id)
        response = self.post(message, {"status": "accepted"})
        self.assert_problem(response, 404, "unknown_message")

    def test_scope_and_types(self):
        message = self.deliver()
        scope = self.client.scope_ids.filtered(
            lambda one: one.scope == "acknowledgements:write"
        )
        scope.event_type_ids = self.make_event_type()
        response = self.post(message, {"status": "accepted"})
        self.assert_problem(response, 403, "event_type_not_allowed")
        scope.unlink()
        self.assertEqual(self.post(message, {"status": "accepted"}).status_code, 403)
        response = self.url_open(
            f"/integration/v1/messages/{message.uid}/acknowledgements",
            data=b"{}",
            headers={"Content-Type": "application/json"},
        )
        self.assert_problem(response, 401, "missing_credentials")

    def test_bodies_that_are_refused(self):
        message = self.deliver()
        bad = [
            {},
            {"status": "delivered"},
            {"status": None},
            {"status": ["accepted"]},
            {"status": "accepted", "reference": ""},
            {"status": "accepted", "reference": "x" * 256},
            {"status": "accepted", "reference": 7},
            {"status": "accepted", "reason": "x" * 2001},
            {"status": "accepted", "occurred_at": "yesterday"},
            {"status": "accepted", "occurred_at": "2026-11-20T10:00:00"},
            {"status": "accepted", "occurred_at": "2026-13-20T10:00:00Z"},
            {"status": "accepted", "occurred_at": "9999-12-31T23:59:59-23:59"},
            {"status": "accepted", "occurred_at": "0001-01-01T00:00:00+14:00"},
            {"status": "accepted", "occurred_at": "2126-11-20T10:00:00Z"},
            {"status": "accepted", "ref": "V1"},
        ]
        for body in bad:
            with self.subTest(str(body)[:60]):
                self.assert_problem(self.post(message, body), 422, "schema_violation")
        for body in (b"", b"{", b"[]", b"null", b'{"status": NaN}', b"\xfe"):
            with self.subTest(body):
                self.assertEqual(self.post(message, body).status_code, 400)
        nul = {"status": "accepted", "reason": "a\u0000"}
        self.assertEqual(self.post(message, nul).status_code, 400)
        big = {"status": "accepted", "reason": "x" * 70_000}
        self.assert_problem(self.post(message, big), 413, "body_too_large")
        self.assert_problem(
            self.post(message, b"{}", content_type="text/plain"),
            415,
            "unsupported_media_type",
        )
        self.assertFalse(message.acknowledgement_ids)
        self.assertFalse(message.business_state)

    def test_reasons_about_patients_are_withheld(self):
        self.event_type.sensitivity = "phi"
        message = self.deliver()
        self.state(message, "rejected", reason="Jane Doe is unknown")
        self.assertNotIn("Jane", message.acknowledgement_ids.reason)


@tagged("post_install", "-at_install")
class TestAcknowledgingDocuments(AcknowledgementCase):
    def say_of(self, record, status, **kwargs):
        return self.env["integration.acknowledgement"]._acknowledge_document(
            self.system, record, status, **kwargs
        )

    def test_the_newest_message_about_the_document(self):
        values = {"res_model": "res.partner", "res_id": self.supplier.id}
        old, new = self.deliver(2, **values)
        source = self.publish()
        said = self.say_of(self.supplier, "accepted", reference="SO-9", source=source)
        self.assertEqual(said.message_id, new)
        self.assertEqual(said.source_message_id, source)
        self.assertEqual(new.partner_reference, "SO-9")
        self.assertFalse(old.business_state)

    def test_only_messages_of_the_named_types(self):
        values = {"res_model": "res.partner", "res_id": self.supplier.id}
        wanted = self.deliver(**values)
        self.deliver(event_type=self.make_event_type(), **values)
        said = self.say_of(self.supplier, "rejected", codes=[self.event_type.code])
        self.assertEqual(said.message_id, wanted)
        self.assertTrue(self.cases("partner_rejected"))

    def test_nothing_was_sent(self):
        self.publish(res_model="res.partner", res_id=self.supplier.id)
        self.assertFalse(self.say_of(self.supplier, "accepted"))

    def test_another_system_says_nothing_of_it(self):
        self.deliver(res_model="res.partner", res_id=self.supplier.id)
        Acknowledgement = self.env["integration.acknowledgement"]
        other = self.make_system(company_id=self.company.id)
        self.assertFalse(
            Acknowledgement._acknowledge_document(other, self.supplier, "accepted")
        )

    def test_the_amount_of_the_document_is_at_stake(self):
        """A document without an amount has none; see the connector for one that has."""
        message = self.deliver(res_model="res.partner", res_id=self.supplier.id)
        self.assertEqual(acknowledge._amount(message), (None, None))


@tagged("post_install", "-at_install")
class TestAcknowledgementRights(AcknowledgementCase):
    def test_nobody_writes_over_rpc(self):
        message = self.deliver()
        self.state(message, "accepted")
        row = message.acknowledgement_ids
        for group in ("viewer", "operator", "administrator", "auditor"):
            user = self.make_user(group, company=self.company)
            Acknowledgement = self.env["integration.acknowledgement"].with_user(user)
            with self.subTest(group):
                values = {"message_id": message.id, "status": "posted"}
                with self.assertRaises(AccessError):
                    Acknowledgement.create(values)
                with self.assertRaises(AccessError):
                    row.with_user(user).write({"status": "posted"})
                with self.assertRaises(AccessError):
                    row.with_user(user).unlink()
                with self.assertRaises(AccessError):
                    message.with_user(user).write({"business_state": "posted"})

    def test_viewers_see_those_of_their_company(self):
        message = self.deliver()
        self.state(message, "accepted", reason="fine")
        row = message.acknowledgement_ids
        viewer = self.make_user("viewer", company=self.company)
        self.assertEqual(row.with_user(viewer).reason, "fine")
        stranger = self.make_user("viewer")
        domain = [("id", "=", row.id)]
        Acknowledgement = self.env["integration.acknowledgement"]
        self.assertFalse(Acknowledgement.with_user(stranger).search(domain))
        nobody = self.make_user(company=self.company)
        with self.assertRaises(AccessError):
            Acknowledgement.with_user(nobody).search(domain)

    def test_not_even_the_superuser_changes_a_row(self):
        message = self.deliver()
        self.state(message, "accepted")
        with self.assertRaises(AccessError):
            message.acknowledgement_ids.sudo().write({"status": "posted"})
        with (
            self.assertRaises(psycopg2.Error),
            mute_logger("odoo.sql_db"),
            self.env.cr.savepoint(),
        ):
            self.env.cr.execute(
                "UPDATE integration_acknowledgement SET status = 'posted'"
            )

    def test_a_deleted_client_leaves_the_row(self):
        message = self.deliver()
        self.state(message, "accepted")
        self.client.unlink()
        self.env.invalidate_all()
        self.assertFalse(message.acknowledgement_ids.client_id)

    def test_an_answer_quotes_nothing(self):
        message = self.deliver()
        body = {"status": "accepted", "reference": "SECRET" * 100}
        text = self.post(message, body).text
        self.assertNotIn("SECRETSECRET", text)
        self.assertIn("/reference", json.dumps(json.loads(text)["errors"]))
