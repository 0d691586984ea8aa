# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""pytest plugin for ring 1: no folder is a package.

pytest imports the ``__init__.py`` of every folder above a test. An addon's own
imports its models, which need a running Odoo; ring 1 must do without.
"""

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collect_directory(path, parent):
    """Collect folders with an ``__init__.py`` as plain folders, too."""
    return pytest.Dir.from_parent(parent, path=path)
