# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The documents that describe the interface to machines."""

import re
from unittest import skipUnless

try:  # of requirements-dev.txt
    from openapi_spec_validator import OpenAPIV31SpecValidator
except ImportError:
    OpenAPIV31SpecValidator = None

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .api_case import ApiCase


def references(value):
    """Yield all $ref of a document."""
    if isinstance(value, list):
        for inner in value:
            yield from references(inner)
    elif isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)


def resolve(document, reference):
    """Return what a local reference leads to."""
    place = document
    for part in reference.removeprefix("#/").split("/"):
        place = place[part.replace("~1", "/").replace("~0", "~")]
    return place


@tagged("post_install", "-at_install")
class TestApiDescriptions(ApiCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        scopes = ("schemas:read", "*:read")
        client = cls.make_api_client("Developer", scopes, record_scope="company")
        cls.key = client._generate_key("test")

    def document(self, name):
        response = self.get(name)
        self.assertEqual(response.status_code, 200, response.text[:500])
        return response.json()

    @skipUnless(OpenAPIV31SpecValidator, "openapi-spec-validator is not installed")
    def test_the_openapi_document_is_valid(self):
        OpenAPIV31SpecValidator(self.document("openapi.json")).validate()

    def test_all_references_lead_somewhere(self):
        for name in ("openapi.json", "asyncapi.json"):
            document = self.document(name)
            for reference in set(references(document)):
                self.assertTrue(reference.startswith("#/"), reference)
                resolve(document, reference)

    def test_every_route_of_partners_is_in_it(self):
        paths = self.document("openapi.json")["paths"]
        own = {
            rule.rule
            for rule in self.env["ir.http"].routing_map().iter_rules()
            if rule.rule.startswith("/integration/v1/")
        }
        for rule in own:
            template = re.sub(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>", r"{\1}", rule)
            if "integration_resource" not in rule:
                self.assertTrue(template in paths, template)
        for name, resource in self.env["integration.api"]._resources().items():
            self.assertTrue(f"/integration/v1/{name}" in paths, name)
            self.assertTrue(f"/integration/v1/{name}/{{number}}" in paths, name)
            for part in resource.parts:
                path = f"/integration/v1/{name}/{{number}}/{part.name}"
                self.assertTrue(path in paths, path)

    def test_operation_ids_are_unique(self):
        ids = [
            operation["operationId"]
            for item in self.document("openapi.json")["paths"].values()
            for operation in item.values()
        ]
        self.assertEqual(len(ids), len(set(ids)))

    def test_events_of_the_catalogue_are_in_it(self):
        document = self.document("openapi.json")
        out = self.env["integration.event.type"].search([("direction", "=", "out")])
        self.assertEqual(
            set(document["webhooks"]), {one._cloudevent_type() for one in out}
        )
        incoming = self.env["integration.event.type"].search([("direction", "=", "in")])
        listed = str(document["components"]["schemas"]["IncomingEvent"])
        for one in incoming:
            self.assertIn(f"event.{one.code}.v{one.version}", listed)

    def test_the_asyncapi_document_has_the_structure_of_its_standard(self):
        document = self.document("asyncapi.json")
        self.assertEqual(document["asyncapi"], "3.0.0")
        self.assertLessEqual({"title", "version"}, set(document["info"]))
        for server in document["servers"].values():
            self.assertLessEqual({"host", "protocol"}, set(server))
        for channel in document["channels"].values():
            self.assertIn("address", channel)
            self.assertTrue(channel["messages"])
        for operation in document["operations"].values():
            self.assertIn(operation["action"], ("send", "receive"))
            channel = operation["channel"]["$ref"]
            for message in operation["messages"]:
                self.assertTrue(message["$ref"].startswith(channel + "/messages/"))
        for message in document["components"]["messages"].values():
            self.assertLessEqual({"name", "contentType", "payload"}, set(message))

    def test_a_deprecated_resource_is_marked(self):
        settings = self.env["integration.api.resource"].search([("name", "=", "lots")])
        settings.write({"deprecated_on": "2026-01-01", "sunset_on": "2030-01-01"})
        operation = self.document("openapi.json")["paths"]["/integration/v1/lots"][
            "get"
        ]
        self.assertTrue(operation["deprecated"])
        self.assertEqual(operation["x-sunset-on"], "2030-01-01")
        response = self.get("lots")
        self.assertEqual(response.headers["Deprecation"], "@1767225600")
        self.assertEqual(response.headers["Sunset"], "Tue, 01 Jan 2030 00:00:00 GMT")
        self.assertNotIn("Deprecation", self.get("products").headers)

    def test_a_resource_that_is_switched_off_is_not_there(self):
        settings = self.env["integration.api.resource"].search([("name", "=", "lots")])
        settings.enabled = False
        paths = list(self.document("openapi.json")["paths"])
        self.assertNotIn("/integration/v1/lots", paths)
        self.assert_problem(self.get("lots"), 404, "unknown_resource")
        self.assert_problem(self.get("lots/LOT/7"), 404, "unknown_resource")

    def test_a_deprecated_event_type_is_told_with_its_schema(self):
        event_type = self.env["integration.event.type"].search(
            [("code", "=", "supply.lot.created")]
        )
        event_type.deprecated_on = "2026-01-01"
        response = self.get("schemas/supply.lot.created/1")
        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.headers["Deprecation"], "@1767225600")
        again = self.get(
            "schemas/supply.lot.created/1",
            headers={"If-None-Match": response.headers["ETag"]},
        )
        self.assertEqual((again.status_code, again.content), (304, b""))

    def test_descriptions_need_their_scope(self):
        key = self.make_api_client("Blind", ()).sudo()._generate_key("test")
        for name in ("openapi.json", "asyncapi.json"):
            self.assert_problem(self.get(name, key=key), 403, "scope_missing")
            self.assert_problem(self.get(name, x="1"), 400, "unknown_parameter")

    def test_people_need_to_be_viewers_to_read_it(self):
        Api = self.env["integration.api"]
        viewer = new_test_user(
            self.env, "api_viewer", "healthcare_integration_base.group_viewer"
        )
        self.assertEqual(Api.with_user(viewer).describe()["openapi"], "3.1.0")
        nobody = new_test_user(self.env, "api_nobody", "base.group_user")
        with self.assertRaises(AccessError):
            Api.with_user(nobody).describe()
