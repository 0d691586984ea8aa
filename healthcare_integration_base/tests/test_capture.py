# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""From a business method to the rows of the outbox."""

import json
from unittest.mock import patch

from psycopg2 import errors

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..engine import wake
from .delivery_case import CODE, DOCUMENT, DocumentCase

LOG = "odoo.addons.healthcare_integration_base.engine.capture"


@tagged("post_install", "-at_install")
class TestCaptureCost(DocumentCase):
    def cost_of_releasing(self, count):
        documents = self.make_documents(count)
        documents.action_release()  # fills caches; the next transaction is what counts
        self.commit_hooks()
        documents._integration_emit(CODE)
        with self.count_statements() as found:
            self.env.cr.flush()
        return found[0]

    def test_nothing_where_nobody_subscribes(self):
        documents = self.make_documents(10)
        documents._integration_emit(CODE)
        self.env.cr.flush()
        with self.count_statements() as found:
            documents._integration_emit(CODE)
            self.env.cr.flush()
        self.assertEqual(found, [0])
        self.assertFalse(self.env["integration.event"].search([]))

    def test_as_many_statements_for_100_records_as_for_10(self):
        for _endpoint in range(3):
            self.make_outbox(
                self.event_type, subscription={"domain": "[('amount', '<', 5)]"}
            )
        ten, hundred = self.cost_of_releasing(10), self.cost_of_releasing(100)
        self.assertEqual(ten, hundred)
        self.assertLessEqual(hundred, 8)
        self.assertEqual(len(self.messages()), 3 * 2 * 110)

    def test_one_by_one_costs_as_much_as_all_at_once(self):
        """Odoo confirms orders in a loop."""
        self.make_outbox(self.event_type)
        documents = self.make_documents(50)
        for document in documents:
            document._integration_emit(CODE)
        with self.count_statements() as found:
            self.env.cr.flush()
        self.assertLessEqual(found[0], 8)
        self.assertEqual(self.env["integration.event"].search_count([]), 50)

    def test_wake_up_is_one_callback_and_no_statement(self):
        drain = self.env["integration.drain"]
        with self.count_statements() as found:
            before = len(self.env.cr.postcommit._funcs)
            for lane in ("out", "in", "out"):
                drain._wake({lane})
            added = len(self.env.cr.postcommit._funcs) - before
        self.assertEqual((found, added), ([0], 1))
        trap = self.commit_hooks()
        trap.assert_jobs_count(2)
        keys = {job.identity_key for job in trap.enqueued_jobs}
        self.assertEqual(keys, {"integration.drain.in", "integration.drain.out"})

    def test_ringing_in_a_test_leaves_no_thread_behind(self):
        # it would look when this test is over, upon the cursor of another one
        with patch.object(wake.Bell, "ring") as rung:
            wake.ring(self.env, {"in"})
        rung.assert_not_called()
        self.commit_hooks().assert_jobs_count(1)


@tagged("post_install", "-at_install")
class TestCapture(DocumentCase):
    def events(self):
        return self.env["integration.event"].search([], order="id")

    def data_of(self, event):
        return json.loads(event.sudo()._data_text())

    def test_event_and_messages_are_written(self):
        first, second = (
            self.make_outbox(self.event_type),
            self.make_outbox(self.event_type),
        )
        document = self.release()
        event = self.events()
        self.assertEqual((event.res_model, event.res_id), (DOCUMENT, document.id))
        self.assertEqual((event.res_name, event.user_id), ("D000", self.env.user))
        self.assertEqual(event.type_id, self.event_type)
        self.assertFalse(event.error)
        self.assertEqual(event.correlation_uid, event.uid)
        messages = self.messages()
        self.assertEqual(messages.endpoint_id, first | second)
        self.assertEqual(set(messages.mapped("state")), {"pending"})
        self.assertEqual(
            set(messages.mapped("ordering_key")), {f"{DOCUMENT},{document.id}"}
        )
        entries = self.entries()
        self.assertEqual({entry["message_id"] for entry in entries}, set(messages.ids))
        self.assertEqual({entry["seq"] for entry in entries}, {event.id})

    def test_payload_is_built_as_superuser_of_the_company_in_english_and_utc(self):
        company = self.env["res.company"].create({"name": "Clinic Two"})
        self.make_outbox(
            self.event_type, system_id=self.make_system(company_id=company.id).id
        )
        document = self.make_documents(company_id=company.id)
        user = self.make_user(company=company)
        user.write({"tz": "Asia/Tokyo"})
        document.with_user(user).with_context(lang="de_DE").sudo(
            False
        )._integration_emit(CODE)
        self.commit_hooks()
        event = self.events()
        self.assertEqual(self.data_of(event)["seen_by"], "1 Clinic Two en_US UTC")
        self.assertEqual(event.user_id, user)
        self.assertEqual(event.company_id, company)

    def test_repeated_emission_is_one_event_with_the_last_state(self):
        self.make_outbox(self.event_type)
        document = self.make_documents()
        document.action_release()
        with self.env.cr.savepoint():  # opening it writes what was emitted so far
            document.write({"amount": 5})
            document._integration_emit(CODE)
        document.write({"amount": 7})
        document._integration_emit(CODE)
        self.commit_hooks()
        self.assertEqual(self.data_of(self.events())["amount"], "7.0")
        self.assertEqual(len(self.messages()), 1)
        document._integration_emit(CODE)  # the next transaction
        self.commit_hooks()
        self.assertEqual(len(self.events()), 2)

    def test_rolled_back_savepoint_leaves_nothing(self):
        """Scenario 40, within a transaction."""
        self.make_outbox(self.event_type)
        kept, undone = self.make_documents(2)
        kept.action_release()
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            undone.action_release()
            self.env.cr.flush()
            raise ZeroDivisionError
        self.commit_hooks()
        self.assertEqual(self.events().mapped("res_id"), kept.ids)

    def test_record_undone_by_a_savepoint_that_clears_nothing_makes_no_ghost(self):
        self.make_outbox(self.event_type)
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint(flush=False):
            self.make_documents().action_release()
            raise ZeroDivisionError
        self.env.invalidate_all(flush=False)
        self.commit_hooks()
        self.assertFalse(self.events())

    def test_failing_payload_aborts_nobody(self):
        """The event is stored with its error, its neighbours with their payloads."""
        self.make_outbox(self.event_type)
        documents = self.make_documents(2)
        for name in ("fail", "sql", "silent"):
            documents |= self.make_documents(name=name)
        with self.assertLogs(LOG, "ERROR") as logs, mute_logger("odoo.sql_db"):
            self.release(documents)
        self.assertNotIn("Jane", "".join(logs.output))
        self.assertEqual(set(documents.mapped("state")), {"released"})
        errors_by_name = {event.res_name or "?": event.error for event in self.events()}
        self.assertFalse(errors_by_name["D000"] or errors_by_name["D001"])
        self.assertEqual(len(self.events().filtered("error")), 3)
        self.assertEqual(
            set(self.events().filtered("error").mapped("error")),
            {"payload_failed", "payload_missing"},
        )
        self.assertEqual(len(self.messages()), 5)

    def test_serialization_failure_is_let_through(self):
        """Odoo repeats the whole transaction then; swallowing it would lose the event."""
        self.make_outbox(self.event_type)
        document = self.make_documents()
        document._integration_emit(CODE)
        failure = patch.object(
            self.registry[DOCUMENT],
            "_integration_payload",
            side_effect=errors.SerializationFailure,
        )
        with failure:
            try:  # assertRaises would flush on its own
                self.env.cr.flush()
            except errors.SerializationFailure:
                return
        self.fail("The failure was swallowed")

    def test_filter_decides_by_the_final_state(self):
        self.make_outbox(
            self.event_type, subscription={"domain": "[('amount', '>', 10)]"}
        )
        small, big = self.make_documents(), self.make_documents(amount=50)
        (small | big).action_release()
        self.env.cr.flush()
        self.assertEqual(self.messages().mapped("res_id"), big.ids)
        (small | big).write({"amount": 5})
        (small | big)._integration_emit(CODE)
        self.commit_hooks()
        self.assertFalse(self.messages())
        self.assertEqual(len(self.events()), 2)

    def test_companies_see_their_own_and_what_is_shared(self):
        companies = self.env["res.company"].create([{"name": "A"}, {"name": "B"}])
        endpoints = {
            company: self.make_outbox(
                self.event_type, system_id=self.make_system(company_id=company.id).id
            )
            for company in companies
        }
        everybody = self.make_outbox(
            self.event_type, system_id=self.make_system(company_id=False).id
        )
        own = self.release(self.make_documents(company_id=companies[0].id))
        shared = self.release(self.make_documents(company_id=False))
        by_endpoint = {
            e: self.messages(endpoint_id=e.id).mapped("res_id") for e in everybody
        }
        self.assertEqual(by_endpoint[everybody], [own.id, shared.id])
        found = self.messages(endpoint_id=endpoints[companies[0]].id).mapped("res_id")
        self.assertEqual(found, [own.id, shared.id])
        found = self.messages(endpoint_id=endpoints[companies[1]].id).mapped("res_id")
        self.assertEqual(found, [shared.id])

    def test_change_is_not_echoed_to_the_system_it_came_from(self):
        source, other = (
            self.make_outbox(self.event_type),
            self.make_outbox(self.event_type),
        )
        document = self.make_documents()
        document.with_context(integration_origin=source.system_id.id)._integration_emit(
            CODE
        )
        self.commit_hooks()
        self.assertEqual(self.messages().endpoint_id, other)
        self.assertEqual(self.events().origin_system_id, source.system_id)

    def test_silenced(self):
        self.make_outbox(self.event_type)
        document = self.make_documents().with_context(integration_no_event=True)
        self.assertFalse(document._integration_wanted(CODE))
        document.action_release()
        self.commit_hooks()
        self.assertFalse(self.events())

    def test_states_of_endpoints(self):
        """Drafts get nothing; what is paused, tested or disabled holds messages."""
        for state in ("draft", "test", "shadow", "active"):
            self.make_outbox(self.event_type, state=state, code=f"in-{state}")
        paused = self.make_outbox(self.event_type, code="in-paused")
        paused._transition("paused")
        disabled = self.make_outbox(self.event_type, code="in-disabled")
        disabled._transition("disabled")
        archived = self.make_outbox(self.event_type, code="in-archive")
        archived.active = False
        self.release()
        codes = set(self.messages().endpoint_id.mapped("code"))
        self.assertEqual(
            codes, {"in-test", "in-shadow", "in-active", "in-paused", "in-disabled"}
        )

    def test_kept_without_subscriber(self):
        self.event_type.keep_without_subscriber = True
        self.release()
        self.assertEqual(len(self.events()), 1)
        self.assertFalse(self.messages())

    def test_subscription_takes_effect_at_once_and_ends_at_once(self):
        document = self.release()
        endpoint = self.make_outbox(self.event_type)
        self.release(document)
        self.assertEqual(len(self.messages()), 1)
        endpoint.subscription_ids.active = False
        self.release(document)
        self.assertEqual(len(self.messages()), 1)

    def test_cache_is_cleared_again_after_the_commit(self):
        """A thread that filled it in between must not keep the old state."""
        self.make_outbox(self.event_type)
        stale = patch.object(
            self.registry["integration.subscription"],
            "_capture_plan",
            return_value=None,
        )
        with stale:
            self.assertFalse(self.env[DOCUMENT]._integration_wanted(CODE))
        self.assertFalse(self.env[DOCUMENT]._integration_wanted(CODE))
        self.env.cr.postcommit.run()
        self.assertTrue(self.env[DOCUMENT]._integration_wanted(CODE))

    def test_order_of_events_is_the_order_of_emission(self):
        self.make_outbox(self.event_type)
        first, second, third = self.make_documents(3)
        for document in (third, first, second):
            document._integration_emit(CODE)
        self.commit_hooks()
        self.assertEqual(
            self.events().mapped("res_id"), [third.id, first.id, second.id]
        )


@tagged("post_install", "-at_install")
class TestCaptureOfPersonalData(DocumentCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.event_type.sensitivity = "phi"

    def test_data_are_ciphertext_and_names_stay_out(self):
        self.make_outbox(self.event_type)
        self.release(self.make_documents(name="Jane Doe"))
        event = self.env["integration.event"].search([])
        self.env.cr.execute("SELECT * FROM integration_event, integration_message")
        self.assertNotIn("Jane", str(self.env.cr.dictfetchall()))
        self.assertEqual(json.loads(event._data_text())["number"], "Jane Doe")
        self.assertFalse(event.res_name)
        self.assertRegex(self.messages().ordering_key, "^[0-9a-f]{64}$")

    def test_without_a_key_nothing_is_lost(self):
        """The event waits for its payload; it is built when the key is there."""
        self.make_outbox(self.event_type)
        keyless = patch.dict(self.settings)
        with keyless:
            self.settings.pop("encryption_key")
            self.release(self.make_documents(name="Jane Doe"))
        event = self.env["integration.event"].search([])
        self.assertEqual((event.error, event.sudo().data), ("keyring_missing", False))
        self.assertEqual(self.messages().state, "pending")
        self.drain_until_quiet()
        self.assertEqual(self.messages().state, "delivered")
        self.assertEqual(self.partner.requests[0].json()["data"]["number"], "Jane Doe")
