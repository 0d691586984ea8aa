# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models

# What a document shows of its newest messages, worst first.
STATES = [
    ("rejected", "Rejected by partner"),
    ("failed", "Not delivered"),
    ("overdue", "Acknowledgement overdue"),
    ("sending", "Being delivered"),
    ("awaiting", "Awaiting acknowledgement"),
    ("accepted", "Acknowledged"),
    ("posted", "Posted by partner"),
    ("delivered", "Delivered"),
]
RANK = {state: rank for rank, (state, _label) in enumerate(STATES)}
ACKNOWLEDGED = ("accepted", "posted")


class IntegrationDocument(models.AbstractModel):
    """Mixin: a business document that publishes events and shows its messages."""

    _name = "integration.document"
    _description = "Document with Integration Messages"
    _inherit = ["integration.emitter"]

    integration_message_count = fields.Integer(
        compute="_compute_integration_message_count",
        groups="healthcare_integration_base.group_viewer",
    )

    integration_state = fields.Selection(
        STATES,
        "Integration",
        compute="_compute_integration_state",
        groups="healthcare_integration_base.group_viewer",
        help="What became of the newest messages about it; of several the one that "
        "needs somebody most. Delivered: the partner has it. Acknowledged and posted: its "
        "business says so.",
    )
    integration_detail = fields.Char(
        compute="_compute_integration_state",
        groups="healthcare_integration_base.group_viewer",
    )

    def _compute_integration_message_count(self):
        groups = self.env["integration.message"]._read_group(
            [("res_model", "=", self._name), ("res_id", "in", self.ids)],
            ["res_id"],
            ["__count"],
        )
        counts = dict(groups)
        for record in self:
            record.integration_message_count = counts.get(record.id, 0)

    def _compute_integration_state(self):
        newest = self._integration_newest_messages()
        for record in self:
            messages = newest.get(record.id, self.env["integration.message"])
            states = [record._integration_state_of(message) for message in messages]
            record.integration_state = min(states, key=RANK.get, default=False)
            record.integration_detail = record._integration_detail_of(messages)

    def _integration_newest_messages(self):
        """Return the outgoing messages of the last event of each document, by its id.

        Replayed ones give way to their replays; what was left aside on purpose is not
        counted.
        """
        domain = [
            ("res_model", "=", self._name),
            ("res_id", "in", self.ids),
            ("direction", "=", "out"),
            ("superseded", "=", False),
            ("state", "in", ("pending", "delivered", "dead")),
        ]
        Message = self.env["integration.message"]
        groups = Message._read_group(domain, ["res_id"], ["id:max"])
        events = Message.browse([newest for _res_id, newest in groups]).event_id
        found = Message.search([*domain, ("event_id", "in", events.ids)])
        return found.grouped("res_id")

    def _integration_state_of(self, message):
        if message.business_state == "rejected":
            return "rejected"
        if message.state == "dead":
            return "failed"
        if message.acknowledgement_overdue:
            return "overdue"
        if message.business_state:
            return message.business_state
        return "sending" if message.state == "pending" else "delivered"

    def _integration_detail_of(self, messages):
        """Return how many of the messages were delivered, acknowledged, posted."""
        if not messages:
            return False
        said = messages.mapped("business_state")
        return self.env._(
            "%(delivered)s of %(all)s delivered, %(acknowledged)s acknowledged, "
            "%(posted)s posted",
            all=len(messages),
            delivered=messages.mapped("state").count("delivered"),
            acknowledged=sum(state in ACKNOWLEDGED for state in said),
            posted=said.count("posted"),
        )

    def action_open_integration_messages(self):
        """Open the messages of this document, newest first.

        :return: window action on ``integration.message``
        """
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Messages of %s", self.display_name),
            "res_model": "integration.message",
            "view_mode": "list,form",
            "domain": [("res_model", "=", self._name), ("res_id", "=", self.id)],
            "context": {"create": False},
        }

    @api.model
    def _integration_builders(self):
        """Return the payload function of each event the model publishes.

        :return: dict of event code -> function (recordset) -> {id: dict}
        """
        return {}

    def _integration_payload(self, code):
        """Build the canonical data of the event for each record, in one go.

        :param code: event code, e.g. ``supply.purchase_order.released``
        :return: dict of record id -> JSON-ready dict
        :raise NotImplementedError: when the model does not publish that event
        """
        build = self._integration_builders().get(code)
        return build(self) if build else super()._integration_payload(code)

    def _integration_before(self, names, *codes):
        """Remember the values of watched fields, when somebody wants one of the events.

        :param names: names of the fields
        :param codes: event codes that depend on them
        :return: dict of id -> values for ``_integration_changed``; None when nobody listens
        """
        if not self._integration_wanted(*codes):
            return None
        return {record.id: record._integration_values(names) for record in self.sudo()}

    def _integration_changed(self, before, names):
        """Return the records whose watched fields differ from what was remembered.

        :param before: result of ``_integration_before``; with None nothing is read
        """
        if before is None:
            return self.browse()
        changed = [
            record.id
            for record in self.sudo()
            if record.id in before
            and record._integration_values(names) != before[record.id]
        ]
        return self.browse(changed)

    def _integration_values(self, names):
        return [self[name] for name in names]
