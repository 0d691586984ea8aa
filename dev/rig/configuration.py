# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Writes `.local/odoo.conf`; its secrets are made once and kept."""

from __future__ import annotations

import base64
import configparser
import datetime
import os
import secrets
from pathlib import Path

from . import odoo_source, paths, postgres

CHANNELS = "root:4,root.healthcare_integration:3"


def write(source: Path) -> Path:
    """Write the configuration file of the rig's Odoo."""
    conf = configparser.ConfigParser(interpolation=None)
    conf.read(paths.CONF)
    kept = (
        conf["healthcare_integration"]
        if conf.has_section("healthcare_integration")
        else {}
    )
    database = postgres.settings()
    conf["options"] = {
        "addons_path": ",".join(map(str, _addons_path(source))),
        "data_dir": str(paths.DATA),
        "db_host": database["host"],
        "db_port": database["port"],
        "db_user": database["user"],
        "pg_path": str(postgres.bin_folder()),
        "http_interface": os.environ.get("HI_HTTP_INTERFACE", "127.0.0.1"),
        "server_wide_modules": "base,web,rpc,queue_job",
        "workers": "0",
        "max_cron_threads": "1",
    }
    if database["password"]:
        conf["options"]["db_password"] = database["password"]
    conf["queue_job"] = {"channels": CHANNELS}
    conf["healthcare_integration"] = {
        "environment": "test",
        "allowed_networks": "127.0.0.0/8,::1/128",
        "encryption_key": kept.get("encryption_key") or _new_key(),
    }
    _replace(conf)
    return paths.CONF


def _addons_path(source: Path) -> list[Path]:
    ours = [paths.ROOT] if paths.addons() else []
    queue_job = paths.site_packages() / "odoo" / "addons"
    return [*odoo_source.addons_paths(source), *ours, queue_job]


def _new_key() -> str:
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    return f"k{datetime.date.today():%Y%m%d}:{key}"


def _replace(conf: configparser.ConfigParser) -> None:
    """Write the file in one move: other processes may be reading it."""
    paths.DATA.mkdir(parents=True, exist_ok=True)
    draft = paths.CONF.with_name(f"{paths.CONF.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT, 0o600), "w") as stream:
        conf.write(stream)
    draft.rename(paths.CONF)
