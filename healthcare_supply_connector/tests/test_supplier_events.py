# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import Command
from odoo.tests import tagged

from .common import SupplyCase

CREATED = "supply.supplier.created"
UPDATED = "supply.supplier.updated"
APPROVED = "supply.supplier.approved"


@tagged("post_install", "-at_install")
class TestSupplierEvents(SupplyCase):
    def setUp(self):
        super().setUp()
        self.subscribe(CREATED, UPDATED, APPROVED)

    def make_partner(self, **vals):
        return self.env["res.partner"].create(
            {"name": "Partner", "is_company": True, **vals}
        )

    def test_new_supplier(self):
        partner = self.make_partner(supplier_rank=1)
        self.assertPublished(CREATED, partner)
        self.assertEqual(self.data_of(CREATED, partner)["approval"], {"state": "draft"})

    def test_customer_is_none(self):
        partner = self.make_partner(customer_rank=1)
        partner.city = "Ghent"
        self.assertNotPublished(CREATED)
        self.assertNotPublished(UPDATED)

    def test_contact_becomes_supplier(self):
        partner = self.make_partner()
        partner._increase_rank("supplier_rank")
        self.assertPublished(CREATED, partner)

    def test_rank_of_a_known_supplier_is_no_change(self):
        self.supplier.supplier_rank = 5
        self.assertNotPublished(CREATED)
        self.assertNotPublished(UPDATED)

    def test_changed_address(self):
        self.supplier.write({"street": "Rue Basse 2", "city": "Liège"})
        data = self.data_of(UPDATED, self.supplier)
        self.assertEqual(data["supplier"]["address"]["city"], "Liège")

    def test_contacts_of_a_supplier_publish_nothing(self):
        self.supplier.child_ids = [Command.create({"name": "Ann", "type": "contact"})]
        self.supplier.street = "Rue Basse 2"
        self.assertPublished(UPDATED, self.supplier)

    def test_same_value(self):
        self.supplier.write({"name": self.supplier.name, "comment": "nice people"})
        self.assertNotPublished(UPDATED)

    def test_approval(self):
        self.supplier.action_approve_supplier()
        data = self.data_of(APPROVED, self.supplier)
        self.assertEqual(data["approval"]["state"], "approved")
        self.assertEqual(data["approval"]["decided_by"], self.env.user.name)
        self.assertNotPublished(UPDATED)

    def test_block_is_an_update(self):
        self.supplier.action_approve_supplier()
        self.supplier.action_block_supplier()
        self.assertEqual(
            self.data_of(UPDATED, self.supplier)["approval"]["state"], "blocked"
        )
