# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import Command
from odoo.tests import new_test_user

from odoo.addons.healthcare_integration_base.protocol.errors import Filtered, Rejected

from .common import SupplyCase


class FinanceCase(SupplyCase):
    """Finance messages of partners, applied by users with the least rights."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["supply.tolerance"].search([]).unlink()
        if not cls.env["account.journal"].search(
            [("type", "=", "purchase"), ("company_id", "=", cls.company.id)]
        ):
            cls.env["account.chart.template"].try_loading(
                "generic_coa", company=cls.company, install_demo=False
            )
        cls.machine = cls.make_person("account.group_account_invoice")
        cls.clerk = cls.make_person(
            "account.group_account_invoice",
            "healthcare_integration_base.group_exception_handler",
        )

    @classmethod
    def make_person(cls, *groups, company=None):
        """Return a user with these groups and no other right."""
        company = company or cls.company
        return new_test_user(
            cls.env,
            cls.next_code("person"),
            context={"no_reset_password": True},
            groups=",".join(("base.group_user", *groups)),
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )

    def apply_as(self, user, code, data, message=None, partner=None):
        """Check the data against the schema and apply them as a user; return the document."""
        event_type = self.env["integration.event.type"].search([("code", "=", code)])
        self.assertEqual(event_type._validate(data), [])
        message = message or self.make_message(partner, company_id=self.company.id)
        message.event_type_id = event_type
        model = self.env[event_type.handler_model].with_user(user)
        model = model.with_context(allowed_company_ids=user.company_id.ids)
        document = getattr(model, event_type.handler_method)(data, message)
        message.write({"state": "done"})
        return document

    def assertRefused(self, expected, call, *args, path=None, **kwargs):
        """The message is rejected with this code; return the exception."""
        with self.assertRaises(Rejected) as caught:
            call(*args, **kwargs)
        self.assertEqual(caught.exception.code, expected)
        if path:
            self.assertIn(path, [row["path"] for row in caught.exception.details])
        return caught.exception

    def assertFiltered(self, expected, call, *args, **kwargs):
        """The message is filtered for this reason."""
        with self.assertRaises(Filtered) as caught:
            call(*args, **kwargs)
        self.assertEqual(caught.exception.code, expected)

    def open_cases(self, *codes):
        """Return the open cases of these codes."""
        return self.env["integration.exception"].search(
            [("code", "in", codes), ("state", "in", ("open", "in_progress"))]
        )
