# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import base64
import hashlib

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..protocol.errors import Rejected
from .common import IntegrationCase

PDF = b"%PDF-1.4\n%certificate\n"


@tagged("post_install", "-at_install")
class TestAttachments(IntegrationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partner = cls.env["res.partner"].create({"name": "Medline"})
        cls.system = cls.make_system(partner_id=cls.partner.id)
        endpoint = cls.make_endpoint(system_id=cls.system.id, direction="in")
        cls.message = cls.env["integration.message"].create(
            {"uid": "u-1", "direction": "in", "endpoint_id": endpoint.id}
        )
        cls.keeper = cls.make_user()
        cls.keeper.group_ids += cls.env.ref("base.group_partner_manager")

    def row(self, **vals):
        row = {
            "kind": "certificate_of_analysis",
            "name": "coa.pdf",
            "content_base64": base64.b64encode(PDF).decode(),
            "content_type": "application/pdf",
            **vals,
        }
        return {name: value for name, value in row.items() if value is not None}

    def attach(self, *rows, record=None):
        return self.env["integration.attachment"]._attach(
            record or self.partner, list(rows), self.message
        )

    def refused(self, code, path, **vals):
        with self.assertRaises(Rejected) as caught:
            self.attach(self.row(**vals))
        self.assertEqual(caught.exception.code, code)
        self.assertEqual(caught.exception.details[0]["path"], path)

    def test_content_is_kept_privately(self):
        attachment = self.attach(self.row(sha256=hashlib.sha256(PDF).hexdigest()))
        self.assertRecordValues(
            attachment,
            [
                {
                    "name": "coa.pdf",
                    "size": len(PDF),
                    "sha256": hashlib.sha256(PDF).hexdigest(),
                    "system_id": self.system.id,
                    "message_uid": "u-1",
                    "shared": False,
                }
            ],
        )
        self.assertEqual(base64.b64decode(attachment.file), PDF)
        stored = self.env["ir.attachment"].search(
            [
                ("res_model", "=", "integration.attachment"),
                ("res_id", "=", attachment.id),
                ("res_field", "=", "file"),
            ]
        )
        self.assertFalse(stored.public)

    def test_each_document_once(self):
        first = self.attach(self.row())
        self.assertEqual(self.attach(self.row()), first)
        other = self.attach(self.row(name="coa-2.pdf"))
        self.assertNotEqual(other, first)

    def test_an_address_is_kept_and_not_fetched(self):
        attachment = self.attach(
            self.row(
                content_base64=None,
                content_type=None,
                url="https://docs.example/coa.pdf",
                sha256="0" * 64,
            )
        )
        self.assertFalse(attachment.file)
        self.assertEqual(attachment.sha256, "0" * 64)
        self.assertEqual(
            attachment.action_download()["url"], "https://docs.example/coa.pdf"
        )

    def test_names_have_no_path(self):
        attachment = self.attach(self.row(name="../../etc/pass\nwd\u202efdp.exe"))
        self.assertNotIn("/", attachment.name)
        self.assertNotIn("\n", attachment.name)
        self.assertNotIn("\u202e", attachment.name)

    def test_what_is_no_document_is_refused(self):
        self.refused(
            "document_not_base64", "/documents/0/content_base64", content_base64="%%%"
        )
        self.refused("document_hash_mismatch", "/documents/0/sha256", sha256="0" * 64)
        self.refused(
            "document_type_not_allowed",
            "/documents/0/content_type",
            content_type="text/html",
        )
        self.refused(
            "document_type_not_allowed",
            "/documents/0/content_type",
            content_type="image/png",
        )
        self.refused("document_empty", "/documents/0", content_base64=None)
        for url in (
            "http://x.example/a",
            "https://u:p@x.example/",
            "javascript:1",
            "https://",
        ):
            self.refused("document_url", "/documents/0/url", url=url)

    def test_large_ones_are_refused(self):
        big = base64.b64encode(b"%PDF-" + b"0" * (10 * 1024 * 1024)).decode()
        self.refused("document_too_large", "/documents/0", content_base64=big)

    def test_who_may_not_read_the_record_may_not_read_its_documents(self):
        company = self.env["res.company"].create({"name": "Other"})
        hidden = self.env["res.partner"].create(
            {"name": "Hidden", "company_id": company.id}
        )
        secret, open_one = (
            self.attach(self.row(), record=hidden),
            self.attach(self.row()),
        )
        found = self.env["integration.attachment"].with_user(self.keeper).search([])
        self.assertIn(open_one, found)
        self.assertNotIn(secret, found)
        with self.assertRaises(AccessError):
            secret.with_user(self.keeper).read(["name"])

    def test_who_may_not_write_the_record_adds_nothing(self):
        vals = {
            "res_model": "res.partner",
            "res_id": self.partner.id,
            "name": "x.pdf",
            "file": base64.b64encode(PDF),
        }
        reader = self.make_user()
        with self.assertRaises(AccessError):
            self.env["integration.attachment"].with_user(reader).create(vals)
        made = self.env["integration.attachment"].with_user(self.keeper).create(vals)
        self.assertEqual(made.content_type, "application/pdf")
        made.shared = True
        for forged in ({"sha256": "0" * 64}, {"content_type": "text/html"}):
            with self.assertRaises(UserError):
                made.write(forged)
        context = {"default_message_uid": "u-9", "default_system_id": self.system.id}
        posing = self.env["integration.attachment"].with_user(self.keeper)
        posing = posing.with_context(**context).create(vals)
        self.assertFalse(posing.sudo().message_uid)
        self.assertFalse(posing.sudo().system_id)
        with self.assertRaises(UserError):
            self.env["integration.attachment"].with_user(self.keeper).create(
                {**vals, "name": "x.html"}
            )
        made.unlink()

    def test_what_came_in_is_not_deleted(self):
        attachment = self.attach(self.row())
        with self.assertRaises(UserError):
            attachment.with_user(self.keeper).unlink()
