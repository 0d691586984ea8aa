# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import UserError

from ..protocol import signing


class IntegrationCredentialRotate(models.TransientModel):
    """Enters or makes the next secret of a credential.

    Neither field of a secret has a column: what is typed goes straight into the
    encrypted credential, what is made is shown once.
    """

    _name = "integration.credential.rotate"
    _description = "Rotate the Secret of a Credential"
    _allow_sudo_commands = False

    credential_id = fields.Many2one(
        "integration.credential", required=True, ondelete="cascade"
    )
    kind = fields.Selection(related="credential_id.kind")
    has_secret = fields.Boolean(related="credential_id.has_secret")
    grace_days = fields.Integer(
        default=7,
        help="Days the present signing secret goes on signing and verifying, "
        "so that the partner can change over. Other kinds are replaced at once.",
    )
    new_secret = fields.Char(
        compute="_compute_new_secret",
        inverse="_inverse_new_secret",
        help="Stored encrypted.",
    )
    shown_secret = fields.Char(
        store=False, readonly=True, help="Shown this once: hand it to the partner now."
    )

    _grace_days = models.Constraint(
        "CHECK(grace_days BETWEEN 0 AND 365)", "The grace period is 0 to 365 days."
    )

    def _compute_new_secret(self):
        self.new_secret = False

    def _inverse_new_secret(self):
        for wizard in self.filtered("new_secret"):
            wizard.credential_id._rotate(wizard.new_secret, wizard.grace_days)
        # Else the answer to the web client would carry the secret back.
        self.invalidate_recordset(["new_secret"], flush=False)

    @api.model
    def default_get(self, fields_list):
        """Show the secret that ``action_generate`` has just made."""
        values = super().default_get(fields_list)
        values.setdefault(
            "shown_secret", self.env.context.get("integration_shown_secret", False)
        )
        return values

    def action_rotate(self):
        """Close the wizard: the secret was stored when the form was saved."""
        return {"type": "ir.actions.act_window_close"}

    def action_generate(self):
        """Make a new signing secret and show it once.

        :return: the same form, with the secret
        :raises UserError: the credential is of another kind
        """
        self.ensure_one()
        if self.kind != "signing_secret":
            raise UserError(
                self.env._("Only signing secrets are made here; enter the others.")
            )
        secret = signing.generate_secret()
        self.credential_id._rotate(secret, self.grace_days)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New Signing Secret"),
            "res_model": self._name,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "default_credential_id": self.credential_id.id,
                "default_grace_days": self.grace_days,
                "integration_shown_secret": secret,
            },
        }
