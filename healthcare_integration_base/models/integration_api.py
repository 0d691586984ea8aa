# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import logging

from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..controllers import operation as operations
from ..engine import asyncapi, openapi
from ..engine.catalogue import Catalogue, EventType, Offer
from ..protocol.errors import IntegrationError

_logger = logging.getLogger(__name__)

VIEWER = "healthcare_integration_base.group_viewer"


class IntegrationApi(models.AbstractModel):
    """What the system APIs of all installed connectors publish."""

    _name = "integration.api"
    _description = "System APIs"

    @api.model
    def _resources(self):
        """Return the resources that clients may read; connectors add theirs.

        Called for each request: build the dataclasses once, at import.

        :return: dict of name → :class:`~..engine.resource.Resource`
        """
        return {}

    @api.model
    def _validators(self):
        """Return what ``POST /integration/v1/validations`` can check; connectors add theirs.

        A validator is called in the client's acting environment with a list of texts and
        answers a dict of text → :class:`~..engine.validation.Verdict`.

        :return: dict of kind (``account``) → function (env, values) → verdicts
        """
        return {}

    @api.model
    def _enabled(self):
        """Return the resources an administrator has not switched off."""
        off = self.env["integration.api.resource"]._switched_off()
        return {
            name: resource
            for name, resource in self._resources().items()
            if name not in off
        }

    # -- descriptions -----------------------------------------------------------------

    @api.model
    def _openapi(self):
        """Return the OpenAPI 3.1 document of all that is offered."""
        return openapi.document(self.sudo()._catalogue())

    @api.model
    def _asyncapi(self):
        """Return the AsyncAPI 3.0 document of all events."""
        return asyncapi.document(self.sudo()._catalogue())

    @api.model
    @api.readonly
    def describe(self):
        """Return the OpenAPI document to people who look at it in Odoo.

        :raises AccessError: the user is no integration viewer
        """
        self._check_viewer()
        return self._openapi()

    @api.model
    @api.readonly
    def describe_events(self):
        """Return the AsyncAPI document, to the same people."""
        self._check_viewer()
        return self._asyncapi()

    def _check_viewer(self):
        if not self.env.su and not self.env.user.has_group(VIEWER):
            raise AccessError(
                self.env._("Only integration viewers may read the description.")
            )

    @api.model
    def _catalogue(self):
        url = self.env["ir.config_parameter"].get_param("web.base.url") or ""
        return Catalogue(
            url=url.rstrip("/"),
            today=fields.Date.today(),
            routes=list(operations.published),
            offers=self._offers(),
            event_types=self._event_types(),
        )

    @api.model
    def _offers(self):
        decided = {
            row.name: row for row in self.env["integration.api.resource"].search([])
        }
        none = self.env["integration.api.resource"]
        return [
            Offer(
                resource=resource,
                text=decided.get(name, none).description or "",
                needs=self._group_name(resource.needs),
                deprecated_on=decided.get(name, none).deprecated_on or None,
                sunset_on=decided.get(name, none).sunset_on or None,
            )
            for name, resource in sorted(self._enabled().items())
        ]

    @api.model
    def _group_name(self, xmlid):
        group = self.env.ref(xmlid, raise_if_not_found=False)
        return group.full_name if group else ""

    @api.model
    def _event_types(self):
        return [
            EventType(
                code=one.code,
                version=one.version,
                name=one.name,
                text=one.description or "",
                direction=one.direction,
                schema=self._schema_of(one),
                deprecated_on=one.deprecated_on or None,
                sunset_on=one.sunset_on or None,
            )
            for one in self.env["integration.event.type"].search([])
        ]

    @api.model
    def _schema_of(self, event_type):
        """Return the schema of a type; one that cannot be read leaves the others described."""
        try:
            return event_type._schema()
        except IntegrationError as error:
            _logger.error(
                "Event type %s is described without its schema: %s",
                event_type.code,
                error.message,
            )
            return {}
