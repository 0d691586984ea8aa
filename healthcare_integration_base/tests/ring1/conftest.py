# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Makes ring 1 importable as ``hib`` without Odoo.

The addon's own ``__init__`` imports models; ``hib`` is a package whose path is
the addon's folder, so that only what a test names is imported.
"""

import sys
import types
from pathlib import Path

ADDON = Path(__file__).resolve().parents[2]

if "hib" not in sys.modules:
    alias = types.ModuleType("hib")
    alias.__path__ = [str(ADDON)]
    sys.modules["hib"] = alias
