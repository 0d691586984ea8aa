# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import base64

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..protocol import table_csv
from .common import IntegrationCase

HEADER = "system,domain,external_value,internal_value,valid_from,valid_to\n"


@tagged("post_install", "-at_install")
class TestTableImport(IntegrationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.system = cls.make_system(code="medline-x")
        cls.mapper = cls.make_user("mapper")

    def wizard(self, text, user=None, **vals):
        data = text if isinstance(text, bytes) else text.encode()
        return (
            self.env["integration.table.import"]
            .with_user(user or self.mapper)
            .create({"file": base64.b64encode(data), **vals})
        )

    def rows(self, **vals):
        found = self.env["integration.crosswalk"].search(
            [("system_id", "=", self.system.id)], order="id"
        )
        return [(r.domain, r.external_value, r.internal_value) for r in found]

    def test_check_shows_what_would_happen_and_does_nothing(self):
        self.env["integration.crosswalk"].create(
            [
                {
                    "system_id": self.system.id,
                    "domain": "uom",
                    "external_value": value,
                    "internal_value": ours,
                }
                for value, ours in (("BX", "Box of 10"), ("EA", "C62"))
            ]
        )
        before = self.rows()
        wizard = self.wizard(
            HEADER
            + "medline-x,uom,BX,Box of 20,,\n"
            + "medline-x,uom,EA,C62,,\n"
            + "medline-x,uom,CT,Carton,,\n"
            + "medline-x,uom,CS,,,\n"
            + "nobody,uom,PK,Pack,,\n"
            + "medline-x,uom,CT,Carton 2,,\n"
            + "medline-x,uom,DZ,DZN,31.12.2026,\n"
            + "medline-x,uom,KG,KGM,2026-12-31,2026-01-01\n"
        )
        wizard.action_check()
        self.assertEqual(
            (wizard.created_count, wizard.updated_count, wizard.unchanged_count),
            (1, 1, 1),
        )
        errors = {
            line.line: line.error
            for line in wizard.line_ids.filtered(lambda one: one.action == "error")
        }
        self.assertEqual(set(errors), {5, 6, 7, 8, 9})
        self.assertIn("internal_value", errors[5])
        self.assertIn("nobody", errors[6])
        self.assertIn("line 4", errors[7])
        self.assertIn("valid_from", errors[8])
        self.assertEqual(self.rows(), before)
        with self.assertRaisesRegex(UserError, "line 5"):
            wizard.action_import()
        self.assertEqual(self.rows(), before)
        wizard.skip_errors = True
        wizard.action_import()
        self.assertEqual(
            self.rows(),
            [("uom", "BX", "Box of 20"), ("uom", "EA", "C62"), ("uom", "CT", "Carton")],
        )

    def test_imported_twice_is_there_once(self):
        text = HEADER + "medline-x,item,A,GLV-1,2026-01-01,\n"
        self.wizard(text).action_import()
        wizard = self.wizard(text)
        wizard.action_import()
        self.assertEqual(wizard.unchanged_count, 1)
        self.assertEqual(self.rows(), [("item", "A", "GLV-1")])

    def test_next_period_is_another_row(self):
        self.wizard(
            HEADER + "medline-x,item,A,OLD,2025-01-01,2025-12-31\n"
        ).action_import()
        self.wizard(HEADER + "medline-x,item,A,NEW,2026-01-01,\n").action_import()
        self.assertEqual(len(self.rows()), 2)
        found = self.env["integration.crosswalk"]._lookup(self.system, "item", ["A"])
        self.assertEqual(found, {"A": "NEW"})

    def test_defaults_for_rows_that_name_none(self):
        wizard = self.wizard(
            "﻿External value;Internal value\r\nBX;Schachtel für 10\r\n",
            system_id=self.system.id,
            domain="uom",
        )
        wizard.action_import()
        self.assertEqual(self.rows(), [("uom", "BX", "Schachtel für 10")])

    def test_bad_files_change_nothing_and_say_why(self):
        for data, text in (
            (b"\x00\x01", "no text"),
            (b"a,b\n1,2\n", "external_value"),
            (b"x" * (table_csv.MAX_BYTES + 1), "import it in parts"),
        ):
            with self.assertRaisesRegex(UserError, text):
                self.wizard(data).action_check()
        wizard = self.wizard(b"x")
        wizard.file = False
        with self.assertRaisesRegex(UserError, "Choose a file"):
            wizard.action_check()

    def test_only_mappers_import(self):
        for group in ("viewer", "operator", "exception_handler"):
            with self.assertRaises(AccessError):
                self.wizard(HEADER, user=self.make_user(group))

    def test_system_of_another_company_is_unknown(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        self.make_system(code="foreign-x", company_id=company.id)
        wizard = self.wizard(HEADER + "foreign-x,uom,A,B,,\n")
        wizard.action_check()
        self.assertEqual(wizard.error_count, 1)

    def test_each_change_is_audited_with_its_author(self):
        self.wizard(HEADER + "medline-x,item,A,GLV-1,,\n").action_import()
        row = self.env["integration.crosswalk"].search(
            [("system_id", "=", self.system.id)]
        )
        self.assertEqual(self.audit_entries(row).user_id, self.mapper.id)

    def test_export_comes_back_unchanged_and_is_no_formula(self):
        rows = self.env["integration.crosswalk"].create(
            [
                {
                    "system_id": self.system.id,
                    "domain": "item",
                    "external_value": value,
                    "internal_value": "X",
                    "valid_from": "2026-01-01",
                }
                for value in ("=cmd|' /C calc'!A0", "-5", "Ä;ö", "plain")
            ]
        )
        action = rows.with_user(self.mapper).action_export_csv()
        self.assertEqual(action["type"], "ir.actions.act_url")
        export = self.env["integration.table.export"].search(
            [], order="id desc", limit=1
        )
        data = base64.b64decode(export.file)
        self.assertNotIn(b"\n=", data)
        self.assertNotIn(b",=", data)
        wizard = self.wizard(data)
        wizard.action_check()
        self.assertEqual((wizard.unchanged_count, wizard.error_count), (4, 0))

    # -- identifiers ----------------------------------------------------------------------

    def test_identifiers(self):
        partner = self.env["res.partner"].create({"name": "Ward 3", "ref": "IMP-7"})
        wizard = self.wizard(
            "kind,value,model,record\n"
            "gln,5412345000013,res.partner,IMP-7\n"
            f"vendor_number,0815,res.partner,{partner.id}\n"
            "gln,1,res.partner,nobody at all\n"
            "gln,2,no.model,1\n",
            target="integration.identifier",
            system_id=self.system.id,
            skip_errors=True,
        )
        wizard.action_import()
        self.assertEqual((wizard.created_count, wizard.error_count), (2, 2))
        found = self.env["integration.identifier"]._find(
            self.system, [("gln", "5412345000013")], "res.partner"
        )
        self.assertEqual(list(found.values()), [partner.id])

    def test_protected_identifiers_are_neither_imported_nor_exported(self):
        partner = self.env["res.partner"].create({"name": "P"})
        wizard = self.wizard(
            f"kind,value,model,record,sensitivity\nmrn,1,res.partner,{partner.id},phi\n",
            target="integration.identifier",
            system_id=self.system.id,
        )
        wizard.action_check()
        self.assertEqual(wizard.error_count, 1)
        row = self.env["integration.identifier"].create(
            {
                "system_id": self.system.id,
                "kind": "mrn",
                "value": "77-12",
                "sensitivity": "phi",
                "res_model": "res.partner",
                "res_id": partner.id,
            }
        )
        self.assertEqual(row.display_name, "••••")
        row.action_export_csv()
        export = self.env["integration.table.export"].search(
            [], order="id desc", limit=1
        )
        self.assertNotIn(row.value.encode(), base64.b64decode(export.file))

    def test_protection_stays(self):
        partner = self.env["res.partner"].create({"name": "P"})
        vals = {
            "system_id": self.system.id,
            "kind": "mrn",
            "value": "77-12",
            "res_model": "res.partner",
            "res_id": partner.id,
        }
        row = self.env["integration.identifier"].create(vals)
        row.sensitivity = "phi"
        self.assertTrue(row.value.startswith("hash:"))
        self.assertEqual(row._clear_value(), "77-12")
        with self.assertRaises(UserError):
            row.sensitivity = "internal"
        with self.assertRaises(UserError):
            row.kind = "ssn"
        row.write({"kind": "ssn", "value": "88"})
        self.assertEqual(row._clear_value(), "88")
        self.use_settings(encryption_key=None)
        with self.assertRaises(UserError):
            self.env["integration.identifier"].create(
                dict(vals, sensitivity="phi", value="99")
            )
