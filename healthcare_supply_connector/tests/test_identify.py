# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import Command
from odoo.tests import tagged

from odoo.addons.healthcare_integration_base.protocol.errors import Rejected

from ..inbound import identify
from .common import SupplyCase


class IdentifyCase(SupplyCase):
    """References in messages of a supplier, resolved as its user."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.system = cls.make_system(
            partner_id=cls.supplier.id, kind="supplier", company_id=cls.company.id
        )
        cls.user = cls.make_buyer()

    @property
    def acting(self):
        return self.env(
            user=self.user.id,
            su=False,
            context={"allowed_company_ids": self.company.ids},
        )

    def translate(self, domain, theirs, ours, **vals):
        return self.env["integration.crosswalk"].create(
            {
                "system_id": self.system.id,
                "domain": domain,
                "external_value": theirs,
                "internal_value": ours,
                **vals,
            }
        )

    def known_as(self, record, kind, value, **vals):
        return self.env["integration.identifier"].create(
            {
                "system_id": self.system.id,
                "kind": kind,
                "value": value,
                "res_model": record._name,
                "res_id": record.id,
                **vals,
            }
        )

    def vendor_price(self, product, code, **vals):
        return self.env["product.supplierinfo"].create(
            {
                "partner_id": self.supplier.id,
                "product_tmpl_id": product.product_tmpl_id.id,
                "product_id": product.id,
                "product_code": code,
                **vals,
            }
        )

    def item(self, **ref):
        return identify.item(self.acting, self.system, ref, "/lines/0/item")

    def unit(self, code, product):
        return identify.unit(self.acting, self.system, code, product, "/lines/0/unit")

    def refusal(self, expected, function, *args, **ref):
        with self.assertRaises(Rejected) as caught:
            function(*args, **ref)
        self.assertEqual(caught.exception.code, expected)
        return caught.exception


@tagged("post_install", "-at_install")
class TestIdentifyItems(IdentifyCase):
    def test_gtin_of_any_length_finds_any_stored_length(self):
        for stored in ("40123455", "036000291452", "4006381333931", "10614141000415"):
            product = self.make_product(barcode=stored)
            for sent in {stored, stored.zfill(14), stored.zfill(13)[-13:]}:
                if len(sent) >= len(stored):
                    self.assertEqual(self.item(gtin=sent).product, product, sent)

    def test_product_stored_with_leading_zeros(self):
        product = self.make_product(barcode="00036000291452")
        self.assertEqual(self.item(gtin="036000291452").product, product)

    def test_wrong_check_digit_is_no_unknown_item(self):
        error = self.refusal("gtin_invalid", self.item, gtin="2990000000018")
        self.assertEqual(error.details[0]["path"], "/lines/0/item/gtin")
        self.assertIsNone(error.cause)

    def test_gtin_of_a_pack_gives_its_unit(self):
        box = self.env["uom.uom"].create(
            {
                "name": "Box of 50",
                "relative_factor": 50,
                "relative_uom_id": self.gloves.uom_id.id,
            }
        )
        self.env["product.uom"].create(
            {
                "product_id": self.gloves.id,
                "uom_id": box.id,
                "barcode": "12990000000016",
            }
        )
        found = self.item(gtin="12990000000016")
        self.assertEqual((found.product, found.uom), (self.gloves, box))
        self.assertIsNone(self.item(gtin="2990000000019").uom)

    def test_gtin_goes_before_code_and_code_before_supplier_code(self):
        self.vendor_price(self.serum, "S-9")
        found = self.item(gtin="2990000000019", code="SER-1", supplier_code="S-9")
        self.assertEqual(found.product, self.gloves)
        found = self.item(code="GLV-1", supplier_code="S-9")
        self.assertEqual(found.product, self.gloves)
        self.assertEqual(self.item(supplier_code="S-9").product, self.serum)

    def test_supplier_code_of_another_supplier_is_not_his(self):
        other = self.env["res.partner"].create({"name": "Other"})
        self.vendor_price(self.serum, "S-9", partner_id=other.id)
        self.refusal("item_unknown", self.item, supplier_code="S-9")

    def test_supplier_code_of_another_company_is_not_ours(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        self.vendor_price(self.serum, "S-9", company_id=company.id)
        self.refusal("item_unknown", self.item, supplier_code="S-9")

    def test_product_of_another_company_is_unknown(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        self.make_product(default_code="ELSE-1", company_id=company.id)
        self.refusal("item_unknown", self.item, code="ELSE-1")

    def test_archived_product_is_unknown(self):
        self.serum.active = False
        self.refusal("item_unknown", self.item, code="SER-1")

    def test_identifier_then_crosswalk(self):
        self.known_as(self.gloves, "ndc", "0001")
        self.translate("item", "0001", "SER-1")
        self.translate("item", "M-7", f"product.product,{self.serum.id}")
        found = self.item(identifier={"kind": "ndc", "value": "0001"})
        self.assertEqual(found.product, self.gloves)
        found = self.item(identifier={"kind": "udi", "value": "0001"})
        self.assertEqual(found.product, self.serum)
        self.assertEqual(self.item(supplier_code="M-7").product, self.serum)

    def test_crosswalk_by_gtin_of_ours(self):
        self.translate("item", "M-8", "2990000000019")
        self.assertEqual(self.item(supplier_code="M-8").product, self.gloves)

    def test_crosswalk_out_of_date_is_none(self):
        self.translate("item", "M-9", "SER-1", valid_to="2020-01-01")
        self.refusal("item_unknown", self.item, supplier_code="M-9")

    def test_crosswalk_of_another_system_is_none(self):
        self.translate("item", "M-9", "SER-1", system_id=self.make_system().id)
        self.refusal("item_unknown", self.item, supplier_code="M-9")

    def test_ambiguous_is_its_own_error_and_a_later_name_decides(self):
        twin = self.make_product(default_code="GLV-1")
        error = self.refusal("item_ambiguous", self.item, code="GLV-1")
        self.assertEqual(set(error.cause.data["candidates"]), {self.gloves.id, twin.id})
        self.vendor_price(twin, "T-1")
        found = self.item(code="GLV-1", supplier_code="T-1")
        self.assertEqual(found.product, twin)

    def test_crosswalk_decides_what_is_ambiguous(self):
        self.make_product(default_code="GLV-1")
        self.translate("item", "GLV-1", f"product.product,{self.gloves.id}")
        self.assertEqual(self.item(code="GLV-1").product, self.gloves)

    def test_cause_says_all_the_wizard_needs(self):
        error = self.refusal(
            "item_unknown", self.item, supplier_code="ABC", description="Gloves, blue"
        )
        cause = error.cause
        self.assertEqual((cause.code, cause.key), ("item_unknown", "ABC"))
        self.assertEqual(cause.title, "Unknown item ABC at Sutures & Co")
        self.assertEqual(cause.data["domain"], "item")
        self.assertEqual(cause.data["external_value"], "ABC")
        self.assertEqual(cause.data["index"], 0)
        self.assertEqual(cause.data["supplier_id"], self.supplier.id)
        self.assertNotIn("ABC", error.message)

    def test_reference_without_a_name(self):
        error = self.refusal("item_missing", self.item, description="something")
        self.assertEqual(error.details[0]["path"], "/lines/0/item")

    def test_lines_together_cost_no_more_queries_than_two(self):
        refs = [({"code": "GLV-1"}, "/lines/0"), ({"code": "SER-1"}, "/lines/1")]

        def count(number):
            env = self.acting
            env.invalidate_all()
            before = self.cr.sql_log_count
            identify.items(env, self.system, refs * number)
            return self.cr.sql_log_count - before

        count(1)
        self.assertEqual(count(20), count(1))

    def test_every_line_of_the_same_trouble_is_named(self):
        refs = [
            ({"supplier_code": "X"}, "/lines/0"),
            ({"code": "GLV-1"}, "/lines/1"),
            ({"supplier_code": "X"}, "/lines/2"),
        ]
        error = self.refusal(
            "item_unknown", identify.items, self.acting, self.system, refs
        )
        self.assertEqual([d["path"] for d in error.details], ["/lines/0", "/lines/2"])

    def test_protected_identifier_is_found_by_its_hash(self):
        row = self.known_as(self.serum, "mrn", "77-12", sensitivity="phi")
        self.assertTrue(row.value.startswith("hash:"))
        self.assertNotIn("77-12", row.value)
        self.assertEqual(row._clear_value(), "77-12")
        found = self.item(identifier={"kind": "mrn", "value": "77-12"})
        self.assertEqual(found.product, self.serum)
        self.assertNotIn("77-12", str(self.audit_entries(row).mapped("detail")))


@tagged("post_install", "-at_install")
class TestIdentifyUnits(IdentifyCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.each = cls.gloves.uom_id
        cls.box = cls.env["uom.uom"].create(
            {
                "name": "Box of 50",
                "relative_factor": 50,
                "relative_uom_id": cls.each.id,
                "unece_code": "BX",
            }
        )
        cls.kilo = cls.env.ref("uom.product_uom_kgm")

    def test_none_is_the_items_own(self):
        self.assertEqual(self.unit(None, self.gloves), self.each)

    def test_words_for_one_piece(self):
        self.each.unece_code = "C62"
        for code in ("C62", "EA", "H87", "PCE"):
            self.assertEqual(self.unit(code, self.gloves), self.each)

    def test_box_of_another_item_is_no_box_of_this(self):
        self.refusal("unit_unknown", self.unit, "BX", self.gloves)
        self.gloves.uom_ids = [Command.link(self.box.id)]
        self.assertEqual(self.unit("BX", self.gloves), self.box)
        self.refusal("unit_unknown", self.unit, "BX", self.serum)

    def test_two_boxes_of_an_item_are_ambiguous(self):
        other = self.box.copy({"name": "Box of 100", "relative_factor": 100})
        self.gloves.uom_ids = [Command.set((self.box | other).ids)]
        error = self.refusal("unit_ambiguous", self.unit, "BX", self.gloves)
        self.translate(
            "item_unit", error.cause.data["external_value"], f"uom.uom,{other.id}"
        )
        self.assertEqual(self.unit("BX", self.gloves), other)

    def test_measure_of_the_same_kind(self):
        bulk = self.make_product(uom_id=self.kilo.id)
        gram = self.env.ref("uom.product_uom_gram")
        self.assertEqual(self.unit("GRM", bulk), gram)
        self.refusal("unit_unknown", self.unit, "GRM", self.gloves)

    def test_crosswalk_of_x12_code(self):
        bulk = self.make_product(uom_id=self.kilo.id)
        self.translate("uom", "KG", "KGM")
        self.assertEqual(self.unit("KG", bulk), self.kilo)

    def test_crosswalk_of_units_gives_no_pack_to_an_item_that_has_none(self):
        self.translate("uom", "CT", "Box of 50")
        self.refusal("unit_unknown", self.unit, "CT", self.serum)
        self.gloves.uom_ids = [Command.link(self.box.id)]
        self.assertEqual(self.unit("CT", self.gloves), self.box)


@tagged("post_install", "-at_install")
class TestIdentifyParties(IdentifyCase):
    def party(self, ref):
        return identify.supplier(self.acting, self.system, ref, "/supplier")

    def test_nobody_named_is_the_sender(self):
        self.assertEqual(self.party(None), self.supplier)

    def test_sender_without_partner(self):
        self.system.partner_id = False
        self.refusal("supplier_not_set", self.party, {})

    def test_each_name(self):
        self.known_as(self.supplier, "gln", "5412345000013")
        self.known_as(self.supplier, "vendor_number", "0815")
        self.translate("supplier", "MED", f"res.partner,{self.supplier.id}")
        for ref in (
            {"gln": "5412345000013"},
            {"vat": "BE 0477.472.701"},
            {"reference": "V-100"},
            {"identifier": {"kind": "vendor_number", "value": "0815"}},
            {"code": "MED"},
        ):
            self.assertEqual(self.party(ref), self.supplier, ref)

    def test_vat_of_contacts_is_the_companys(self):
        self.supplier.child_ids = [Command.create({"name": "Sales"})]
        self.assertEqual(self.party({"vat": "BE0477472701"}), self.supplier)

    def test_unknown_and_ambiguous(self):
        self.refusal("supplier_unknown", self.party, {"reference": "V-999"})
        self.env["res.partner"].create({"name": "Twin", "ref": "V-100"})
        self.refusal("supplier_ambiguous", self.party, {"reference": "V-100"})
        self.assertEqual(
            self.party({"reference": "V-100", "vat": "BE0477472701"}), self.supplier
        )

    def test_no_name_is_missing(self):
        self.refusal("supplier_missing", self.party, {"city": "Brussels"})


@tagged("post_install", "-at_install")
class TestIdentifyLedgerAndPlaces(IdentifyCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        group = cls.env["account.tax.group"].create(
            {"name": "VAT", "country_id": cls.env.ref("base.be").id}
        )
        cls.country = cls.env.ref("base.be")
        cls.vat21 = cls.env["account.tax"].create(
            {
                "name": "Identify 21",
                "amount": 21.5,
                "type_tax_use": "purchase",
                "country_id": cls.country.id,
                "tax_group_id": group.id,
            }
        )
        cls.user.group_ids = [
            Command.link(cls.env.ref("account.group_account_invoice").id)
        ]

    def tax(self, **ref):
        return identify.tax(self.acting, self.system, ref, "purchase", "/tax")

    def test_tax_by_rate_and_country(self):
        self.assertEqual(self.tax(rate="21.50", country="be"), self.vat21)
        self.refusal("tax_unknown", self.tax, rate="21.50", country="FR")
        self.refusal("tax_unknown", self.tax, rate="3", country="BE")

    def test_same_rate_twice_is_ambiguous_until_picked(self):
        goods = self.vat21.copy({"name": "Identify 21 goods"})
        error = self.refusal("tax_ambiguous", self.tax, rate="21.5", country="BE")
        self.translate(
            "tax", error.cause.data["external_value"], f"account.tax,{goods.id}"
        )
        self.assertEqual(self.tax(rate="21.5", country="BE"), goods)

    def test_rate_that_is_none(self):
        for rate in ("NaN", "Infinity", "many", "-1", "1e9"):
            self.refusal("tax_rate_invalid", self.tax, rate=rate)

    def test_tax_by_its_code(self):
        self.translate("tax", "V21", "Identify 21")
        self.assertEqual(self.tax(code="V21"), self.vat21)
        self.refusal("tax_missing", self.tax, name="VAT")

    def test_location_by_each_name(self):
        self.stock.barcode = "LOC-1"
        self.translate("location", "3PL-A", self.stock.complete_name)
        for ref in (
            "LOC-1",
            "3PL-A",
            self.stock.complete_name,
            {"name": self.stock.complete_name},
            {"warehouse": self.warehouse.code},
        ):
            found = identify.location(self.acting, self.system, ref, "/location")
            self.assertEqual(found, self.stock, ref)
        self.refusal(
            "location_unknown",
            identify.location,
            self.acting,
            self.system,
            "nowhere",
            "/location",
        )

    def test_account_cost_center_and_term(self):
        account = self.env["account.account"].create(
            {"name": "Supplies", "code": "IDENT612", "account_type": "expense"}
        )
        plan = self.env["account.analytic.plan"].create({"name": "Wards"})
        ward = self.env["account.analytic.account"].create(
            {"name": "Ward 3", "code": "W3", "plan_id": plan.id}
        )
        self.user.group_ids = [
            Command.link(self.env.ref("analytic.group_analytic_accounting").id)
        ]
        term = self.env["account.payment.term"].create({"name": "Identify net 17"})
        term.line_ids.write({"nb_days": 17})
        args = (self.acting, self.system)
        self.assertEqual(identify.account(*args, "IDENT612", "/a"), account)
        self.assertEqual(identify.cost_center(*args, {"code": "W3"}, "/c"), ward)
        self.assertEqual(identify.cost_center(*args, "Ward 3", "/c"), ward)
        self.assertEqual(identify.payment_term(*args, "Identify net 17", "/t"), term)
        self.assertEqual(identify.payment_term(*args, {"days": 17}, "/t"), term)
        self.refusal("account_unknown", identify.account, *args, "IDENT0", "/a")
        self.refusal(
            "payment_term_invalid", identify.payment_term, *args, {"days": "x"}, "/t"
        )
