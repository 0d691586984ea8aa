# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from .. import runtime
from ..protocol import signing
from ..protocol.errors import Configuration, IntegrationError, Permanent
from ..transports import auth

MOST_PREVIOUS = 10
PLACEHOLDER = b"whsec_" + b"x" * 40  # stands for a secret that is not entered yet


class IntegrationCredential(models.Model):
    """How we prove who we are to a partner, or a client to us; the secret is write-only."""

    _name = "integration.credential"
    _description = "Integration Credential"
    _inherit = ["mail.thread", "integration.audited"]
    _order = "name"
    _allow_sudo_commands = False
    _check_company_auto = True

    name = fields.Char(required=True, tracking=True)
    active = fields.Boolean(default=True, tracking=True)
    # restrict: without its company it would be shared with all the others
    company_id = fields.Many2one("res.company", ondelete="restrict")
    kind = fields.Selection(
        [
            ("none", "None"),
            ("basic", "Basic"),
            ("bearer", "Bearer token"),
            ("header", "Custom header"),
            ("signing_secret", "Signing secret (Standard Webhooks)"),
        ],
        default="bearer",
        required=True,
        tracking=True,
    )
    username = fields.Char(help="User name of basic authentication.")
    header_name = fields.Char(help="Name of the custom header, e.g. X-Api-Key.")
    secret = fields.Char(
        compute="_compute_secret",
        inverse="_inverse_secret",
        copy=False,
        help="Write only: it is stored encrypted and never shown again.",
    )
    secret_token = fields.Binary(attachment=False, copy=False, groups=fields.NO_ACCESS)
    secret_key_id = fields.Char(
        string="Encryption Key",
        readonly=True,
        copy=False,
        help="Key of the key ring it is under.",
    )
    has_secret = fields.Boolean(compute="_compute_has_secret", compute_sudo=True)
    expires_at = fields.Datetime(tracking=True)
    previous_ids = fields.One2many(
        "integration.credential.previous", "credential_id", copy=False
    )
    endpoint_ids = fields.Many2many(
        "integration.endpoint",
        "integration_endpoint_credential_rel",
        "credential_id",
        "endpoint_id",
        copy=False,
    )

    @api.depends("secret_token")
    def _compute_secret(self):
        self.secret = False

    @api.depends("secret_token")
    def _compute_has_secret(self):
        for credential in self.with_context(bin_size=False):
            credential.has_secret = bool(credential.secret_token)

    def _inverse_secret(self):
        for credential in self.filtered("secret"):
            credential._store_secret(credential.secret)
        # Else the answer to the web client would carry the secret back.
        self.invalidate_recordset(["secret"], flush=False)

    @api.constrains("kind", "username", "header_name")
    def _check_parts(self):
        for credential in self:
            credential._check_form(b"")

    @api.constrains("endpoint_ids", "company_id")
    def _check_endpoint_companies(self):
        # The other way round a credential of all companies could not be used by one.
        self.sudo().endpoint_ids._check_company(["credential_ids"])

    # -- storing -----------------------------------------------------------------

    def _store_secret(self, text):
        """Encrypt and store ``text`` as the current secret, with an audit entry.

        :raises UserError: there is no usable key ring; tells how to make a key
        :raises ValidationError: the text cannot be a secret of this kind
        """
        self.ensure_one()
        text = text.strip()
        self._check_form(text.encode())
        token = self._encrypt(text.encode())
        self.sudo().write(
            {"secret_token": token, "secret_key_id": runtime.keyring().primary_id}
        )
        self.env["integration.audit.entry"]._log("secret", self)

    def _encrypt(self, secret):
        try:
            return runtime.keyring().encrypt(secret, self._aad())
        except Configuration as error:
            raise UserError(error.message) from None

    def _aad(self):
        # Binds the ciphertext to its record: copied to another row it cannot be read.
        return f"integration.credential:{self.id}".encode()

    def _check_form(self, secret):
        """Let ring 1 judge the parts; ``secret`` may be empty while none is set.

        :raises ValidationError: naming the part, never quoting the secret
        """
        if self.kind == "none":
            return
        if self.kind == "basic" and not self.username:
            raise ValidationError(self.env._("Basic authentication needs a user name."))
        try:
            probe = self._ring1(secret or PLACEHOLDER)
            auth.apply({}, [probe], msg_id="check", body=b"", now=0)
        except IntegrationError as error:
            raise ValidationError(error.message) from None

    # -- use ---------------------------------------------------------------------

    def _secret(self):
        """Return the secret.

        :rtype: bytes
        :raises Configuration: none is set, or this node lacks the key
        """
        self.ensure_one()
        return self._decrypt(self.sudo().with_context(bin_size=False).secret_token)

    def _decrypt(self, token):
        if not token:
            raise Configuration(
                f"The credential {self.name!r} has no secret",
                code="credential_without_secret",
            )
        try:
            return runtime.keyring().decrypt(token, self._aad())
        except Permanent as error:
            # Most likely other bytes under the same id on this node: the messages wait.
            raise Configuration(
                f"The secret of the credential {self.name!r} cannot be read with the key"
                " ring of this node",
                code=error.code,
            ) from None

    def _is_expired(self, now):
        return bool(self.expires_at and self.expires_at <= now)

    def _all_signing_secrets(self, now):
        """Return the keys that sign and verify: the current ones, then those in grace.

        :param datetime now: naive UTC; expired credentials have no part
        :rtype: list[bytes]
        :raises Configuration: a secret is missing or cannot be decrypted on this node
        """
        return [
            signing.parse_secret(text.decode()) for text in self._signing_texts(now)
        ]

    def _signing_texts(self, now):
        signers = self.sudo().filtered(
            lambda one: one.active
            and one.kind == "signing_secret"
            and not one._is_expired(now)
        )
        current = [one._secret() for one in signers]
        return current + [text for one in signers for text in one._previous_texts(now)]

    def _previous_texts(self, now):
        rows = self.previous_ids.filtered(lambda row: row.valid_until > now)
        return [
            self._decrypt(row.secret_token) for row in rows.with_context(bin_size=False)
        ]

    def _to_ring1(self, now):
        """Return what ``transports.auth.apply`` needs to send as these credentials.

        :param datetime now: naive UTC
        :rtype: list[transports.auth.Credential]
        :raises Configuration: a secret is missing, expired or unreadable on this node;
            an unauthenticated request is never sent instead
        """
        others = self.sudo().filtered(lambda one: one.active and one.kind != "none")
        signers = others.filtered(lambda one: one.kind == "signing_secret")
        result = [one._usable(now) for one in others - signers]
        texts = signers._signing_texts(now)
        if signers and not texts:
            raise signers[0]._expired()
        return result + [
            auth.Credential(kind="signing_secret", secret=text) for text in texts
        ]

    def _usable(self, now):
        if self._is_expired(now):
            raise self._expired()
        return self._ring1(self._secret())

    def _expired(self):
        return Configuration(
            f"The credential {self.name!r} has expired", code="credential_expired"
        )

    def _ring1(self, secret):
        return auth.Credential(
            kind=self.kind,
            username=self.username or None,
            secret=secret,
            header_name=self.header_name or None,
        )

    # -- rotation ----------------------------------------------------------------

    def action_rotate(self):
        """Open the wizard that enters or makes the next secret."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Rotate Secret"),
            "res_model": "integration.credential.rotate",
            "view_mode": "form",
            "target": "new",
            "context": {"default_credential_id": self.id},
        }

    def _rotate(self, text, grace_days):
        """Replace the secret; a signing secret stays valid for ``grace_days``.

        :raises UserError: too many older secrets are in grace, or no key ring
        """
        self.ensure_one()
        self.check_access("write")
        if self.kind == "signing_secret" and self.has_secret and grace_days > 0:
            self._keep_previous(fields.Datetime.now() + timedelta(days=grace_days))
        self._store_secret(text)

    def _keep_previous(self, until):
        if len(self._in_grace()) >= MOST_PREVIOUS:
            raise UserError(
                self.env._(
                    "%(limit)s older secrets of %(name)s are still valid; let one expire first.",
                    limit=MOST_PREVIOUS,
                    name=self.name,
                )
            )
        token = self.sudo().with_context(bin_size=False).secret_token
        self.env["integration.credential.previous"].sudo().create(
            {"credential_id": self.id, "secret_token": token, "valid_until": until}
        )

    def _in_grace(self):
        now = fields.Datetime.now()
        return self.sudo().previous_ids.filtered(lambda row: row.valid_until > now)

    @api.model
    def _rewrap_all(self):
        """Put every secret under the primary key, after a new one came first in the ring.

        :return: number of secrets that changed their key
        :raises AccessError: the user is no administrator
        """
        if not self.env.user.has_group(
            "healthcare_integration_base.group_administrator"
        ):
            raise AccessError(
                self.env._("Only an integration administrator may re-encrypt secrets.")
            )
        credentials = (
            self.sudo().with_context(active_test=False, bin_size=False).search([])
        )
        return sum(one._rewrap() for one in credentials)

    @api.model
    def action_rewrap(self):
        """Re-encrypt all secrets after a new key came first in the key ring.

        :return: notification that tells how many changed; when it is zero, the old key
            may leave the ring
        """
        try:
            changed = self._rewrap_all()
        except IntegrationError as error:
            raise UserError(error.message) from None
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "%s secrets are under the newest key now.", changed
                ),
            },
        }

    def _rewrap(self):
        ring, changed = runtime.keyring(), 0
        for row in (self, *self.previous_ids):
            if row.secret_token and ring.needs_rewrap(row.secret_token):
                row.secret_token = ring.rewrap(row.secret_token, self._aad())
                changed += 1
        if changed:
            self.secret_key_id = ring.primary_id
        return changed
