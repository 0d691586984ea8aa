# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import GROUPS, MODULE, IntegrationCase

OPERATIONS = ("read", "write", "create", "unlink")
R, RW, RWU, RWCU = "r", "rw", "rwu", "rwcu"

# model -> group -> rights; what is not listed is forbidden. Viewer's rights are everybody's.
CONFIGURATION = {"viewer": R, "administrator": RWCU}
MAPPINGS = {"viewer": R, "mapper": RWCU, "administrator": RWCU}
TRAFFIC = {"viewer": R}
RIGHTS = {
    "integration.system": CONFIGURATION,
    "integration.endpoint": CONFIGURATION,
    "integration.policy": CONFIGURATION,
    "integration.event.type": CONFIGURATION,
    "integration.subscription": CONFIGURATION,
    "integration.credential": CONFIGURATION,
    "integration.client": CONFIGURATION,
    "integration.exception.queue": CONFIGURATION,
    "integration.exception.route": CONFIGURATION,
    "integration.exception.escalation": CONFIGURATION,
    "integration.exception.code": CONFIGURATION,
    "integration.endpoint.route": CONFIGURATION,
    "integration.event.field": CONFIGURATION,
    "integration.ownership": CONFIGURATION,
    "integration.api.resource": {"viewer": R, "administrator": RW},
    # bound to a record: whoever may see that record, see the model
    "integration.attachment": {"everybody": RWCU},
    "integration.client.scope": CONFIGURATION,
    "integration.client.certificate": CONFIGURATION,
    "integration.lockout": {"auditor": R, "administrator": R},
    "integration.access.log": {"auditor": R, "administrator": R},
    "integration.rate": {},
    "integration.oauth.assertion": {},
    "integration.client.key": {"viewer": R, "administrator": RWU},
    "integration.credential.previous": {"viewer": R, "administrator": "ru"},
    "integration.endpoint.health": TRAFFIC,
    "integration.mapping": MAPPINGS,
    "integration.mapping.line": MAPPINGS,
    "integration.crosswalk": MAPPINGS,
    "integration.identifier": MAPPINGS,
    "integration.event": TRAFFIC,
    "integration.message": TRAFFIC,
    "integration.freshness": TRAFFIC,
    "integration.attempt": TRAFFIC,
    "integration.acknowledgement": TRAFFIC,
    "integration.exception": {
        "viewer": R,
        "exception_handler": RW,
        "administrator": RW,
    },
    "integration.payload": {},
    "integration.queue.entry": {},
    "integration.audit.entry": {"auditor": R},
    "integration.audit.seal": {"auditor": R},
}


@tagged("post_install", "-at_install")
class TestAccessRights(IntegrationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people = {group: cls.make_user(group) for group in GROUPS}
        cls.people["nobody"] = cls.make_user()

    def stored_models(self):
        return {
            name
            for name, model in self.env.registry.items()
            if name.startswith("integration.")
            and model._original_module == MODULE
            and not model._abstract
            and not model._transient
        }

    def test_the_table_of_rights_covers_every_model(self):
        self.assertEqual(self.stored_models(), set(RIGHTS))

    def expected(self, model, group):
        rights = RIGHTS[model]
        if group == "nobody":
            return set(rights.get("everybody", ""))
        return (
            set(rights.get("everybody", ""))
            | set(rights.get("viewer", ""))
            | set(rights.get(group, ""))
        )

    @mute_logger("odoo.addons.base.models.ir_model")
    def test_each_group_has_the_rights_of_the_table_and_no_more(self):
        for model in RIGHTS:
            for group, user in self.people.items():
                as_user = self.env[model].with_user(user)
                found = {
                    operation[0]
                    for operation in OPERATIONS
                    if as_user.has_access(operation)
                }
                with self.subTest(model=model, group=group):
                    self.assertEqual(found, set(self.expected(model, group)))

    def test_all_groups_are_viewers(self):
        for group in GROUPS:
            self.assertTrue(
                self.people[group].has_group(f"{MODULE}.group_viewer"), group
            )

    def test_an_administrator_neither_approves_nor_reads_payloads_nor_audits(self):
        administrator = self.people["administrator"]
        for group in ("operator", "exception_handler", "mapper"):
            self.assertTrue(administrator.has_group(f"{MODULE}.group_{group}"), group)
        for group in ("approver", "payload_reader", "auditor"):
            self.assertFalse(administrator.has_group(f"{MODULE}.group_{group}"), group)

    def test_the_first_administrator_of_odoo_gets_all(self):
        admin = self.env.ref("base.user_admin")
        for group in GROUPS:
            self.assertTrue(admin.has_group(f"{MODULE}.group_{group}"), group)

    def test_mapper_and_approver_exclude_each_other_in_the_user_form(self):
        groups = self.env.ref(f"{MODULE}.group_mapper") + self.env.ref(
            f"{MODULE}.group_approver"
        )
        self.assertEqual(len(groups.privilege_id), 1)

    @mute_logger("odoo.models")
    def test_bytes_and_event_data_are_out_of_reach_of_everybody(self):
        event = self.make_event(self.make_event_type(), {"number": "P1"})
        for group, user in self.people.items():
            if group != "nobody":
                with self.subTest(group), self.assertRaises(AccessError):
                    event.with_user(user).read(["data"])
                self.assertNotIn("data", event.with_user(user).fields_get())

    @mute_logger("odoo.models")
    def test_hidden_fields_cannot_be_searched(self):
        administrator = self.people["administrator"]
        for model, field in [
            ("integration.credential", "secret_token"),
            ("integration.client.key", "key_hash"),
            ("integration.event", "data"),
        ]:
            with self.subTest(model), self.assertRaises(AccessError):
                self.env[model].with_user(administrator).search([(field, "!=", False)])

    def test_configuration_forms_open_for_viewers(self):
        viewer = self.people["viewer"]
        records = [
            self.make_endpoint(state="active"),
            self.make_subscription(),
            self.make_mapping(),
            self.make_client(),
            self.make_credential(),
            self.make_event_type(),
            self.env.ref(f"{MODULE}.policy_default"),
            self.env.ref(f"{MODULE}.queue_default"),
        ]
        for record in records:
            with self.subTest(record._name):
                fields = [
                    name
                    for name, field in record.with_user(viewer).fields_get().items()
                    if not name.startswith(
                        ("message_", "activity_", "website_", "my_activity")
                    )
                ]
                record.invalidate_recordset()
                self.assertTrue(record.with_user(viewer).read(fields))


@tagged("post_install", "-at_install")
class TestCompanies(IntegrationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.parent = cls.env["res.company"].create({"name": "Group"})
        cls.ours = cls.env["res.company"].create(
            {"name": "Ours", "parent_id": cls.parent.id}
        )
        cls.theirs = cls.env["res.company"].create({"name": "Theirs"})
        cls.administrator = cls.make_user("administrator", "auditor", company=cls.ours)

    def configuration(self, company):
        """Return one record of every configuration model, of a company."""
        system = self.make_system(company_id=company.id)
        outgoing = self.make_endpoint(system_id=system.id)
        client = self.make_client(
            system_id=system.id,
            user_id=(
                self.make_user(company=company) if company else self.make_user()
            ).id,
        )
        client._generate_key("key")
        credential = self.make_credential("signing_secret", company_id=company.id)
        credential._rotate("whsec_" + "QUFB" * 10, 3)
        mapping = self.make_mapping(company_id=company.id)
        line = self.env["integration.mapping.line"].create(
            {"mapping_id": mapping.id, "target": "number", "source": "number"}
        )
        queue = {"name": "Queue", "company_id": company.id}
        pair = {
            "system_id": system.id,
            "domain": "uom",
            "external_value": "EA",
            "internal_value": self.next_code("unit"),
        }
        identifier = {
            "system_id": system.id,
            "kind": "gln",
            "value": self.next_code("gln"),
            "res_model": "res.partner",
            "res_id": self.env.user.partner_id.id,
        }
        return [
            system,
            outgoing,
            self.env["integration.endpoint.health"].create(
                {"endpoint_id": outgoing.id}
            ),
            client,
            client.key_ids,
            credential,
            credential.previous_ids,
            mapping,
            line,
            self.make_subscription(outgoing),
            self.env["integration.policy"].create(
                {"name": "P", "company_id": company.id}
            ),
            self.env["integration.exception.queue"].create(queue),
            self.env["integration.crosswalk"].create(pair),
            self.env["integration.identifier"].create(identifier),
        ]

    def traffic(self, company):
        """Return one record of every readable traffic model, of a company."""
        system = self.make_system(company_id=company.id)
        endpoint = self.make_endpoint(system_id=system.id)
        event_type = self.make_event_type()
        event = self.make_event(event_type, {}, company_id=company.id)
        message = self.env["integration.message"].create(
            {
                "uid": event.uid,
                "direction": "out",
                "endpoint_id": endpoint.id,
                "event_id": event.id,
                "event_type_id": event_type.id,
                "company_id": company.id,
            }
        )
        attempt = {
            "message_id": message.id,
            "started_at": "2026-11-20",
            "outcome": "failure",
        }
        case = {
            "name": "Case",
            "fingerprint": self.next_code("cause"),
            "category": "server",
            "company_id": company.id,
        }
        audit = self.env["integration.audit.entry"]._log("state", message)
        return [
            event,
            message,
            self.env["integration.attempt"].create(attempt),
            self.env["integration.exception"].create(case),
            audit,
        ]

    def visible(self, record):
        found = (
            self.env[record._name]
            .with_user(self.administrator)
            .with_context(active_test=False)
        )
        return bool(found.search([("id", "=", record.id)]))

    def test_another_company_sees_nothing_of_ours(self):
        for record in self.configuration(self.theirs) + self.traffic(self.theirs):
            with self.subTest(record._name):
                self.assertFalse(self.visible(record))
                with mute_logger("odoo.addons.base.models.ir_rule"):
                    self.assertFalse(
                        record.with_user(self.administrator).has_access("read")
                    )

    def test_own_records_are_seen(self):
        for record in self.configuration(self.ours) + self.traffic(self.ours):
            with self.subTest(record._name):
                self.assertTrue(self.visible(record))

    def test_shared_records_are_seen(self):
        none = self.env["res.company"]
        for record in self.configuration(none) + self.traffic(none):
            with self.subTest(record._name):
                self.assertTrue(self.visible(record))

    def test_configuration_of_the_parent_company_is_seen_and_its_traffic_is_not(self):
        for record in self.configuration(self.parent):
            with self.subTest(record._name):
                self.assertTrue(self.visible(record))
        for record in self.traffic(self.parent):
            with self.subTest(record._name):
                self.assertFalse(self.visible(record))

    def test_the_payloads_of_another_company_stay_out_of_reach_as_well(self):
        for model in ("integration.payload", "integration.queue.entry"):
            rules = self.env["ir.rule"].search([("model_id.model", "=", model)])
            self.assertTrue(rules.filtered("active"), model)

    def test_parts_of_two_companies_do_not_mix(self):
        system = self.make_system(company_id=self.ours.id)
        foreign = self.make_credential(company_id=self.theirs.id)
        with self.assertRaisesRegex(Exception, "(?i)compan"):
            self.make_endpoint(system_id=system.id, credential_ids=foreign.ids)

    def test_nobody_moves_a_record_into_another_company(self):
        theirs = self.make_system(company_id=self.theirs.id)
        ours = self.make_system(company_id=self.ours.id)
        endpoint = self.make_endpoint(system_id=ours.id)
        user = self.make_user(company=self.theirs)
        stranger = self.make_client(system_id=theirs.id, user_id=user.id)
        user = self.make_user(company=self.ours)
        client = self.make_client(system_id=ours.id, user_id=user.id)
        client._generate_key("first")
        for record, vals, refusal in (
            (endpoint, {"system_id": theirs.id}, AccessError),
            (client.key_ids, {"client_id": stranger.id}, AccessError),
            # its clients would go along, whose users are no longer his to choose
            (ours, {"company_id": self.theirs.id}, ValidationError),
        ):
            with (
                self.subTest(record._name),
                mute_logger("odoo.addons.base.models.ir_rule"),
                self.assertRaises(refusal),
            ):
                record.with_user(self.administrator).write(vals)

    def test_a_credential_of_all_companies_serves_an_endpoint_of_one(self):
        system = self.make_system(company_id=self.ours.id)
        endpoint = self.make_endpoint(system_id=system.id)
        credential = self.make_credential(endpoint_ids=endpoint.ids)
        self.assertEqual(endpoint.credential_ids, credential)
        self.assertTrue(credential.copy())
        with self.assertRaisesRegex(UserError, "(?i)compan"):
            credential.company_id = self.theirs

    def test_a_company_with_configuration_is_not_deleted(self):
        # Its records would become everybody's.
        company = self.env["res.company"].create({"name": "Short-lived"})
        self.make_credential(company_id=company.id)
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            company.unlink()
