# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo.tests import tagged

from .reception_common import CODE, SCHEMA, ReceptionCase

SCHEMAS = "/integration/v1/schemas"


@tagged("post_install", "-at_install")
class TestSchemaRoute(ReceptionCase):
    def fetch(self, path, key=None):
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return self.call(f"{SCHEMAS}/{path}", headers=headers)

    def test_a_client_reads_the_schema_its_events_name(self):
        key = self.client._generate_key("schemas", None)
        answer = self.fetch(f"{CODE}/1", key)
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(answer.json(), SCHEMA)
        self.assertEqual(answer.headers["Content-Type"], "application/schema+json")

    def test_nobody_reads_it_without_a_key(self):
        self.assert_problem(self.fetch(f"{CODE}/1"), 401, "missing_credentials")
        self.assert_problem(self.fetch(f"{CODE}/1", "hik_x_y"), 401, "invalid_api_key")

    def test_what_is_not_in_the_catalogue_is_not_found(self):
        key = self.client._generate_key("schemas", None)
        for path in (f"{CODE}/2", "unknown.code/1", f"{CODE}/{2**40}", "%00/1"):
            self.assert_problem(self.fetch(path, key), 404, "unknown_schema")
        self.assert_problem(self.fetch(f"{CODE}/x", key), 404)
