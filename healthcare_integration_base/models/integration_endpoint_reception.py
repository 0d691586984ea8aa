# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import SUPERUSER_ID, api, fields, models, tools
from odoo.exceptions import ValidationError

from ..engine.inlet import Inlet, TypeRef
from ..protocol import paths

RECEIVES = ("test", "shadow", "active", "paused")
MAX_SYNC_SECONDS = 30


class IntegrationEndpoint(models.Model):
    """What an incoming endpoint does with messages before they are applied."""

    _inherit = "integration.endpoint"

    route_ids = fields.One2many("integration.endpoint.route", "endpoint_id", copy=True)
    unroutable = fields.Selection(
        [
            ("refuse", "Refuse it: the partner gets an error"),
            ("keep", "Keep it: somebody here gets a case"),
        ],
        default="refuse",
        required=True,
        help="A message that no route takes and that does not say what it is.",
    )
    ordering_path = fields.Char(
        help="Where the content names what must be applied in order, e.g. order.number. "
        "Needs a policy that orders by key. Without it, a CloudEvent's partitionkey counts."
    )
    time_path = fields.Char(
        help="Where the content says when it happened, e.g. header.sent_at. "
        "Without it, a CloudEvent's time counts."
    )
    sync_mode = fields.Selection(
        [
            ("never", "Afterwards"),
            ("on_request", "At once, if the partner asks (Prefer: wait)"),
            ("always", "At once"),
        ],
        "Applied",
        default="never",
        required=True,
        help="At once: the answer says what became of the message, if it is done in time.",
    )
    sync_seconds = fields.Integer(
        "Wait at Most",
        default=10,
        required=True,
        help="Seconds the partner may wait for the outcome; 1 to 30.",
    )

    _sync_seconds = models.Constraint(
        f"CHECK(sync_seconds BETWEEN 1 AND {MAX_SYNC_SECONDS})",
        "A partner may wait 1 to 30 seconds for the outcome.",
    )

    @api.constrains("ordering_path", "time_path")
    def _check_paths(self):
        for endpoint in self:
            for name in ("ordering_path", "time_path"):
                endpoint._check_path(name)

    def _check_path(self, name):
        try:
            if self[name]:
                paths.parse(self[name])
        except ValueError as error:
            raise ValidationError(
                self.env._(
                    "%(field)s of endpoint %(name)s: %(error)s",
                    field=self._fields[name]._description_string(self.env),
                    name=self.name,
                    error=error,
                )
            ) from None

    def _integration_matters_to_capture(self, vals):
        # an incoming endpoint is opened and closed by people only, never by run-time state
        reception = {*_RECEPTION, "state"} & vals.keys()
        mine = reception and any(one.direction == "in" for one in self)
        return mine or super()._integration_matters_to_capture(vals)

    # -- what reception knows ------------------------------------------------------------

    @api.model
    def _inlet(self, code):
        """Return what reception must know of the endpoint with this code.

        :rtype: engine.inlet.Inlet
        :return: None if no incoming endpoint in use has the code
        """
        if "\0" in code:  # PostgreSQL takes no such text
            return None
        try:
            return self._inlet_cached(code)
        except KeyError:
            return None

    @api.model
    @tools.ormcache("code")
    def _inlet_cached(self, code):
        # a fresh cursor: an old snapshot would be cached for everybody
        with self.env.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            found = env[self._name].search([("code", "=", code), *_open_ones()])
            if not found:
                raise KeyError(code)  # an exception is not cached
            return found._make_inlet()

    @api.model
    @tools.ormcache("client_id")
    def _inlets_of(self, client_id):
        """Return the codes of the endpoints in use a client may call."""
        with self.env.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            domain = [("client_ids", "=", client_id), *_open_ones()]
            return tuple(env[self._name].search(domain, order="id").mapped("code"))

    def _make_inlet(self):
        types = {one.id: one._type_ref() for one in self.route_ids.event_type_id}
        path = self.ordering_path and paths.parse(self.ordering_path)
        return Inlet(
            id=self.id,
            code=self.code,
            lane=self.lane,
            codec=self.codec,
            environment=self.environment,
            max_body=self.policy_id.max_body_size,
            dedupe_days=self.dedupe_days,
            ordered=self.policy_id.ordering == "key",
            ordering_path=path or None,
            type=self.event_type_id._type_ref() if self.event_type_id else None,
            rules=self.route_ids._rules(),
            types=types,
            refuses=self.unroutable == "refuse",
            companies={
                client.id: (client.company_id or self.company_id).id or None
                for client in self.client_ids
            },
            sync=self.sync_mode,
            sync_seconds=float(self.sync_seconds),
        )


# What an inlet is made of, beside the fields that capture knows.
_RECEPTION = frozenset(
    {
        "code",
        "direction",
        "codec",
        "event_type_id",
        "dedupe_days",
        "client_ids",
        "route_ids",
        "unroutable",
        "ordering_path",
        "sync_mode",
        "sync_seconds",
    }
)


def _open_ones():
    return [("direction", "=", "in"), ("state", "in", RECEIVES)]


class IntegrationEventType(models.Model):
    _inherit = "integration.event.type"

    def _type_ref(self):
        """Return what reception must know of this type."""
        self.ensure_one()
        return TypeRef(
            self.id,
            self.code,
            phi=self.sensitivity == "phi",
            incoming=self.direction == "in",
            deprecated_on=self.deprecated_on or None,
            sunset_on=self.sunset_on or None,
        )

    @api.model
    def _named(self, text):
        """Return the type a message names, ``healthcare.<code>.v<n>`` or a bare code.

        :rtype: engine.inlet.TypeRef
        :return: None if the catalogue has none
        """
        found = self._get_by_type(text)
        return self._named_cached(found) if found else None

    @api.model
    @tools.ormcache("type_id")
    def _named_cached(self, type_id):
        return self.sudo().browse(type_id)._type_ref()


class IntegrationClient(models.Model):
    _inherit = "integration.client"

    @api.model_create_multi
    def create(self, vals_list):
        clients = super().create(vals_list)
        self.env["integration.endpoint"]._integration_clear_capture()
        return clients

    def write(self, vals):
        result = super().write(vals)
        if {"endpoint_ids", "system_id", "active"} & vals.keys():
            self.env["integration.endpoint"]._integration_clear_capture()
        return result
