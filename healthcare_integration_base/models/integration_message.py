# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from functools import partial

from odoo import api, fields, models
from odoo.exceptions import UserError

from .. import runtime
from ..access import check_group
from ..const import DIRECTIONS, ERROR_CLASSES, PRIORITIES
from ..engine import operations, outbox, payload, run
from ..protocol import ids as uids
from ..protocol.errors import Configuration
from ..protocol.redact import safe_text

OPERATOR = "healthcare_integration_base.group_operator"
PAYLOAD_READER = "healthcare_integration_base.group_payload_reader"
FINISHED = ("delivered", "done", "filtered", "cancelled", "shadow")
SHOWN = 200_000


class IntegrationMessage(models.Model):
    """One exchange of bytes with one endpoint; updated when finished or retried."""

    _name = "integration.message"
    _description = "Integration Message"
    _order = "id desc"
    _rec_name = "uid"
    _rec_names_search = ["uid", "res_name"]
    _log_access = False

    uid = fields.Char(
        "Message ID", required=True, readonly=True, help="UUIDv7; the webhook-id."
    )
    direction = fields.Selection(DIRECTIONS, required=True, readonly=True)
    endpoint_id = fields.Many2one(
        "integration.endpoint", required=True, readonly=True, ondelete="restrict"
    )
    endpoint_state = fields.Selection(
        related="endpoint_id.state", string="Endpoint State"
    )
    system_id = fields.Many2one(related="endpoint_id.system_id")
    subscription_id = fields.Many2one(
        "integration.subscription",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
    )
    client_id = fields.Many2one(
        "integration.client", readonly=True, ondelete="set null", index="btree_not_null"
    )
    event_id = fields.Many2one(
        "integration.event", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    event_occurred_at = fields.Datetime(
        related="event_id.occurred_at", string="Happened"
    )
    event_user_id = fields.Many2one(related="event_id.user_id", string="Done by")
    event_type_id = fields.Many2one(
        "integration.event.type", readonly=True, ondelete="restrict", index=True
    )
    route_id = fields.Many2one(
        "integration.endpoint.route",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
        help="The rule of the endpoint that said what this message is.",
    )
    company_id = fields.Many2one("res.company", readonly=True, ondelete="restrict")
    state = fields.Selection(
        [
            ("pending", "Pending"),
            ("delivered", "Delivered"),
            ("done", "Done"),
            ("filtered", "Filtered"),
            ("dead", "Dead"),
            ("cancelled", "Cancelled"),
            ("shadow", "Shadow"),
        ],
        default="pending",
        required=True,
        readonly=True,
    )
    attempt_count = fields.Integer("Attempts", readonly=True, default=0)
    priority = fields.Selection(PRIORITIES, default="1", required=True, readonly=True)
    ordering_key = fields.Char(readonly=True)
    external_id = fields.Char(
        readonly=True, help="The partner's id of an incoming message."
    )
    content_type = fields.Char(readonly=True)
    body_sha256 = fields.Char("Body SHA-256", readonly=True)
    size = fields.Integer(readonly=True, help="Bytes of the body.")
    mapping_id = fields.Many2one(
        "integration.mapping", readonly=True, ondelete="restrict"
    )
    mapping_version = fields.Integer(readonly=True)
    last_error_class = fields.Selection(ERROR_CLASSES, readonly=True)
    last_error_code = fields.Char(readonly=True)
    last_error = fields.Char(
        readonly=True, help="Safe text: never a value of the payload."
    )
    filter_reason = fields.Char(readonly=True)
    schema_errors = fields.Json(
        readonly=True, help="Deviations from the schema, path and rule."
    )
    cause = fields.Json(
        readonly=True, help="Business cause of the failure, see protocol.cause."
    )
    corrected = fields.Boolean(
        readonly=True, help="A person corrected the body; the original is kept."
    )
    replay_of_id = fields.Many2one(
        "integration.message",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
    )
    superseded = fields.Boolean(readonly=True, help="A replay of it took its place.")
    correlation_uid = fields.Char(readonly=True)
    traceparent = fields.Char(readonly=True)
    res_model = fields.Char("Document Model", readonly=True)
    res_id = fields.Many2oneReference(
        "Document Record", model_field="res_model", readonly=True
    )
    res_name = fields.Char("Document", readonly=True)
    exception_id = fields.Many2one(
        "integration.exception",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
    )
    created_at = fields.Datetime(
        "Created", required=True, readonly=True, default=fields.Datetime.now
    )
    finished_at = fields.Datetime("Finished", readonly=True)
    attempt_ids = fields.One2many("integration.attempt", "message_id", readonly=True)

    _uid_uniq = models.UniqueIndex("(uid)")
    _external_uniq = models.UniqueIndex(
        "(endpoint_id, external_id) WHERE direction = 'in'"
        " AND external_id IS NOT NULL AND replay_of_id IS NULL"
    )
    _event_subscription_uniq = models.UniqueIndex(
        "(event_id, subscription_id) WHERE replay_of_id IS NULL"
        " AND event_id IS NOT NULL AND subscription_id IS NOT NULL"
    )
    _endpoint_state_idx = models.Index("(endpoint_id, state, id)")
    _unfinished_idx = models.Index("(state, id) WHERE state IN ('pending', 'dead')")
    _document_idx = models.Index("(res_model, res_id)")
    _created_idx = models.Index("(created_at)")

    # -- making messages -----------------------------------------------------------------

    @api.depends("uid", "res_name")
    def _compute_display_name(self):
        for message in self:
            name = message.res_name
            message.display_name = f"{name} ({message.uid})" if name else message.uid

    @api.model
    def _enqueue(self, vals_list):
        """Insert messages with their queue entries, due now, and wake their lanes.

        One statement each, however many; nothing of the values is logged.

        :param vals_list: dicts with ``direction``, ``endpoint_id`` and what else is known;
            ``uid`` and ``priority`` are filled in
        :return: ids in the order given; a message that is there already (event and
            subscription, or endpoint and external id) is left out
        """
        self.env.flush_all()
        rows = [{**vals, "uid": vals.get("uid") or uids.uuid7()} for vals in vals_list]
        for row in rows:
            row["priority"] = str(row.get("priority") or "1")
        message_ids = outbox.insert_messages(self.env.cr, rows) if rows else []
        self.browse(message_ids)._wake_lanes()
        return message_ids

    def _wake_lanes(self):
        endpoints = self.sudo().endpoint_id
        self.env["integration.drain"]._wake({one._drained_lane() for one in endpoints})

    # -- buttons -------------------------------------------------------------------------

    def action_retry(self):
        """Send the same bytes again under the same id, or apply again; now.

        :raises AccessError: the user is no operator
        :raises UserError: one of them is finished, replaced, under way, or its endpoint is
            not in use
        """
        check_group(self, OPERATOR)
        self._check_states(("pending", "dead"))
        self._check_endpoints()
        self._check_at_rest()
        operations.retry(self.env.cr, self.ids, self.env.uid)
        self._log_and_wake("retry")
        return True

    def action_replay(self, reason=None):
        """Make a new message of the same event, rendered anew; it takes the place of a dead one.

        :return: action that opens the new messages
        :raises AccessError: the user is no operator
        :raises UserError: one of them is unfinished or was replayed already
        """
        check_group(self, OPERATOR)
        self._check_states(("dead", *FINISHED))
        self._check_endpoints()
        return self._replay(reason)._open_action()

    def action_skip(self, reason=None):
        """Let the younger messages of the same document pass a dead one.

        :raises AccessError: the user is no operator
        :raises UserError: one of them is not dead
        """
        check_group(self, OPERATOR)
        self._check_states(("dead",))
        return self._finish("skip", reason or self.env._("Skipped"))

    def action_cancel(self, reason=None):
        """Give messages up that have not got through.

        :raises AccessError: the user is no operator
        :raises UserError: one of them is finished or under way
        """
        check_group(self, OPERATOR)
        self._check_states(("pending", "dead"))
        self._check_at_rest()
        return self._finish("cancel", reason or self.env._("Cancelled"))

    def action_send_now(self):
        """Send pending messages of endpoints in state Test, as soon as this is committed.

        The network is used between the commit and the answer to the browser, never inside
        the transaction; the attempt is there when the form is shown again.

        :raises AccessError: the user is no operator
        :raises UserError: one of them is not pending, or its endpoint is not in use
        """
        check_group(self, OPERATOR)
        self._check_states(("pending",))
        self._check_endpoints()
        operations.retry(self.env.cr, self.ids, self.env.uid)
        self.env["integration.audit.entry"]._log("retry", self)
        self.env.cr.postcommit.add(partial(run.run_after_commit, self.env, self.ids))
        return True

    def view_payload(self, reason):
        """Return body and answers of a message for a person who may read them and says why.

        :param str reason: why, for the audit log
        :return: list of ``{"label", "text", "size", "content_type", "note"}``
        :raises AccessError: the user may not read payloads
        :raises UserError: no reason is given, or the key is not on this node
        """
        self.ensure_one()
        body = self._view_payload(reason)
        note = None
        if body is None:
            note = self.env._(
                "The body is made when the message is sent for the first time."
            )
        parts = [self._part(self.env._("Body"), body or b"", self.content_type, note)]
        for attempt in self.sudo().attempt_ids.filtered("response").sorted("number"):
            label = self.env._("Answer %s", attempt.number)
            headers = {
                name.lower(): text
                for name, text in (attempt.response_headers or {}).items()
            }
            parts.append(
                self._part(label, self._answer(attempt), headers.get("content-type"))
            )
        return parts

    def _part(self, label, content, content_type, note=None):
        if len(content) > SHOWN:
            note = self.env._("Only the beginning is shown.")
        return {
            "label": label,
            "text": safe_text(content, SHOWN),
            "size": len(content),
            "content_type": content_type or "",
            "note": note,
        }

    def _answer(self, attempt):
        answer = bytes(attempt.response)
        if self.sudo().event_type_id.sensitivity != "phi":
            return answer
        try:
            return runtime.keyring().decrypt(answer, payload.response_aad(self.id))
        except Configuration as error:
            raise UserError(error.message) from None

    # -- what the buttons do ---------------------------------------------------------------

    def _view_payload(self, reason):
        """Return the exact bytes, None if there are none yet; leaves an audit entry.

        :raises AccessError: the user may not read payloads
        :raises UserError: no reason is given, or the key is not on this node
        """
        self.ensure_one()
        check_group(self, PAYLOAD_READER)
        if not (reason or "").strip():
            raise UserError(self.env._("Say why you need to see it."))
        self.env["integration.audit.entry"]._log("payload_view", self, reason.strip())
        try:
            return self._body()
        except Configuration as error:
            raise UserError(error.message) from None

    def _body(self):
        """Return the exact bytes, None if there are none yet. No right is checked.

        :raises Configuration: keyring_missing, key_unknown
        """
        self.ensure_one()
        found = payload.load(self.env.cr, self.ids).get(self.id)
        return payload.clear(found) if found else None

    def _replay(self, reason=None):
        """Replay without looking at rights; return the new messages."""
        self.env.flush_all()
        messages = self.browse(operations.replay(self.env.cr, self.ids))
        self._log_and_wake("replay", reason)
        return messages

    def _finish(self, action, reason):
        operations.finish(self.env.cr, self.ids, reason)
        self._log_and_wake(action, reason)
        self.sudo().exception_id._close_if_through()
        return True

    def _log_and_wake(self, action, reason=None):
        self.invalidate_model()
        self.env["integration.audit.entry"]._log(action, self, reason)
        self._wake_lanes()

    def _open_action(self):
        action = {
            "type": "ir.actions.act_window",
            "name": self.env._("Replays"),
            "res_model": self._name,
            "view_mode": "list,form",
            "views": [(False, "list"), (False, "form")],
            "domain": [("id", "in", self.ids)],
        }
        if len(self) == 1:
            action.update(res_id=self.id, view_mode="form", views=[(False, "form")])
        return action

    # -- checks ------------------------------------------------------------------------------

    def _check_states(self, states):
        operations.lock(self.env.cr, self.ids)
        self.invalidate_recordset()
        for message in self:
            if message.superseded:
                raise UserError(
                    self.env._(
                        "Message %s was replayed; work with its replay.", message.uid
                    )
                )
            if message.state not in states:
                labels = dict(self._fields["state"]._description_selection(self.env))
                raise UserError(
                    self.env._(
                        "Message %(uid)s is %(state)s; this cannot be done with it.",
                        uid=message.uid,
                        state=labels[message.state],
                    )
                )

    def _check_endpoints(self):
        for endpoint in self.sudo().endpoint_id:
            if endpoint.state in ("draft", "disabled") or not endpoint.active:
                raise UserError(
                    self.env._(
                        "Endpoint %s is not in use; activate it first.", endpoint.name
                    )
                )

    def _check_at_rest(self):
        if operations.in_flight(self.env.cr, self.ids):
            raise UserError(
                self.env._(
                    "A message is being processed right now; look again in a moment."
                )
            )
