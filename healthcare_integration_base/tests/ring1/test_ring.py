# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Ring 1 stays what it is: no Odoo, relative imports, optional libraries imported lazily."""

import ast
import subprocess
import sys
from pathlib import Path

import hib
import pytest

ADDON = Path(hib.__path__[0])
FILES = sorted(
    file
    for folder in ("protocol", "transports", "codecs")
    for file in (ADDON / folder).glob("*.py")
)
MODULES = [
    f"hib.{file.parent.name}.{file.stem}" for file in FILES if file.stem != "__init__"
]
OPTIONAL = {"jsonata", "aiohttp", "fhir", "paramiko", "pika", "nats"}
HTTP_CLIENTS = {"aiohttp", "requests", "urllib3", "httpx"}


def imports(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module


def test_files_are_found():
    assert len(FILES) > 20


@pytest.mark.parametrize(
    "file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}"
)
def test_a_file_imports_neither_odoo_nor_a_second_http_client(file):
    tops = {name.split(".")[0] for name in imports(file)}
    assert "odoo" not in tops and not any(
        name.startswith("healthcare") for name in tops
    )
    allowed = {"aiohttp"} if file.name == "http.py" else set()
    assert tops & HTTP_CLIENTS <= allowed


@pytest.mark.parametrize(
    "file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}"
)
def test_a_file_names_its_license_and_purpose(file):
    text = file.read_text()
    assert text.startswith(
        "# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).\n"
    )
    assert ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize(
    "file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}"
)
def test_a_file_is_of_a_size_one_can_read(file):
    assert len(file.read_text().splitlines()) <= 500


def test_packages_import_nothing_heavy():
    code = (
        "import sys, types; hib = types.ModuleType('hib');"
        "hib.__path__ = [sys.argv[1]]; sys.modules['hib'] = hib;"
        "import hib.protocol, hib.transports, hib.protocol.mapping, hib.codecs;"
        f"found = {OPTIONAL!r} & set(sys.modules);"
        "assert not found, found; assert 'odoo' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(ADDON)], check=True, timeout=60)


@pytest.mark.parametrize("module", MODULES)
def test_each_module_imports_by_itself(module):
    __import__(module)
    assert "odoo" not in sys.modules
