# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import Command
from odoo.exceptions import ValidationError
from odoo.tests import tagged

from ..protocol.mapping import MappingError
from .common import IntegrationCase


@tagged("post_install", "-at_install")
class TestMappingFormErrors(IntegrationCase):
    def test_a_broken_expression_is_a_form_error_with_position(self):
        for expression in ('{"a": }', "$sum(", "lines[", '{"a": "b'):
            with (
                self.subTest(expression),
                self.assertRaisesRegex(ValidationError, "Mapping"),
            ):
                self.make_mapping(expression)
        with self.assertRaisesRegex(ValidationError, r"position \d+"):
            self.make_mapping('{"number": number, "x": ]}')

    def test_an_empty_expression_is_a_form_error(self):
        for expression in ("", "   ", False):
            with (
                self.subTest(expression),
                self.assertRaisesRegex(ValidationError, "empty"),
            ):
                self.make_mapping(expression)

    def test_dangerous_functions_are_form_errors(self):
        with self.assertRaisesRegex(ValidationError, "not available"):
            self.make_mapping('$eval("1")')

    def test_changing_to_a_broken_expression_is_refused(self):
        mapping = self.make_mapping()
        with self.assertRaises(ValidationError):
            mapping.expression_text = "{"
        self.assertEqual(mapping.expression_text, '{"number": number}')

    def test_a_bad_row_of_the_table_is_a_form_error(self):
        row = {"target": "a..b", "source": "number"}
        with self.assertRaisesRegex(ValidationError, "(?i)row 1"):
            self.make_mapping(False, kind="table", line_ids=[Command.create(row)])
        mapping = self.make_mapping(
            False,
            kind="table",
            line_ids=[Command.create({"target": "a", "source": "b"})],
        )
        with self.assertRaises(ValidationError):
            mapping.line_ids.target = "a[b"

    def test_a_content_type_that_breaks_the_headers_is_a_form_error(self):
        mapping = self.make_mapping(content_type="text/plain; charset=utf-8")
        for bad in ("text/plain\r\nX-Evil: 1", "text", "text/plain; a=b; c", "é/x"):
            with (
                self.subTest(bad),
                self.assertRaisesRegex(ValidationError, "application/json"),
            ):
                mapping.content_type = bad

    def test_an_empty_table_may_be_saved_and_not_approved(self):
        mapping = self.make_mapping(False, kind="table")
        self.assertFalse(mapping.expression)
        with self.assertRaisesRegex(ValidationError, "no rows"):
            mapping.with_user(self.make_user("approver")).action_approve()


@tagged("post_install", "-at_install")
class TestMappingEvaluation(IntegrationCase):
    def table(self, *rows, **vals):
        lines = [Command.create({"sequence": n, **row}) for n, row in enumerate(rows)]
        return self.make_mapping(False, kind="table", line_ids=lines, **vals)

    def test_a_table_compiles_to_an_expression_that_is_shown(self):
        mapping = self.table(
            {"target": "order.number", "source": "number", "transform": "lower"},
            {
                "target": "order.lines[].sku",
                "source": "lines[].product.code",
                "required": True,
            },
            {"target": "order.lines[].unit", "source": "lines[].unit", "default": "EA"},
            {"target": "order.kind", "default": "standard"},
        )
        data = {
            "number": "P0001",
            "lines": [
                {"product": {"code": "A"}, "unit": "BX"},
                {"product": {"code": "B"}},
            ],
        }
        self.assertEqual(
            mapping._evaluate(data, {}),
            {
                "order": {
                    "number": "p0001",
                    "lines": [{"sku": "A", "unit": "BX"}, {"sku": "B", "unit": "EA"}],
                    "kind": "standard",
                }
            },
        )
        self.assertIn("lines", mapping.expression)

    def test_the_expression_follows_the_rows(self):
        mapping = self.table({"target": "a", "source": "number"})
        before = mapping.expression
        mapping.line_ids.target = "b"
        self.assertNotEqual(mapping.expression, before)
        self.assertEqual(mapping._evaluate({"number": 1}, {}), {"b": 1})

    def test_a_missing_required_value_is_an_error_without_data(self):
        mapping = self.table({"target": "a", "source": "secret.path", "required": True})
        with self.assertRaises(MappingError) as caught:
            mapping._evaluate({"patient": "Jane Roe"}, {})
        self.assertNotIn("Jane", caught.exception.message)

    def test_the_event_itself_is_readable(self):
        mapping = self.make_mapping('{"id": event.id, "at": event.time, "n": number}')
        result = mapping._evaluate(
            {"number": "P1"}, {"id": "u-1", "time": "2026-11-20T12:00:00Z"}
        )
        self.assertEqual(result, {"id": "u-1", "at": "2026-11-20T12:00:00Z", "n": "P1"})

    def test_lists_of_partners_are_readable_as_data(self):
        mapping = self.make_mapping('{"first": data[0].n}', direction="in")
        self.assertEqual(mapping._evaluate([{"n": 1}, {"n": 2}], {}), {"first": 1})

    def crosswalk(self, system, **vals):
        return self.env["integration.crosswalk"].create(
            {
                "system_id": system.id,
                "domain": "uom",
                "internal_value": "Units",
                "external_value": "EA",
                **vals,
            }
        )

    def test_crosswalks_translate_in_both_directions(self):
        system = self.make_system()
        self.crosswalk(system)
        row = {"target": "unit", "source": "unit", "crosswalk": "uom"}
        outgoing = self.table(row, system_id=system.id)
        incoming = self.table(row, system_id=system.id, direction="in")
        self.assertEqual(outgoing._evaluate({"unit": "Units"}, {}), {"unit": "EA"})
        self.assertEqual(incoming._evaluate({"unit": "EA"}, {}), {"unit": "Units"})

    def test_crosswalks_of_another_system_or_day_do_not_count(self):
        system = self.make_system()
        self.crosswalk(self.make_system())
        self.crosswalk(system, valid_to="2020-01-01", external_value="OLD")
        self.crosswalk(system, valid_from="2999-01-01", external_value="NEW")
        mapping = self.make_mapping(
            '{"u": $crosswalk("uom", unit)}', system_id=system.id
        )
        self.assertEqual(mapping._evaluate({"unit": "Units"}, {}), {})
        self.crosswalk(system, valid_from="2020-01-02", valid_to="2999-01-01")
        self.assertEqual(mapping._evaluate({"unit": "Units"}, {}), {"u": "EA"})

    def test_a_batch_reads_a_crosswalk_once(self):
        system = self.make_system()
        self.crosswalk(system)
        mapping = self.make_mapping(
            '{"u": $crosswalk("uom", unit)}', system_id=system.id
        )
        mapping._evaluate({"unit": "Units"}, {})
        with self.assertQueryCount(0):
            for _message in range(20):
                mapping._evaluate({"unit": "Units"}, {})

    def test_a_changed_crosswalk_counts_at_once(self):
        system = self.make_system()
        pair = self.crosswalk(system)
        mapping = self.make_mapping(
            '{"u": $crosswalk("uom", unit)}', system_id=system.id
        )
        mapping._evaluate({"unit": "Units"}, {})
        pair.external_value = "PCE"
        self.assertEqual(mapping._evaluate({"unit": "Units"}, {}), {"u": "PCE"})
