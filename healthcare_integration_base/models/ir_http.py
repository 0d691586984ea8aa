# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import BaseConverter, ValidationError

from odoo import models
from odoo.http import request

from ..controllers import problem


class ResourceConverter(BaseConverter):
    """Part of a path that names a published resource; other names are other routes'."""

    regex = "[a-z][a-z0-9-]*"

    def to_python(self, value):
        """Return the name.

        :raises ValidationError: no resource is called so; then the route does not fit
        """
        if value not in request.env["integration.api"]._resources():
            raise ValidationError
        return value


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    @classmethod
    def _get_converters(cls):
        return {**super()._get_converters(), "integration_resource": ResourceConverter}

    @classmethod
    def _match(cls, path_info):
        """Answer unknown partner routes and methods in problem+json, never with a web page."""
        try:
            return super()._match(path_info)
        except HTTPException as exc:
            if not problem.is_ours(path_info):
                raise
            if exc.code == 405 and not cls._fits(path_info, exc.valid_methods or ()):
                exc = NotFound()
            raise problem.no_route(exc) from exc

    @classmethod
    def _fits(cls, path_info, methods):
        """Tell whether the path leads anywhere by one of the methods.

        werkzeug looks at methods before converters: any word looks like a resource.
        """
        routes = request.env["ir.http"].routing_map()
        router = routes.bind_to_environ(request.httprequest.environ)
        return any(router.test(path_info, method) for method in methods)
