# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..protocol import client_certificate


class IntegrationClientCertificate(models.Model):
    """A TLS certificate a client shows: pinned by its fingerprint, or known by its name."""

    _name = "integration.client.certificate"
    _description = "Certificate of an Integration Client"
    _inherit = ["integration.audited", "integration.captured"]
    _order = "create_date desc, id desc"
    _allow_sudo_commands = False
    _integration_captured_fields = (
        "client_id",
        "active",
        "kind",
        "value",
        "expires_at",
    )

    client_id = fields.Many2one(
        "integration.client", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="client_id.company_id", store=True)
    name = fields.Char(
        required=True, help="To tell the certificates of a client apart."
    )
    active = fields.Boolean(default=True)
    kind = fields.Selection(
        [
            ("fingerprint", "SHA-256 fingerprint"),
            ("name", "Subject or alternative name"),
        ],
        default="fingerprint",
        required=True,
        help="A fingerprint fits one certificate. A name fits every certificate of that"
        " name which the proxy has verified against its authorities.",
    )
    value = fields.Char(
        "Fingerprint or Name",
        required=True,
        help="For example 9F:86:D0:… or CN=erp.medline.example,O=Medline. A whole"
        " certificate in PEM form is turned into its fingerprint.",
    )
    expires_at = fields.Datetime()

    _value_uniq = models.UniqueIndex(
        "(kind, value) WHERE active", "This certificate is a client's already."
    )

    @api.model_create_multi
    def create(self, vals_list):
        normal = [
            self._normal(vals, vals.get("kind", "fingerprint")) for vals in vals_list
        ]
        return super().create(normal)

    def write(self, vals):
        if "value" not in vals:
            return super().write(vals)
        for record in self:
            kind = vals.get("kind", record.kind)
            super(IntegrationClientCertificate, record).write(self._normal(vals, kind))
        return True

    def _normal(self, vals, kind):
        """Return the values with the fingerprint or name in the form it is compared in."""
        text = vals.get("value") or ""
        if kind == "name":
            return {**vals, "value": client_certificate.normal_name(text)}
        if "BEGIN CERTIFICATE" in text:
            return {**vals, "value": self._fingerprint(text)}
        return {**vals, "value": client_certificate.normal_fingerprint(text) or text}

    def _fingerprint(self, text):
        try:
            return client_certificate.fingerprint_of(text)
        except ValueError as error:
            raise ValidationError(self.env._("%s.", error)) from None

    @api.constrains("kind", "value")
    def _check_value(self):
        for record in self.filtered(lambda one: one.kind == "fingerprint"):
            if not client_certificate.normal_fingerprint(record.value):
                raise ValidationError(
                    self.env._(
                        "A SHA-256 fingerprint has 64 hexadecimal digits (openssl x509"
                        " -noout -fingerprint -sha256); one of 40 digits is SHA-1."
                    )
                )

    def action_revoke(self):
        """Refuse the certificate from now on."""
        self.write({"active": False})
