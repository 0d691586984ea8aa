# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Odoo's own command line, as a script.

`python -m odoo` cannot restart itself (it re-executes `sys.argv[0]`) and its
gevent worker is started the same way, so Odoo needs a real script file.
"""

import os
import sys

# This folder is sys.path[0] of a script; its module names are nobody's business.
sys.path[:] = [
    entry
    for entry in sys.path
    if os.path.realpath(entry or ".") != os.path.dirname(os.path.realpath(__file__))
]

import odoo.cli  # noqa: E402  pylint: disable=wrong-import-position

if __name__ == "__main__":
    odoo.cli.main()
