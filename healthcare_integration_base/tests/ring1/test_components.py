# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Schemas of many authors in one document."""

from __future__ import annotations

import jsonschema
from hib.protocol.components import PLACE, Components
from hypothesis import given
from hypothesis import strategies as st

UNIT = {"type": "object", "properties": {"code": {"type": "string"}}}
ITEM = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "urn:item",
    "type": "object",
    "properties": {
        "unit": {"$ref": "#/$defs/unit"},
        "parts": {"$ref": "#/$defs/parts"},
    },
    "$defs": {
        "unit": UNIT,
        "parts": {"type": "array", "items": {"$ref": "#/$defs/part"}},
        "part": {
            "properties": {
                "unit": {"$ref": "#/$defs/unit"},
                "of": {"$ref": "#/$defs/part"},
            }
        },
    },
}


def test_definitions_become_components_and_references_follow():
    components = Components()
    assert components.add("item", ITEM) == {"$ref": f"{PLACE}item"}
    assert set(components.schemas) == {"item", "unit", "parts", "part"}
    item = components.schemas["item"]
    assert item["properties"]["unit"] == {"$ref": f"{PLACE}unit"}
    assert not {"$schema", "$id", "$defs"} & set(item)
    assert components.schemas["part"]["properties"]["of"] == {"$ref": f"{PLACE}part"}


def test_the_same_definition_is_kept_once():
    components = Components()
    components.add(
        "one", {"properties": {"u": {"$ref": "#/$defs/unit"}}, "$defs": {"unit": UNIT}}
    )
    components.add("two", {"items": {"$ref": "#/$defs/unit"}, "$defs": {"unit": UNIT}})
    assert set(components.schemas) == {"one", "two", "unit"}


def test_another_definition_of_the_same_name_gets_its_own():
    components = Components()
    components.add("one", {"items": {"$ref": "#/$defs/unit"}, "$defs": {"unit": UNIT}})
    for group in ("g", "h"):
        other = {"items": {"$ref": "#/$defs/unit"}, "$defs": {"unit": {"const": group}}}
        components.add(f"two-{group}", other, group="g")
    assert components.schemas["two-g"]["items"] == {"$ref": f"{PLACE}g.unit"}
    assert components.schemas["two-h"]["items"] == {"$ref": f"{PLACE}g.unit.2"}


def test_references_to_components_and_into_the_schema_itself():
    components = Components()
    unit = components.add("unit", UNIT)
    components.add(
        "own",
        {
            "properties": {
                "a": {"type": "string"},
                "b": {"$ref": "#/properties/a"},
                "u": unit,
            }
        },
    )
    properties = components.schemas["own"]["properties"]
    assert properties["b"] == {"$ref": f"{PLACE}own/properties/a"}
    assert properties["u"] == unit


def test_names_fit_the_standard():
    components = Components()
    assert components.add("a b/c", UNIT) == {"$ref": f"{PLACE}a-b-c"}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["unit", "parts", "code", "of"]), inner, max_size=3
    ),
)


@given(VALUES)
def test_a_gathered_schema_says_the_same(value):
    components = Components()
    reference = components.add("item", ITEM)
    document = {**reference, "components": {"schemas": components.schemas}}
    plain = {key: inner for key, inner in ITEM.items() if key not in ("$id", "$schema")}
    before = jsonschema.Draft202012Validator(plain).is_valid(value)
    assert jsonschema.Draft202012Validator(document).is_valid(value) == before
