# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import psycopg2

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import IntegrationCase

SCHEMA = '{"type": "object", "required": ["number"], "properties": {"number": {"type": "string"}}}'


@tagged("post_install", "-at_install")
class TestEventTypeFormErrors(IntegrationCase):
    def test_broken_json_is_a_form_error_with_line_and_column(self):
        with self.assertRaisesRegex(ValidationError, "line 2, column 10"):
            self.make_event_type(schema_text='{\n "type": , }')

    def test_a_broken_schema_is_a_form_error_with_its_place(self):
        text = '{"type": "object", "properties": {"a": {"type": "strin"}}}'
        with self.assertRaisesRegex(ValidationError, "/properties/a"):
            self.make_event_type(schema_text=text)

    def test_references_out_of_the_document_are_refused(self):
        with self.assertRaisesRegex(ValidationError, "/properties/a/"):
            self.make_event_type(
                schema_text='{"properties": {"a": {"$ref": "https://evil.example/s.json"}}}'
            )

    def test_a_missing_schema_file_is_a_form_error_that_names_it(self):
        with self.assertRaises(ValidationError) as caught:
            self.make_event_type(
                schema_path="healthcare_integration_base/schemas/none.json"
            )
        self.assertIn("schemas/none.json", str(caught.exception))

    def test_files_outside_of_the_addons_are_not_read(self):
        for path in (
            "/etc/passwd",
            "../../../../etc/passwd",
            "healthcare_integration_base/const.py",
        ):
            with self.subTest(path), self.assertRaises(ValidationError):
                self.make_event_type(schema_path=path)

    def test_codes_have_dotted_lower_case_words(self):
        for code in (
            "Supply.Order",
            "single",
            "supply..order",
            "supply.order-x",
            "supply.order.",
        ):
            with (
                self.subTest(code),
                self.assertRaisesRegex(ValidationError, "joined by dots"),
            ):
                self.make_event_type(code=code)

    def test_code_and_version_are_unique(self):
        event_type = self.make_event_type()
        with mute_logger("odoo.sql_db"), self.assertRaises(psycopg2.IntegrityError):
            self.make_event_type(code=event_type.code)
        self.assertTrue(self.make_event_type(code=event_type.code, version=2))

    def test_handlers_must_exist_and_have_the_prefix(self):
        bad = [
            ({"handler_method": "unlink"}, "start with _integration_apply_"),
            ({"handler_method": "_integration_apply_nothing"}, "There is no method"),
            ({"handler_model": "no.such.model"}, "There is no method"),
            ({"handler_method": False}, "both its model and its method"),
        ]
        for change, text in bad:
            vals = {
                "direction": "in",
                "handler_model": "res.partner",
                "handler_method": "_integration_apply_partner",
                **change,
            }
            with self.subTest(change), self.assertRaisesRegex(ValidationError, text):
                self.make_event_type(**vals)


@tagged("post_install", "-at_install")
class TestEventTypeCatalogue(IntegrationCase):
    def test_deviations_have_path_and_message_without_the_value(self):
        event_type = self.make_event_type(schema_text=SCHEMA)
        self.assertEqual(event_type._validate({"number": "P1"}), [])
        (deviation,) = event_type._validate({"number": 4711})
        self.assertEqual(deviation["path"], "/number")
        self.assertNotIn("4711", deviation["message"])

    def test_without_a_schema_everything_fits(self):
        self.assertEqual(self.make_event_type()._validate({"any": "thing"}), [])

    def test_schema_files_of_addons_are_read(self):
        event_type = self.env.ref(
            "healthcare_integration_base.event_type_endpoint_tested"
        )
        self.assertEqual(event_type._schema()["title"], "Endpoint tested")
        self.assertTrue(event_type._validate({}))

    def test_the_newest_active_version_counts_unless_one_is_asked_for(self):
        EventType = self.env["integration.event.type"]
        one = self.make_event_type()
        two = self.make_event_type(code=one.code, version=2)
        self.assertEqual(EventType._get(one.code), two.id)
        self.assertEqual(EventType._get(one.code, 1), one.id)
        two.active = False
        self.assertEqual(EventType._get(one.code), one.id)
        self.assertFalse(EventType._get("no.such.type"))

    def test_a_type_made_later_is_found(self):
        EventType = self.env["integration.event.type"]
        self.assertFalse(EventType._get("later.type.made"))
        made = self.make_event_type(code="later.type.made")
        self.assertEqual(EventType._get("later.type.made"), made.id)

    def test_partners_may_name_a_type_in_full_or_bare(self):
        EventType = self.env["integration.event.type"]
        one = self.make_event_type()
        self.assertEqual(EventType._get_by_type(f"healthcare.{one.code}.v1"), one.id)
        self.assertEqual(EventType._get_by_type(one.code), one.id)
        self.assertFalse(EventType._get_by_type(f"healthcare.{one.code}.v9"))
        self.assertFalse(EventType._get_by_type("nonsense"))

    def test_a_changed_schema_counts_at_once(self):
        event_type = self.make_event_type()
        self.assertFalse(event_type._validate({"number": 1}))
        event_type.schema_text = SCHEMA
        self.assertTrue(event_type._validate({"number": 1}))

    def test_protection_cannot_change_behind_stored_events(self):
        event_type = self.make_event_type()
        event_type.sensitivity = "phi"
        event_type.sensitivity = "internal"
        self.make_event(event_type, {})
        event_type.sensitivity = "confidential"
        with self.assertRaisesRegex(UserError, "make a new version"):
            event_type.sensitivity = "phi"
