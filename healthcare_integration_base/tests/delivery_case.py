# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Test kit of capture and delivery, also for authors of connectors.

In a test nothing is ever committed. ``commit_hooks`` stands for the commit, ``drain`` for
the job: it does its database work in the test's own thread and does not linger.
"""

from contextlib import contextmanager

from odoo import api, fields, models
from odoo.orm.model_classes import add_to_registry

from odoo.addons.queue_job.tests.common import trap_jobs

from ..engine import run
from ..protocol.drain_types import Options
from ..protocol.signing import generate_secret
from .common import IntegrationCase
from .loopback_partner import LoopbackPartner

DOCUMENT = "test.integration.document"
CODE = "test.document.released"


class DeliveryCase(IntegrationCase):
    """A partner process, and what it takes to send to it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # capture fills its cache, and drains work, on cursors of their own
        cls.registry_enter_test_mode_cls()
        cls.partner = LoopbackPartner()
        cls.addClassCleanup(cls.partner.close)
        cls.secret = generate_secret()

    def setUp(self):
        super().setUp()
        self.registry.clear_cache()
        self.partner.requests.clear()
        self.partner.answers.clear()

    def commit_hooks(self):
        """Do what a commit does: flush, then the callbacks.

        Later emissions are those of another transaction and make new events.

        :return: the trap with the jobs that were enqueued
        """
        self.env.cr.flush()
        with trap_jobs() as trap:
            self.env.cr.postcommit.run()
        self.env.cr.execute(
            "UPDATE integration_event SET txid = NULL WHERE txid IS NOT NULL"
        )
        self.env.invalidate_all()
        return trap

    def drain(self, lane="out", **options):
        """Drain a lane to its end; return how it ended."""
        self.env.flush_all()
        chosen = Options(**{"linger": 0.0, "max_seconds": 20.0, **options})
        ended = run.run_lane(self.env, lane, chosen, threaded=False)
        self.env.invalidate_all()
        return ended

    def time_passes(self, seconds=86_400):
        """Make what is due within that time due now, floors and breakers included."""
        self.env.cr.execute(
            "UPDATE integration_queue_entry SET due_at = due_at - %s * interval '1 second'"
            " WHERE due_at IS NOT NULL",
            [seconds],
        )
        self.env.cr.execute("DELETE FROM integration_endpoint_health")

    def drain_until_quiet(self, lane="out", limit=20):
        """Drain the lane again and again, with the time between the retries passing."""
        for _turn in range(limit):
            if self.drain(lane).wake_in is None:
                return
            self.time_passes()
        self.fail("The lane is never quiet")

    @classmethod
    def make_outbox(cls, *event_types, path="/in", state="active", policy=None, **vals):
        """Return an endpoint to the loopback partner, subscribed to event types."""
        values = {
            "name": cls.next_code("policy"),
            "retry_schedule": "5s 5m",
            **(policy or {}),
        }
        signing = cls.make_credential("signing_secret", secret=cls.secret)
        subscription = vals.pop("subscription", {})
        endpoint = cls.make_endpoint(
            url=cls.partner.url + path,
            policy_id=cls.env["integration.policy"].create(values).id,
            credential_ids=[fields.Command.link(signing.id)],
            **vals,
        )
        if state != "draft":
            endpoint._transition(state)
        for event_type in event_types:
            cls.make_subscription(endpoint, event_type, **subscription)
        return endpoint

    def messages(self, **domain):
        """Return messages by field values, oldest first."""
        conditions = [(name, "=", value) for name, value in domain.items()]
        return self.env["integration.message"].search(conditions, order="id")

    def entries(self):
        """Return the queue entries as rows, oldest first."""
        self.env.cr.execute(
            "SELECT * FROM integration_queue_entry ORDER BY seq, message_id"
        )
        return self.env.cr.dictfetchall()

    @contextmanager
    def count_statements(self):
        """Count the statements of the block; the result is in the list that is yielded."""
        result, before = [], self.env.cr.sql_log_count
        yield result
        result.append(self.env.cr.sql_log_count - before)


class Document(models.Model):
    """A document that publishes events, for tests."""

    _name = DOCUMENT
    _description = "Test Document"
    _inherit = ["integration.emitter"]

    name = fields.Char()
    amount = fields.Float()
    state = fields.Char()
    company_id = fields.Many2one("res.company")

    def action_release(self):
        """What a business method does: change something, publish it."""
        self.write({"state": "released"})
        self._integration_emit(CODE)

    def _integration_payload(self, code):
        if "fail" in self.mapped("name"):
            raise ValueError("a bug in a connector, quoting Jane Doe")
        if "sql" in self.mapped("name"):
            self.env.cr.execute(
                "SELECT no_such_column FROM res_company", log_exceptions=False
            )
        return {
            record.id: {
                "number": record.name,
                "amount": str(record.amount),
                "seen_by": f"{self.env.uid} {self.env.company.name} {self.env.lang} {self.env.tz}",
            }
            for record in self
            if record.name != "silent"
        }


class DocumentCase(DeliveryCase):
    """A model that emits, its event type, and factories of documents."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        add_to_registry(cls.registry, Document)
        cls.registry._setup_models__(cls.env.cr, [DOCUMENT])
        cls.registry.init_models(cls.env.cr, [DOCUMENT], {"models_to_check": True})
        cls.addClassCleanup(cls.registry.__delitem__, DOCUMENT)
        cls.env = api.Environment(cls.env.cr, cls.env.uid, cls.env.context)
        model = cls.env["ir.model"]._get(DOCUMENT)
        cls.event_type = cls.make_event_type(code=CODE, model_id=model.id)

    def make_documents(self, count=1, **vals):
        """Return documents that are flushed to the database."""
        vals = {"company_id": self.env.company.id, **vals}
        documents = self.env[DOCUMENT].create(
            [{"name": f"D{number:03}", **vals} for number in range(count)]
        )
        self.env.flush_all()
        return documents

    def release(self, documents=None):
        """Release documents and commit; return them."""
        documents = documents if documents is not None else self.make_documents()
        documents.action_release()
        self.commit_hooks()
        return documents
