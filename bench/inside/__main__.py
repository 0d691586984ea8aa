# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""`python -m bench.inside DATABASE PURPOSE`: a registry that does what stdin says.

One call a line, `[function, {arguments}]`; one answer a line. The function is one of
`bench.inside.<purpose>` and gets an environment as superuser; it is committed.
"""

import importlib
import json
import os
import sys
import threading
import traceback

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry
from odoo.tools import config


def main(database: str, purpose: str, addons_path: str) -> None:
    """Answer calls until stdin ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever else prints must not be taken for an answer
    options = [
        "-c",
        os.environ["ODOO_RC"],
        "-d",
        database,
        "--log-level=warn",
        "--no-http",
    ]
    if addons_path:
        options.append(f"--addons-path={addons_path}")
    config.parse_config(options, setup_logging=True)
    threading.current_thread().dbname = database
    registry = Registry(database)
    module = importlib.import_module(f"bench.inside.{purpose}")
    answers.write(json.dumps({"result": "ready"}) + "\n")
    for line in sys.stdin:
        function, arguments = json.loads(line)
        try:
            answer = {"result": _call(registry, getattr(module, function), arguments)}
        except Exception:
            answer = {"error": traceback.format_exc()}
        answers.write(json.dumps(answer) + "\n")


def _call(registry, function, arguments):
    with registry.cursor() as cr:
        env = api.Environment(cr, SUPERUSER_ID, {"lang": "en_US", "tz": "UTC"})
        env = env(context={**env.context, "allowed_company_ids": env.company.ids})
        return function(env, **arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
