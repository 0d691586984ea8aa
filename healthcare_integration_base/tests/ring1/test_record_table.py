# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import pytest
from hib.protocol import record_table
from hib.protocol.field_table import FieldRow
from hib.protocol.mapping_errors import MappingError

READER = record_table.Reader(
    step=lambda record, name: record.get(name),
    items=lambda record, name: record.get(name) or [],
    leaf=lambda record, name: record.get(name),
)
LEAD = {
    "id": "7",
    "name": " Beds ",
    "partner": {"name": "Clinic", "country": {"code": "BE"}},
    "lines": [{"sku": "A", "qty": "2.5"}, {"sku": None, "qty": "1"}],
    "closed": False,
}


def row(target, source="", **vals):
    return FieldRow(target=target, source=source, **vals)


def fill(*rows):
    record_table.check(rows)
    return record_table.fill(rows, LEAD, READER)


def test_nested_targets_and_sources():
    assert fill(row("lead.id", "id"), row("lead.country", "partner.country.code")) == {
        "lead": {"id": "7", "country": "BE"}
    }


def test_what_is_not_there_is_left_out_with_its_object():
    assert fill(row("id", "id"), row("a.b", "partner.state.code")) == {"id": "7"}


def test_lists_iterate_and_constants_reach_each_item():
    assert fill(
        row("lines[].unit", default="C62"),
        row("lines[].item.sku", "lines[].sku"),
        row("lines[].quantity", "lines[].qty", transform="number"),
        row("lines[].lead", "id"),
    ) == {
        "lines": [
            {"item": {"sku": "A"}, "quantity": 2.5, "lead": "7", "unit": "C62"},
            {"quantity": 1, "lead": "7", "unit": "C62"},
        ]
    }


def test_empty_list_is_there():
    assert fill(row("id", "id"), row("tags[].name", "tags[].name")) == {
        "id": "7",
        "tags": [],
    }


def test_transforms_and_defaults():
    assert fill(
        row("name", "name", transform="trim"),
        row("upper", "partner.name", transform="upper"),
        row("closed", "closed", transform="string"),
        row("state", "state", default="new"),
        row("flag", "closed"),
    ) == {
        "name": "Beds",
        "upper": "CLINIC",
        "closed": "false",
        "state": "new",
        "flag": False,
    }


def test_required_value_that_lacks_names_its_target():
    with pytest.raises(MappingError, match="lead.state") as caught:
        fill(row("lead.state", "state", required=True))
    assert caught.value.code == "mapping_required"


def test_value_that_does_not_fit_names_its_target_and_not_itself():
    with pytest.raises(MappingError) as caught:
        fill(row("amount", "partner.name", transform="number"))
    assert caught.value.code == "mapping_bad_value"
    assert "amount" in caught.value.message and "Clinic" not in caught.value.message


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [row("a")],
        [row("a", "b; drop")],
        [row("a", "__class__.x()")],
        [row("a", "lines[]")],
        [row("a[].b", "id")],
        [row("a", "id"), row("a", "name")],
        [row("a", "id", crosswalk="uom")],
        [row("a", "id", transform="magic")],
    ],
)
def test_tables_that_cannot_be_filled_are_refused(rows):
    with pytest.raises(MappingError) as caught:
        record_table.check(rows)
    assert caught.value.code == "mapping_bad_row"


def test_schema_of_a_table():
    rows = [
        row("id", "id", required=True),
        row("lines[].sku", "lines[].sku", required=True),
        row("lines[].qty", "lines[].qty", transform="number"),
        row("closed", "closed"),
    ]
    types = [{"type": "string"}, {"type": "string"}, {}, {"type": "boolean"}]
    schema = record_table.schema(rows, types, "Lead")
    assert schema["required"] == ["id", "lines"]
    assert schema["properties"]["closed"] == {"type": "boolean"}
    assert schema["properties"]["lines"] == {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"sku": {"type": "string"}, "qty": {"type": "number"}},
            "required": ["sku"],
        },
    }
