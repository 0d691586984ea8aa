# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Copy the shared definitions of common.v1.json into the schemas that refer to them.

Each schema stays one file that a partner can take as it is. Run it after a change of
``common.v1.json``; a test fails when it was forgotten:

    python healthcare_supply_connector/schemas/inline_definitions.py
"""

from __future__ import annotations

import json
import re
from pathlib import Path

HERE = Path(__file__).parent
COMMON = HERE / "common.v1.json"
REFERENCE = re.compile(r'"#/\$defs/(\w+)"')


def inlined(schema: dict, definitions: dict) -> dict:
    """Return the schema with exactly the definitions it needs, directly or by another."""
    body = {key: value for key, value in schema.items() if key != "$defs"}
    needed: list[str] = []
    waiting = REFERENCE.findall(json.dumps(body))
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.append(name)
            waiting += REFERENCE.findall(json.dumps(definitions[name]))
    return {**body, "$defs": {name: definitions[name] for name in sorted(needed)}}


def text(schema: dict) -> str:
    """Return the schema as the text of its file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Rewrite all schema files beside this one."""
    definitions = json.loads(COMMON.read_text())["$defs"]
    for path in sorted(HERE.glob("*.json")):
        if path != COMMON:
            path.write_text(text(inlined(json.loads(path.read_text()), definitions)))


if __name__ == "__main__":
    main()
