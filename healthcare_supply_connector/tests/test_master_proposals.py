# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import datetime

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .finance_common import FinanceCase

PRODUCT = "product.group_product_manager"


@tagged("post_install", "-at_install")
class TestMasterProposals(FinanceCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.machine = cls.make_person()
        cls.keeper = cls.make_person(PRODUCT)
        cls.system = cls.make_system(
            partner_id=cls.supplier.id, kind="supplier", company_id=cls.company.id
        )
        cls.endpoint = cls.make_endpoint(system_id=cls.system.id, direction="in")

    def message(self):
        return self.env["integration.message"].create(
            {
                "uid": self.next_code("uid"),
                "direction": "in",
                "endpoint_id": self.endpoint.id,
                "company_id": self.company.id,
            }
        )

    def propose_item(self, user=None, **item):
        return self.apply_as(
            user or self.machine, "supply.item.proposed", {"item": item}, self.message()
        ).sudo()

    def apply_kind(self, code, user=None, **data):
        return self.apply_as(user or self.machine, code, data, self.message()).sudo()

    def own(self, group, owner="odoo", **vals):
        return self.env["integration.ownership"].create(
            {
                "field_group": group,
                "owner": owner,
                "company_id": self.company.id,
                **({"system_id": self.system.id} if owner == "system" else {}),
                **vals,
            }
        )

    def lines(self, proposal):
        return {line.name: line for line in proposal.line_ids}

    # -- items -----------------------------------------------------------------------

    def test_new_item_takes_effect_when_approved(self):
        proposal = self.propose_item(
            code="S-1",
            name="Mask FFP2",
            our_code="MSK-1",
            unit="C62",
            tracking="lot",
            expiry_tracked=True,
        )
        self.assertEqual(proposal.state, "proposed")
        self.assertTrue(proposal.is_new)
        self.assertFalse(
            self.env["product.product"].search([("default_code", "=", "MSK-1")])
        )
        proposal.with_user(self.keeper).action_approve()
        product = self.env["product.product"].search([("default_code", "=", "MSK-1")])
        self.assertRecordValues(
            product,
            [{"name": "Mask FFP2", "tracking": "lot", "use_expiration_date": True}],
        )
        self.assertRecordValues(
            proposal,
            [
                {
                    "state": "applied",
                    "res_id": product.id,
                    "decided_by_id": self.keeper.id,
                }
            ],
        )
        self.assertTrue(self.audit_entries(proposal, "state"))

    def test_changed_item_shows_ours_and_theirs(self):
        proposal = self.propose_item(
            code="S-2", our_code="GLV-1", name="Gloves nitrile", weight_kg="0.25"
        )
        self.assertEqual(proposal.res_id, self.gloves.id)
        line = self.lines(proposal)["name"]
        self.assertEqual((line.ours, line.theirs), ("Gloves", "Gloves nitrile"))
        line.with_user(self.keeper).accepted = False
        proposal.with_user(self.keeper).action_approve()
        self.assertEqual(self.gloves.name, "Gloves")
        self.assertEqual(self.gloves.weight, 0.25)

    def test_possible_duplicates_are_shown_and_can_be_chosen(self):
        proposal = self.propose_item(code="S-3", name="GLOVES.")
        self.assertTrue(proposal.is_new)
        candidate = proposal.candidate_ids
        self.assertEqual(candidate.res_id, self.gloves.id)
        self.assertGreaterEqual(candidate.score, 80)
        candidate.with_user(self.keeper).action_use()
        self.assertEqual(proposal.res_id, self.gloves.id)
        self.assertFalse(proposal.is_new)
        proposal.with_user(self.keeper).action_approve()
        self.assertEqual(self.gloves.name, "GLOVES.")

    def test_what_was_approved_is_found_by_their_code_next_time(self):
        first = self.propose_item(code="S-4", name="Syringe 5 ml")
        first.with_user(self.keeper).action_approve()
        second = self.propose_item(code="S-4", name="Syringe 5 ml sterile")
        self.assertEqual(second.res_id, first.res_id)

    def test_repeated_stale_and_replaced(self):
        first = self.propose_item(code="S-5", name="Swab")
        self.assertFiltered(
            "proposal_repeated", self.propose_item, code="S-5", name="Swab"
        )
        second = self.propose_item(code="S-5", name="Swab large")
        self.assertEqual(first.state, "superseded")
        self.assertEqual(second.state, "proposed")
        self.assertFiltered(
            "nothing_new", self.propose_item, code="X", our_code="GLV-1", name="Gloves"
        )

    def test_older_than_what_was_told_is_stale(self):
        model = self.env["integration.master.proposal"].with_user(self.machine)
        now = datetime.datetime.now(datetime.timezone.utc)
        early = (now - datetime.timedelta(hours=2)).isoformat()
        for moment, name in ((now.isoformat(), "New name"), (early, "Old name")):
            call = model.with_context(
                integration_occurred_at=moment, allowed_company_ids=self.company.ids
            )._integration_apply_item_proposed
            data = {"item": {"code": "S-6", "name": name}}
            if name == "New name":
                call(data, self.message())
            else:
                self.assertFiltered("stale", call, data, self.message())

    def test_bad_values_are_refused_with_their_path(self):
        self.assertRefused(
            "gtin_invalid",
            self.propose_item,
            code="S-7",
            name="Bad",
            gtin="12345678",
        )
        self.assertRefused(
            "unit_unknown",
            self.propose_item,
            code="S-7",
            name="Bad",
            unit="NOPE",
            path="/item/unit",
        )

    # -- who decides -------------------------------------------------------------------

    def test_only_the_group_of_the_kind_decides(self):
        proposal = self.propose_item(code="S-8", name="Tape")
        viewer = self.make_person("healthcare_integration_base.group_viewer")
        for user in (viewer, self.machine):
            with self.assertRaises(AccessError):
                proposal.with_user(user).action_approve()
        self.assertEqual(proposal.state, "proposed")

    def test_a_machine_does_not_decide(self):
        proposal = self.propose_item(code="S-9", name="Tape 2")
        self.make_client(system_id=self.system.id, user_id=self.keeper.id)
        with self.assertRaisesRegex(AccessError, "machine"):
            proposal.with_user(self.keeper).action_approve()

    def test_nobody_writes_a_proposal(self):
        proposal = self.propose_item(code="S-10", name="Tape 3")
        with self.assertRaises(AccessError):
            proposal.with_user(self.keeper).write({"state": "applied"})
        with self.assertRaises(AccessError):
            proposal.line_ids[0].with_user(self.keeper).write({"theirs": "x"})

    def test_rejected_with_a_reason_and_never_asked_again(self):
        proposal = self.propose_item(code="S-11", name="Tape 4")
        wizard = (
            self.env["integration.master.proposal.reject"]
            .with_user(self.keeper)
            .create({"proposal_ids": proposal.ids, "reason": "not ours"})
        )
        wizard.action_reject()
        self.assertEqual((proposal.state, proposal.reason), ("rejected", "not ours"))
        self.assertFiltered(
            "proposal_repeated", self.propose_item, code="S-11", name="Tape 4"
        )
        with self.assertRaises(UserError):
            proposal.with_user(self.keeper).action_approve()

    def test_other_companies_do_not_see_it(self):
        proposal = self.propose_item(code="S-12", name="Tape 5")
        other = self.env["res.company"].create({"name": "Other"})
        stranger = self.make_person(PRODUCT, company=other)
        found = self.env["integration.master.proposal"].with_user(stranger).search([])
        self.assertNotIn(proposal, found)

    # -- system of record --------------------------------------------------------------

    def test_what_odoo_owns_is_shown_and_not_taken(self):
        self.own("product.product:description")
        proposal = self.propose_item(
            code="S-13", our_code="GLV-1", name="Their name", weight_kg="1"
        )
        line = self.lines(proposal)["name"]
        self.assertEqual(line.verdict, "odoo")
        with self.assertRaisesRegex(UserError, "Odoo owns it"):
            line.with_user(self.keeper).accepted = True
        proposal.with_user(self.keeper).action_approve()
        self.assertEqual(self.gloves.name, "Gloves")
        self.assertEqual(self.gloves.weight, 1.0)

    def test_what_another_system_owns_is_not_taken(self):
        other = self.make_system()
        self.own("product.product:description", "system", system_id=other.id)
        proposal = self.propose_item(code="S-14", our_code="GLV-1", name="Their name")
        self.assertEqual(self.lines(proposal)["name"].verdict, "other")

    def test_what_the_sender_owns_takes_effect_at_once(self):
        self.own("product.product:logistics", "system", auto_apply=True)
        machine = self.make_person(PRODUCT)
        proposal = self.propose_item(
            user=machine, code="S-15", our_code="GLV-1", name="New", weight_kg="3"
        )
        self.assertEqual(self.gloves.weight, 3.0)
        self.assertEqual(self.gloves.name, "Gloves")
        self.assertEqual(proposal.state, "proposed")
        again = self.propose_item(
            user=machine, code="S-15", our_code="GLV-1", name="Gloves", weight_kg="4"
        )
        self.assertEqual((self.gloves.weight, again.state), (4.0, "applied"))

    def test_rule_of_the_company_goes_before_the_common_one(self):
        self.own("product.product:status", company_id=False)
        self.own("product.product:status", "system")
        rules = self.env["integration.ownership"]._rules(
            "product.product", self.company, self.system
        )
        self.assertEqual(rules["active"], "own")

    def test_change_of_a_system_is_not_echoed_to_it(self):
        self.subscribe(
            "supply.item.updated", endpoint=self.make_endpoint(system_id=self.system.id)
        )
        self.age(self.gloves)
        self.age(self.gloves.product_tmpl_id)
        proposal = self.propose_item(code="S-16", our_code="GLV-1", name="Gloves XL")
        proposal.with_user(self.keeper).action_approve()
        events = self.published("supply.item.updated", self.gloves)
        self.assertFalse(
            self.env["integration.message"].search([("event_id", "in", events.ids)])
        )

    # -- the other kinds ---------------------------------------------------------------

    def test_supplier(self):
        proposal = self.apply_kind(
            "supply.supplier.proposed",
            supplier={
                "code": "SUP-1",
                "name": "Sutures & Company",
                "vat": "BE0477472701",
                "city": "Ghent",
                "bank_account": "BE71096123456769",
            },
        )
        self.assertEqual(proposal.res_id, self.supplier.id)
        self.assertEqual(self.lines(proposal)["bank_ids"].verdict, "told")
        manager = self.make_person(
            "purchase.group_purchase_manager", "base.group_partner_manager"
        )
        proposal.with_user(manager).action_approve()
        self.assertEqual(self.supplier.city, "Ghent")
        self.assertFalse(self.supplier.bank_ids)

    def test_price(self):
        proposal = self.apply_kind(
            "supply.price.proposed",
            price={
                "item": {"code": "GLV-1"},
                "price": "4.80",
                "currency": self.company.currency_id.name,
                "minimum_quantity": "10",
                "lead_time_days": 3,
                "supplier_code": "X-77",
            },
        )
        proposal.with_user(self.keeper).action_approve()
        seller = self.gloves.seller_ids
        self.assertRecordValues(
            seller,
            [
                {
                    "partner_id": self.supplier.id,
                    "price": 4.8,
                    "min_qty": 10.0,
                    "delay": 3,
                    "product_code": "X-77",
                }
            ],
        )
        again = self.apply_kind(
            "supply.price.proposed",
            price={
                "item": {"code": "GLV-1"},
                "price": "5.00",
                "currency": self.company.currency_id.name,
                "minimum_quantity": "10",
            },
        )
        self.assertEqual(again.res_id, seller.id)
        self.assertEqual(again.line_ids.mapped("name"), ["price"])

    def test_partner_proposes_its_own_prices_only(self):
        self.env["res.partner"].create(
            {"name": "Rival", "is_company": True, "ref": "RIVAL"}
        )
        self.assertRefused(
            "supplier_unknown",
            self.apply_kind,
            "supply.price.proposed",
            price={
                "item": {"code": "GLV-1"},
                "supplier": {"reference": "RIVAL"},
                "price": "1",
                "currency": "USD",
            },
            path="/price/supplier",
        )

    def test_price_of_an_unknown_item_is_a_case(self):
        error = self.assertRefused(
            "item_unknown",
            self.apply_kind,
            "supply.price.proposed",
            price={"item": {"supplier_code": "NO"}, "price": "1", "currency": "USD"},
        )
        self.assertTrue(error.cause)

    def test_unit(self):
        proposal = self.apply_kind(
            "supply.unit.proposed",
            unit={"code": "CT", "name": "Carton", "relative_to": "C62", "factor": "48"},
        )
        proposal.with_user(self.keeper).action_approve()
        unit = self.env["uom.uom"].browse(proposal.res_id)
        self.assertEqual((unit.unece_code, unit.relative_factor), ("CT", 48.0))

    def test_payment_term(self):
        manager = self.make_person("account.group_account_manager")
        proposal = self.apply_kind(
            "finance.payment_term.proposed",
            payment_term={
                "code": "N3060",
                "name": "Half in 30, half in 60 days",
                "lines": [{"percent": "50", "days": 30}, {"days": 60}],
            },
        )
        proposal.with_user(manager).action_approve()
        term = self.env["account.payment.term"].browse(proposal.res_id)
        self.assertEqual(term.line_ids.mapped("nb_days"), [30, 60])
        self.assertEqual(term.line_ids.mapped("value_amount"), [50.0, 50.0])
        self.assertRefused(
            "payment_term_shares",
            self.apply_kind,
            "finance.payment_term.proposed",
            payment_term={
                "code": "BAD",
                "name": "Bad",
                "lines": [{"percent": "50", "days": 30}],
            },
        )

    def test_cost_center(self):
        manager = self.make_person(
            "account.group_account_manager", "analytic.group_analytic_accounting"
        )
        machine = self.make_person("analytic.group_analytic_accounting")
        plan = self.env["account.analytic.plan"].create({"name": "Wards"})
        proposal = self.apply_kind(
            "finance.cost_center.proposed",
            user=machine,
            cost_center={"code": "CC-9", "name": "Ward 9", "plan": "Wards"},
        )
        proposal.with_user(manager).action_approve()
        center = self.env["account.analytic.account"].browse(proposal.res_id)
        self.assertRecordValues(
            center, [{"code": "CC-9", "name": "Ward 9", "plan_id": plan.id}]
        )
