# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError


class IntegrationMasterProposalLine(models.Model):
    """One field of a proposal: ours, theirs, and whether it is taken over."""

    _name = "integration.master.proposal.line"
    _description = "Field of a Master Data Proposal"
    _order = "sequence, id"

    proposal_id = fields.Many2one(
        "integration.master.proposal", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="proposal_id.company_id", store=True)
    state = fields.Selection(related="proposal_id.state")
    sequence = fields.Integer(readonly=True)
    name = fields.Char("Technical Name", required=True, readonly=True)
    label = fields.Char("Field", required=True, readonly=True)
    ours = fields.Char(readonly=True)
    theirs = fields.Char(readonly=True)
    value = fields.Json(readonly=True, groups=fields.NO_ACCESS)
    verdict = fields.Selection(
        [
            ("free", "For you to decide"),
            ("own", "Kept by the sender"),
            ("auto", "Kept by the sender, applied at once"),
            ("odoo", "Not taken, Odoo owns it"),
            ("other", "Not taken, another system owns it"),
            ("told", "Not taken, entered by hand only"),
        ],
        required=True,
        readonly=True,
    )
    accepted = fields.Boolean("Take Over")
    automatic = fields.Boolean(compute="_compute_automatic")
    applied = fields.Boolean(readonly=True)

    @api.depends("verdict")
    def _compute_automatic(self):
        for line in self:
            line.automatic = line.verdict == "auto"

    def write(self, vals):
        """Let people choose what is taken over; the rest is the message's.

        :raises AccessError: another field
        :raises UserError: what somebody else owns, or decided already
        """
        if not self.env.su:
            if set(vals) - {"accepted"}:
                raise AccessError(self.env._("A proposal is not edited."))
            for line in self:
                line.proposal_id._check_decider()
                if vals["accepted"] and line.verdict in ("odoo", "other", "told"):
                    raise UserError(
                        self.env._(
                            "%(field)s cannot be taken over: %(why)s.",
                            field=line.label,
                            why=dict(self._fields["verdict"].selection)[line.verdict],
                        )
                    )
        return super().write(vals)

    def _write_value(self):
        """Return what is written: instalments as commands, the rest as it is."""
        value = self.value
        field = self.env[self.proposal_id.res_model]._fields[self.name]
        if field.type == "one2many":
            rows = [fields.Command.create(row) for row in value or []]
            return [fields.Command.clear(), *rows]
        return value

    # -- made -----------------------------------------------------------------------------

    @api.model
    def _rows(self, kind, context, data, record, system):
        """Return the values of the lines: what the data say that differs from the record.

        :param kind: kind of master
        :param record: ours; empty for a new one
        :raise Rejected: a value means nothing to us
        """
        rules = self.env["integration.ownership"]._rules(
            kind.model, context.env.company, system
        )
        model = self.env[kind.model]
        rows = []
        for field in kind.fields:
            if field.member not in data or field.name not in model._fields:
                continue
            path = f"/{kind.name}/{field.member}"
            value = field.convert(context, data[field.member], path)
            theirs = self._text(model, field.name, value)
            ours = self._text_of(record, field.name) if record else ""
            if record and ours == theirs:
                continue
            verdict = "told" if field.told else rules.get(field.name, "free")
            if not record and verdict == "auto":
                verdict = "own"
            rows.append(
                {
                    "sequence": len(rows),
                    "name": field.name,
                    "label": model._fields[field.name].string,
                    "ours": ours,
                    "theirs": theirs,
                    "value": value,
                    "verdict": verdict,
                    "accepted": verdict in ("free", "own", "auto"),
                }
            )
        return rows

    @api.model
    def _text(self, model, name, value):
        """Return a value to be written as people read it."""
        field = model._fields[name]
        if field.type == "many2one":
            return self.env[field.comodel_name].browse(value or []).display_name or ""
        if field.type == "one2many":
            return self._instalments(value) if isinstance(value, list) else str(value)
        if field.type in ("float", "monetary"):
            return f"{value or 0:.10g}"
        if field.type == "boolean":
            return self.env._("Yes") if value else self.env._("No")
        if field.type == "selection":
            return dict(field._description_selection(self.env)).get(value, str(value))
        if field.type == "html":
            return str(value or "").replace("<p>", "").replace("</p>", "")
        return str(value) if value not in (None, False, "") else ""

    @api.model
    def _text_of(self, record, name):
        value = record[name]
        field = record._fields[name]
        if field.type == "many2one":
            return value.display_name or ""
        if field.type == "one2many":
            if field.comodel_name == "res.partner.bank":
                return ", ".join(value.mapped("acc_number"))
            return self._instalments(
                [
                    {"value_amount": row.value_amount, "nb_days": row.nb_days}
                    for row in value
                ]
            )
        return self._text(record, name, value)

    @api.model
    def _instalments(self, rows):
        return ", ".join(
            self.env._(
                "%(share)s %% in %(days)s days",
                share=f"{row['value_amount']:.10g}",
                days=row["nb_days"],
            )
            for row in rows
        )


class IntegrationMasterProposalCandidate(models.Model):
    """One of ours that may be what a proposal means."""

    _name = "integration.master.proposal.candidate"
    _description = "Possible Duplicate of a Proposal"
    _order = "score desc, id"

    proposal_id = fields.Many2one(
        "integration.master.proposal", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="proposal_id.company_id", store=True)
    res_id = fields.Integer("Record ID", required=True, readonly=True)
    record_name = fields.Char(
        "Our Record", compute="_compute_record_name", compute_sudo=True
    )
    score = fields.Integer("Likeness (%)", readonly=True)
    why = fields.Char(readonly=True)

    @api.depends("res_id")
    def _compute_record_name(self):
        for candidate in self:
            model = self.env[candidate.proposal_id.res_model]
            candidate.record_name = model.browse(candidate.res_id).exists().display_name

    def action_use(self):
        """Take it as what is meant; its differences are listed."""
        self.ensure_one()
        proposal = self.proposal_id
        record = self.env[proposal.res_model].browse(self.res_id).exists()
        if not record:
            raise UserError(self.env._("This record is gone."))
        proposal._use(record)
        return True
