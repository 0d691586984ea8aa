# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import base64
import binascii
from datetime import date

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..const import SENSITIVITIES
from ..protocol import table_csv
from ..protocol.errors import Rejected

CROSSWALK = "integration.crosswalk"
IDENTIFIER = "integration.identifier"
COLUMNS = {
    CROSSWALK: (
        "system",
        "domain",
        "external_value",
        "internal_value",
        "valid_from",
        "valid_to",
    ),
    IDENTIFIER: ("system", "kind", "value", "model", "record", "sensitivity"),
}
REQUIRED = {
    CROSSWALK: ("external_value", "internal_value"),
    IDENTIFIER: ("value", "record"),
}
SHOWN = 200


class RowError(Exception):
    """A row that cannot be imported; the text is for the person who imports."""


class IntegrationTableImport(models.TransientModel):
    """Brings a CSV file into the crosswalks or identifiers: first seen, then done."""

    _name = "integration.table.import"
    _description = "Import Crosswalks or Identifiers"

    target = fields.Selection(
        [(CROSSWALK, "Crosswalks"), (IDENTIFIER, "External identifiers")],
        default=CROSSWALK,
        required=True,
    )
    system_id = fields.Many2one(
        "integration.system", help="For rows that name no system by its code."
    )
    domain = fields.Char(help="For rows that name none, e.g. item or uom")
    kind = fields.Char(help="For rows that name none, e.g. gln")
    model_id = fields.Many2one(
        "ir.model", help="For rows that name none, e.g. res.partner"
    )
    file = fields.Binary(attachment=False)
    file_name = fields.Char()
    skip_errors = fields.Boolean(
        "Leave rows with errors out",
        help="Otherwise a file with an error is not imported at all.",
    )
    line_ids = fields.One2many(
        "integration.table.import.line", "import_id", readonly=True
    )
    checked = fields.Boolean(readonly=True)
    created_count = fields.Integer("New", readonly=True)
    updated_count = fields.Integer("Changed", readonly=True)
    unchanged_count = fields.Integer("Unchanged", readonly=True)
    error_count = fields.Integer("With Errors", readonly=True)

    @api.onchange("file", "target", "system_id", "domain", "kind", "model_id")
    def _onchange_source(self):
        self.checked = False

    def action_check(self):
        """Show what an import of the file would do; nothing is changed.

        :raises UserError: the file cannot be read
        """
        self._note(self._plan())
        return self._reopen()

    def action_import(self):
        """Import the file, with the user's own rights: all of it or nothing.

        :raises UserError: the file cannot be read, or has errors that are not left out
        :raises AccessError: the user may not write crosswalks or identifiers
        """
        plan = self._plan()
        self._note(plan)
        if self.error_count and not self.skip_errors:
            raise UserError(
                self.env._(
                    "%(count)s rows have errors, the first is line %(line)s: %(text)s",
                    count=self.error_count,
                    line=next(step["line"] for step in plan if step["error"]),
                    text=next(step["error"] for step in plan if step["error"]),
                )
            )
        target = self.env[self.target]
        target.create([s["vals"] for s in plan if s["action"] == "create"])
        for step in plan:
            if step["action"] == "update":
                target.browse(step["id"]).write(step["vals"])
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "%(new)s new, %(changed)s changed, %(left)s left out.",
                    new=self.created_count,
                    changed=self.updated_count,
                    left=self.error_count,
                ),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def _reopen(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Import from CSV"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
        }

    # -- plan ----------------------------------------------------------------------------

    def _plan(self):
        """Return what to do with each row: line, action, id, vals, error."""
        self.ensure_one()
        self.env[self.target].check_access("write")
        rows = self._rows()
        systems = self._systems(rows)
        steps, seen = [], {}
        known = self._known(rows, systems)
        for row in rows:
            step = {"line": row.line, "action": "error", "error": "", "vals": {}}
            step["id"], step["cells"] = False, row.cells
            try:
                key, vals = self._read_row(row.cells, systems)
                self._decide(step, key, vals, known, seen)
            except RowError as error:
                step["error"] = str(error)
            steps.append(step)
        return steps

    def _rows(self):
        if not self.file:
            raise UserError(self.env._("Choose a file."))
        try:
            data = base64.b64decode(self.file, validate=True)
            return table_csv.read(data, COLUMNS[self.target], REQUIRED[self.target])
        except binascii.Error:
            raise UserError(self.env._("The file did not arrive whole.")) from None
        except Rejected as error:
            raise UserError(error.message) from None

    def _systems(self, rows):
        codes = {row.cells.get("system") for row in rows} - {None, ""}
        systems = self.env["integration.system"].search([("code", "in", list(codes))])
        return {system.code: system for system in systems}

    def _decide(self, step, key, vals, known, seen):
        if key in seen:
            raise RowError(self.env._("The same as line %s of the file.", seen[key]))
        seen[key] = step["line"]
        record = known.get(key)
        if not record:
            step.update(action="create", vals={**dict(key), **vals})
            return
        changed = {n: v for n, v in vals.items() if record[n] != v}
        step.update(
            action="update" if changed else "unchanged", id=record.id, vals=changed
        )

    def _known(self, rows, systems):
        """Return the records there are by what makes them the same."""
        model = self.env[self.target].with_context(active_test=False)
        all_systems = self.system_id.union(*systems.values())
        name = "external_value" if self.target == CROSSWALK else "value"
        values = [row.cells.get(name) or "" for row in rows]
        found = model.search(
            [("system_id", "in", all_systems.ids), (name, "in", values)]
        )
        return {self._key_of(record): record for record in found}

    def _key_of(self, record):
        if self.target == IDENTIFIER:
            return self._key(record.system_id, kind=record.kind, value=record.value)
        return self._key(
            record.system_id,
            domain=record.domain,
            external_value=record.external_value,
            valid_from=record.valid_from or False,
        )

    @staticmethod
    def _key(system, **parts):
        return (("system_id", system.id), *parts.items())

    # -- rows ------------------------------------------------------------------------------

    def _read_row(self, cells, systems):
        """Return what makes the row's record the same, and its other values.

        :raises RowError: what is wrong, for people
        """
        for name, text in cells.items():
            if len(text) > table_csv.MAX_CELL:
                raise RowError(self.env._("%s is too long.", name))
        system = self._system(cells, systems)
        read = self._crosswalk if self.target == CROSSWALK else self._identifier
        return read(system, cells)

    def _system(self, cells, systems):
        code = cells.get("system")
        system = systems.get(code) if code else self.system_id
        if not system:
            raise RowError(
                self.env._("There is no system %s.", code)
                if code
                else self.env._("No system is named.")
            )
        return system

    def _needed(self, cells, name, default=None):
        text = cells.get(name) or default
        if not text:
            raise RowError(self.env._("%s is empty.", name))
        return text

    def _crosswalk(self, system, cells):
        valid_from = self._date(cells, "valid_from")
        valid_to = self._date(cells, "valid_to")
        if valid_from and valid_to and valid_from > valid_to:
            raise RowError(self.env._("It ends before it begins."))
        key = self._key(
            system,
            domain=self._needed(cells, "domain", self.domain),
            external_value=self._needed(cells, "external_value"),
            valid_from=valid_from,
        )
        vals = {
            "internal_value": self._needed(cells, "internal_value"),
            "valid_to": valid_to,
            "active": True,
        }
        return key, vals

    def _date(self, cells, name):
        text = cells.get(name)
        try:
            return date.fromisoformat(text) if text else False
        except ValueError:
            raise RowError(
                self.env._("%(name)s is no date like 2026-12-31.", name=name)
            ) from None

    def _identifier(self, system, cells):
        model = self._needed(cells, "model", self.model_id.model)
        sensitivity = cells.get("sensitivity") or "internal"
        if sensitivity not in dict(SENSITIVITIES):
            raise RowError(
                self.env._("sensitivity is one of %s.", ", ".join(dict(SENSITIVITIES)))
            )
        if sensitivity == "phi":
            raise RowError(
                self.env._("Protected identifiers are typed in, never imported.")
            )
        key = self._key(
            system,
            kind=self._needed(cells, "kind", self.kind),
            value=self._needed(cells, "value"),
        )
        record = self._record(model, self._needed(cells, "record"))
        vals = {"res_model": model, "res_id": record.id, "sensitivity": sensitivity}
        return key, vals

    def _record(self, model, text):
        """Return the record a cell names: its id, or a name that is its alone."""
        if self.env.get(model) is None or not self.env[model].has_access("read"):
            raise RowError(self.env._("There is no model %s.", model))
        records = self.env[model]
        if text.isdecimal() and len(text) < 10:
            found = records.search([("id", "=", int(text))])
            if found:
                return found
        for name in (*self._naming_fields(model), records._rec_name or "display_name"):
            found = records.search([(name, "=", text)], limit=2)
            if len(found) == 1:
                return found
            if found:
                raise RowError(self.env._("Several records are called %s.", text))
        raise RowError(self.env._("There is no record %s.", text))

    def _naming_fields(self, model):
        """Return the fields by which people name a record in a list, its name aside.

        A connector adds those of its models; the first field that fits one record counts.

        :param model: name of the record's model
        """
        return ("ref", "vat") if model == "res.partner" else ()

    # -- preview ------------------------------------------------------------------------------

    def _note(self, plan):
        counts = dict.fromkeys(("create", "update", "unchanged", "error"), 0)
        for step in plan:
            counts[step["action"]] += 1
        order = ["error", "update", "create", "unchanged"]
        shown = sorted(plan, key=lambda step: order.index(step["action"]))[:SHOWN]
        self.write(
            {
                "checked": True,
                "created_count": counts["create"],
                "updated_count": counts["update"],
                "unchanged_count": counts["unchanged"],
                "error_count": counts["error"],
                "line_ids": [Command.clear()]
                + [Command.create(self._line(step)) for step in shown],
            }
        )

    def _line(self, step):
        cells = step["cells"]
        theirs = cells.get("external_value") or cells.get("value")
        ours = cells.get("internal_value") or cells.get("record")
        return {
            "line": step["line"],
            "action": step["action"],
            "theirs": (theirs or "")[: table_csv.MAX_CELL],
            "ours": (ours or "")[: table_csv.MAX_CELL],
            "error": step["error"],
        }


class IntegrationTableImportLine(models.TransientModel):
    """What becomes of a row of the file."""

    _name = "integration.table.import.line"
    _description = "Row of an Import"
    _order = "id"

    import_id = fields.Many2one(
        "integration.table.import", required=True, ondelete="cascade"
    )
    line = fields.Integer()
    action = fields.Selection(
        [
            ("create", "New"),
            ("update", "Changed"),
            ("unchanged", "Unchanged"),
            ("error", "Error"),
        ]
    )
    theirs = fields.Char("Partner's Value")
    ours = fields.Char("Our Value")
    error = fields.Char()
