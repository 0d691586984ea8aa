# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import base64
import mimetypes
import time

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..engine import documents
from ..protocol import link
from ..protocol.errors import Rejected
from ..runtime import keyring

LABELS = {
    "certificate_of_analysis": "Certificate of analysis",
    "packing_slip": "Packing slip",
    "delivery_note": "Delivery note",
    "invoice": "Invoice",
    "credit_note": "Credit note",
    "purchase_order": "Purchase order",
    "safety_data_sheet": "Safety data sheet",
    "remittance": "Remittance advice",
    "photo": "Photo",
    "other": "Other",
}
# What came in, or was given once, is not rewritten.
UNCHANGING = (
    "res_model",
    "res_id",
    "url",
    "file",
    "content_type",
    "sha256",
    "size",
    "system_id",
    "message_uid",
    "company_id",
)

# Only what comes by a message has these.
OF_MESSAGES = ("system_id", "message_uid", "company_id", "sha256")


class IntegrationAttachment(models.Model):
    """A document that belongs to a business record: a file, or an address of the partner.

    Addresses are kept, never fetched. Who may read the record may read its documents.
    """

    _name = "integration.attachment"
    _description = "Document of a Business Record"
    _order = "id desc"

    name = fields.Char("File Name", required=True)
    kind = fields.Selection(
        list(LABELS.items()), required=True, default="other", index=True
    )
    res_model = fields.Char("Document Model", required=True)
    res_id = fields.Many2oneReference(
        "Document ID", model_field="res_model", required=True
    )
    res_name = fields.Char("Belongs to", compute="_compute_res_name", compute_sudo=True)
    url = fields.Char(
        "Address", help="Where the partner keeps it. Odoo does not fetch it."
    )
    file = fields.Binary(attachment=True)
    content_type = fields.Char(readonly=True)
    sha256 = fields.Char("SHA-256", readonly=True)
    size = fields.Integer("Size (Bytes)", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True, index=True)
    system_id = fields.Many2one(
        "integration.system",
        readonly=True,
        index=True,
        help="The partner's system that sent it; empty for documents of our own.",
        groups="healthcare_integration_base.group_viewer",
    )
    message_uid = fields.Char("Message ID", readonly=True)
    from_partner = fields.Boolean(
        compute="_compute_from_partner", compute_sudo=True, string="From the Partner"
    )
    shared = fields.Boolean(
        "Partner May Download",
        help="The partner the record is shared with gets a link to it that is good for "
        "a quarter of an hour. What a partner sent he may always fetch again.",
    )

    _document_idx = models.Index("(res_model, res_id)")

    # -- what it belongs to ------------------------------------------------------------

    @api.depends("res_model", "res_id")
    def _compute_res_name(self):
        for attachment in self:
            record = attachment._record()
            attachment.res_name = record.display_name if record else False

    @api.depends("message_uid")
    def _compute_from_partner(self):
        for attachment in self:
            attachment.from_partner = bool(attachment.message_uid)

    def _record(self):
        """Return the record it belongs to, with the rights of the environment; or None."""
        self.ensure_one()
        row = self.sudo()
        if row.res_model not in self.env or not row.res_id:
            return None
        return self.env[row.res_model].browse(row.res_id).exists()

    def _check_access(self, operation):
        """Open documents to those who may read, or for changes write, the record."""
        result = super()._check_access(operation)
        if self.env.su:
            return result
        denied = result[0] if result else self.browse()
        needed = "read" if operation == "read" else "write"
        foreign = (self - denied).filtered(lambda row: not row._is_open_for(needed))
        if not foreign:
            return result
        refuse = result[1] if result else self._refuse_foreign
        return denied | foreign, refuse

    def _is_open_for(self, operation):
        record = self._record()
        return bool(record) and record.has_access(operation)

    def _refuse_foreign(self):
        return AccessError(
            self.env._("You may not do this with the documents of this record.")
        )

    @api.model
    def _search(
        self,
        domain,
        offset=0,
        limit=None,
        order=None,
        *,
        bypass_access=False,
        **kwargs,
    ):
        if self.env.su or bypass_access:
            return super()._search(
                domain, offset, limit, order, bypass_access=bypass_access, **kwargs
            )
        found = self.browse(super()._search(domain, order=order, **kwargs))
        ids = [row.id for row in found if row._is_open_for("read")]
        end = None if limit is None else offset + limit
        return self.browse(ids[offset:end])._as_query(bool(order))

    # -- made, changed, deleted -----------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Take documents, checked as those of partners are.

        :raises UserError: neither file nor address, too large, a type nobody needs
        """
        # pylint: disable-next=context-overridden
        plain = self.with_context(self._integration_plain_context())
        return super(IntegrationAttachment, plain).create(
            [self._integration_checked(vals) for vals in vals_list]
        )

    def _integration_plain_context(self):
        """Return the context without defaults by which a user could pose as a partner."""
        if self.env.su:
            return self.env.context
        forged = {f"default_{name}" for name in OF_MESSAGES}
        return {k: v for k, v in self.env.context.items() if k not in forged}

    def _integration_checked(self, vals):
        if not self.env.su:
            vals = {key: value for key, value in vals.items() if key not in OF_MESSAGES}
        row = {
            "kind": vals.get("kind") or "other",
            "name": vals.get("name") or "document",
            "url": vals.get("url") or None,
            "content_type": vals.get("content_type")
            or mimetypes.guess_type(vals.get("name") or "")[0],
        }
        if vals.get("file"):
            file = vals["file"]
            row["content_base64"] = file.decode() if isinstance(file, bytes) else file
        elif vals.get("sha256"):
            row["sha256"] = vals["sha256"]
        try:
            document = documents.read(row, "")
        except Rejected as error:
            detail = error.details[0] if error.details else {"message": ""}
            raise UserError(
                self.env._(
                    "This document cannot be kept: it %(reason)s.",
                    reason=detail["message"],
                )
            ) from None
        return {**vals, **self._values_of(document)}

    @api.model
    def _values_of(self, document):
        return {
            "kind": document.kind,
            "name": document.name,
            "url": document.url,
            "file": base64.b64encode(document.content) if document.content else False,
            "sha256": document.sha256,
            "content_type": document.content_type,
            "size": len(document.content or b""),
        }

    def write(self, vals):
        fixed = [name for name in UNCHANGING if name in vals]
        if fixed and not self.env.su:
            raise UserError(
                self.env._(
                    "%s of a document is not changed; add another document.",
                    self._fields[fixed[0]].string,
                )
            )
        if vals.get("name"):
            vals = {**vals, "name": documents.safe_name(vals["name"])}
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_received(self):
        if not self.env.su and any(row.sudo().message_uid for row in self):
            raise UserError(
                self.env._("What a partner sent with a message is kept with it.")
            )

    # -- from messages ------------------------------------------------------------------

    @api.model
    def _attach(self, record, rows, message):
        """Attach the documents of a message to a business record; each only once.

        :param record: one record
        :param list rows: canonical ``documents``
        :param message: the ``integration.message`` they came in
        :return: the attachments of the record that the rows stand for, as superuser
        :raise Rejected: one of them cannot be kept, with its path
        """
        record.ensure_one()
        known = self.sudo().search(
            [("res_model", "=", record._name), ("res_id", "=", record.id)]
        )
        result = known.browse()
        for index, row in enumerate(rows or []):
            document = documents.read(row, f"/documents/{index}")
            match = known.filtered(lambda a, d=document: a._stands_for(d))[:1]
            result |= match or self.sudo().create(
                self._prepare(record, document, message)
            )
        return result

    def _stands_for(self, document):
        same_name = (self.kind, self.name) == (document.kind, document.name)
        if document.sha256:
            return same_name and self.sha256 == document.sha256
        return same_name and (self.url or None) == document.url

    @api.model
    def _prepare(self, record, document, message):
        message = message.sudo()
        company = record.company_id if "company_id" in record._fields else None
        return {
            **self._values_of(document),
            "res_model": record._name,
            "res_id": record.id,
            "company_id": (company or message.company_id or self.env.company).id,
            "system_id": message.endpoint_id.system_id.id,
            "message_uid": message.uid,
        }

    # -- links for partners ----------------------------------------------------------------

    def _link_token(self, client, lifetime=link.LIFETIME):
        """Return the token of a link by which the client may fetch it for a short time.

        :param client: integration.client
        :param int lifetime: seconds, at most a quarter of an hour
        :return: tuple (token, seconds since 1970 when it ends)
        :raises Configuration: this node has no key ring
        """
        self.ensure_one()
        ends = int(time.time()) + min(lifetime, link.LIFETIME)
        token = link.write(link.Link(self.id, client.id, ends), self._sign)
        return token, ends

    @api.model
    def _sign(self, text):
        return keyring().keyed_hash(text, link.PURPOSE)

    def _partner_may_fetch(self, client):
        """Return True for what the client's own system sent or what was shared."""
        self.ensure_one()
        row = self.sudo()
        return bool(row.file) and (row.shared or row.system_id == client.system_id)

    @api.model
    def _document_kinds(self):
        """Return the documents partners may ask for: connectors add theirs.

        :return: dict of kind as it stands in the request -> (model, field of its number)
        """
        return {}

    @api.model
    def _records_of_partner(self, records, partner):
        """Return those of the records that are the partner's; by default those that name him.

        :param partner: commercial partner of the client's system
        """
        if "partner_id" not in records._fields:
            return records.browse()
        return records.filtered(
            lambda record: record.partner_id.commercial_partner_id == partner
        )

    @api.model
    def _find_documents(self, client, kind, number):
        """Return the records of a number that a client may know of, with its user's rights.

        :param client: integration.client
        :return: recordset; None when there is no such kind of document
        """
        kinds = self._document_kinds()
        if kind not in kinds:
            return None
        model, field = kinds[kind]
        Model = client._acting_env(self.env)[model]
        company = client._company()
        records = Model.search(
            [(field, "=", number), ("company_id", "in", [company.id, False])], limit=20
        )
        if client.record_scope == "partner":
            partner = client.system_id.partner_id.commercial_partner_id
            records = self._records_of_partner(records, partner)
        return records

    # -- buttons ----------------------------------------------------------------------------

    def action_download(self):
        """Fetch the file, or go to the address the partner gave."""
        self.ensure_one()
        self.check_access("read")
        if self.sudo().size:
            url = f"/web/content/integration.attachment/{self.id}/file?download=true"
            return {"type": "ir.actions.act_url", "url": url, "target": "self"}
        return {"type": "ir.actions.act_url", "url": self.url, "target": "new"}
