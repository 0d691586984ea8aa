# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Odoo as the web client talks to it: a session of a user, one call a click."""

from __future__ import annotations

from typing import Any

from dev.rig.processes import Rpc, RpcError

__all__ = ["RpcError", "User"]


class User(Rpc):
    """Somebody logged in."""

    def __init__(self, url: str, database: str, login: str, password: str) -> None:
        super().__init__(url, database, login, password)
        self.database = database
        self.login = login

    def click(self, action_id: int, model: str, ids: list[int]) -> Any:
        """Run a server action on the records ticked in a list, as its *Actions* menu does."""
        context = {"active_model": model, "active_ids": ids, "active_id": ids[0]}
        return self.post(
            "/web/action/run", {"action_id": action_id, "context": context}
        )

    def follow(self, action: dict, button: str, **values: Any) -> Any:
        """Open the dialog an action asks for, fill it in and press one of its buttons."""
        context = action.get("context") or {}
        model = action["res_model"]
        wizard = (
            action.get("res_id")
            or self.call(model, "create", [values], context=context)[0]
        )
        return self.call(model, button, [wizard], context=context)

    def create(self, model: str, **values: Any) -> int:
        """Create a record; return its id."""
        return self.call(model, "create", [values])[0]

    def write(self, model: str, record_id: int, **values: Any) -> None:
        """Change a record."""
        self.call(model, "write", [record_id], values)

    def search(self, model: str, domain: list, **kwargs: Any) -> list[int]:
        """Return the ids of the records in a domain."""
        return self.call(model, "search", domain, **kwargs)

    def count(self, model: str, domain: list) -> int:
        """Return how many records are in a domain."""
        return self.call(model, "search_count", domain)

    def one(self, model: str, record_id: int, *names: str) -> dict:
        """Return fields of a record."""
        return self.call(model, "read", [record_id], list(names))[0]

    def ref(self, xmlid: str) -> int:
        """Return the id behind an external id (an administrator's right).

        :raises LookupError: there is none
        """
        module, name = xmlid.split(".")
        rows = self.search_read(
            "ir.model.data", [("module", "=", module), ("name", "=", name)], ["res_id"]
        )
        if not rows:
            raise LookupError(f"there is no record {xmlid}")
        return rows[0]["res_id"]
