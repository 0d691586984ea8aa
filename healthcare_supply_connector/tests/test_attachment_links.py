# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import base64
import time
from unittest.mock import patch

from odoo.tests import HttpCase, tagged

from odoo.addons.healthcare_integration_base.controllers import gate

from .finance_common import FinanceCase

ATTACHMENTS = "/integration/v1/attachments"
PDF = b"%PDF-1.4\n%packing slip\n"


@tagged("post_install", "-at_install")
class TestAttachmentLinks(FinanceCase, HttpCase):
    """Partners fetch the documents of their own orders."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls.confirmed_order()
        cls.system = cls.make_system(
            partner_id=cls.supplier.id, kind="supplier", company_id=cls.company.id
        )
        cls.machine = cls.make_person("purchase.group_purchase_user")
        cls.client = cls.make_client(system_id=cls.system.id, user_id=cls.machine.id)
        cls.key = cls.client._generate_key("test")
        cls.attachment = cls.make_attachment(cls.order, cls.system)

    def setUp(self):
        super().setUp()
        gate.forget()
        self.env.flush_all()

    @classmethod
    def make_attachment(cls, record, system=None, **vals):
        return cls.env["integration.attachment"].create(
            {
                "res_model": record._name,
                "res_id": record.id,
                "name": 'slip "ü".pdf',
                "kind": "packing_slip",
                "file": base64.b64encode(PDF),
                "system_id": system and system.id,
                "message_uid": system and "u-1",
                "company_id": cls.company.id,
                **vals,
            }
        )

    def links(self, document=None, key=None):
        document = document or f"purchase-orders/{self.order.name}"
        return self.url_open(
            f"{ATTACHMENTS}?document={document}",
            headers={"Authorization": f"Bearer {key or self.key}"},
        )

    def assertProblem(self, response, status, code):
        self.assertEqual(response.status_code, status, response.text[:300])
        self.assertEqual(response.json()["code"], code)

    def test_list_and_fetch(self):
        answer = self.links()
        self.assertEqual(answer.status_code, 200, answer.text)
        (row,) = answer.json()["attachments"]
        self.assertEqual(row["kind"], "packing_slip")
        self.assertEqual(row["size"], len(PDF))
        self.assertNotIn(str(self.order.name), row["url"])
        fetched = self.url_open(row["url"])
        self.assertEqual(fetched.status_code, 200)
        self.assertEqual(fetched.content, PDF)
        self.assertEqual(fetched.headers["Content-Type"], "application/pdf")
        self.assertEqual(fetched.headers["X-Content-Type-Options"], "nosniff")
        disposition = fetched.headers["Content-Disposition"]
        self.assertTrue(disposition.startswith("attachment; "))
        self.assertEqual(disposition.count('"'), 2)
        self.env.invalidate_all()
        entry = self.audit_entries(self.attachment, "document")
        self.assertIn(self.client.name, entry.detail)

    def test_expired(self):
        token, ends = self.attachment._link_token(self.client)
        self.assertLessEqual(ends - time.time(), 15 * 60)
        with patch(
            "odoo.addons.healthcare_integration_base.controllers.attachments.time.time",
            lambda: ends + 1,
        ):
            answer = self.url_open(f"{ATTACHMENTS}/{token}")
        self.assertProblem(answer, 410, "link_expired")

    def test_what_is_no_link_looks_all_the_same(self):
        token, _ends = self.attachment._link_token(self.client)
        gone = self.make_attachment(self.order, self.system)
        dead, _ends = gone._link_token(self.client)
        gone.unlink()
        foreign = self.make_attachment(self.order)  # neither his nor shared
        closed, _ends = foreign._link_token(self.client)
        self.env.flush_all()
        texts = set()
        for bad in ("x", token[:-1] + ("A" if token[-1] != "A" else "B"), dead, closed):
            answer = self.url_open(f"{ATTACHMENTS}/{bad}")
            self.assertProblem(answer, 404, "unknown_link")
            texts.add(answer.text)
        self.assertEqual(len(texts), 1)

    def test_link_of_a_client_that_is_closed(self):
        token, _ends = self.attachment._link_token(self.client)
        self.client.active = False
        self.env.flush_all()
        answer = self.url_open(f"{ATTACHMENTS}/{token}")
        self.assertProblem(answer, 404, "unknown_link")

    def test_shared_documents_of_ours(self):
        ours = self.make_attachment(self.order, kind="purchase_order")
        self.env.flush_all()
        self.assertEqual(len(self.links().json()["attachments"]), 1)
        ours.shared = True
        self.env.flush_all()
        self.assertEqual(len(self.links().json()["attachments"]), 2)

    def test_documents_of_another_supplier(self):
        rival = self.env["res.partner"].create({"name": "Rival", "is_company": True})
        order = self.confirmed_order(supplier=rival)
        self.make_attachment(order, shared=True)
        self.env.flush_all()
        answer = self.links(f"purchase-orders/{order.name}")
        self.assertProblem(answer, 404, "unknown_document")

    def test_documents_the_user_may_not_read(self):
        answer = self.links("supplier-invoices/INV-7")
        self.assertProblem(answer, 404, "unknown_document")

    def test_bad_questions(self):
        for document in ("", "x", "/", "purchase-orders/", "x" * 300, "a%00/b"):
            with self.subTest(document):
                answer = self.url_open(
                    f"{ATTACHMENTS}?document={document}",
                    headers={"Authorization": f"Bearer {self.key}"},
                )
                self.assertIn(answer.status_code, (400, 404))
        self.assertProblem(self.links("ghosts/1"), 404, "unknown_document")

    def test_who_is_unknown_or_lacks_the_scope(self):
        self.assertEqual(self.url_open(f"{ATTACHMENTS}?document=a/b").status_code, 401)
        self.client.scope_ids.filtered(
            lambda row: row.scope == "attachments:read"
        ).unlink()
        self.env.flush_all()
        self.assertEqual(self.links().status_code, 403)
