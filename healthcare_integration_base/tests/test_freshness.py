# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from datetime import datetime, timedelta, timezone

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged

from ..protocol.errors import Filtered, Rejected
from .common import IntegrationCase


class FreshnessCase(IntegrationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.system = cls.make_system()
        cls.endpoint = cls.make_endpoint(system_id=cls.system.id, direction="in")

    def message(self, endpoint=None, **vals):
        return self.env["integration.message"].create(
            {
                "uid": self.next_code("uid"),
                "direction": "in",
                "endpoint_id": (endpoint or self.endpoint).id,
                "company_id": self.env.company.id,
                **vals,
            }
        )

    def check(self, moment, key="stock WH", message=None):
        self.env["integration.freshness"]._check(message or self.message(), key, moment)


@tagged("post_install", "-at_install")
class TestFreshness(FreshnessCase):
    def test_older_is_stale_and_both_times_are_named(self):
        self.check("2026-11-20T10:00:00Z")
        with self.assertRaises(Filtered) as caught:
            self.check("2026-11-20T09:59:59.999Z")
        self.assertEqual(caught.exception.code, "stale")
        self.assertIn("2026-11-20T09:59:59.999Z", caught.exception.message)
        self.assertIn("2026-11-20T10:00:00.000Z", caught.exception.message)

    def test_newer_and_equal_pass(self):
        for moment in ("10:00:00", "10:00:00", "10:00:00.5", "11:00:00"):
            self.check(f"2026-11-20T{moment}Z")
        row = self.env["integration.freshness"].search([("key", "=", "stock WH")])
        self.assertEqual(row.occurred_at, datetime(2026, 11, 20, 11))

    def test_within_the_same_second(self):
        self.check("2026-11-20T10:00:00.500Z")
        with self.assertRaises(Filtered):
            self.check("2026-11-20T10:00:00.499Z")

    def test_zones_are_compared_as_instants(self):
        self.check("2026-11-20T10:00:00+02:00")
        self.check("2026-11-20T08:30:00Z")
        with self.assertRaises(Filtered):
            self.check("2026-11-20T10:29:00+02:00")

    def test_other_key_system_and_company_are_their_own(self):
        self.check("2026-11-20T10:00:00Z")
        self.check("2026-11-20T09:00:00Z", key="stock WH2")
        other = self.make_endpoint(direction="in")
        self.check("2026-11-20T09:00:00Z", message=self.message(other))
        company = self.env["res.company"].create({"name": "Elsewhere"})
        self.check("2026-11-20T09:00:00Z", message=self.message(company_id=company.id))

    def test_no_time_passes_and_remembers_nothing(self):
        self.check(None)
        self.assertFalse(self.env["integration.freshness"].search([]))

    def test_time_comes_with_the_message(self):
        freshness = self.env["integration.freshness"].with_context(
            integration_occurred_at="2026-11-20T10:00:00Z"
        )
        freshness._check(self.message(), "k")
        self.assertEqual(
            self.env["integration.freshness"].search([]).occurred_at,
            datetime(2026, 11, 20, 10),
        )

    def test_time_in_the_future_would_lock_out_the_rest(self):
        ahead = datetime.now(timezone.utc) + timedelta(days=3)
        for moment in (ahead, ahead.isoformat()):
            with self.assertRaises(Rejected) as caught:
                self.check(moment)
            self.assertEqual(caught.exception.code, "time_in_future")

    def test_time_that_is_none(self):
        for moment in (
            "yesterday",
            "2026-13-01T00:00:00Z",
            "0001-01-01T00:00:00+23:00",
        ):
            with self.assertRaises(Rejected) as caught:
                self.check(moment)
            self.assertEqual(caught.exception.code, "time_invalid")

    def test_rolled_back_is_forgotten(self):
        with self.assertRaises(ZeroDivisionError), self.cr.savepoint():
            self.check("2026-11-20T10:00:00Z")
            raise ZeroDivisionError
        self.check("2026-11-20T09:00:00Z")

    def test_old_rows_are_forgotten(self):
        self.check("2026-11-20T10:00:00Z")
        self.env.cr.execute(
            "UPDATE integration_freshness SET applied_at = '2020-01-01'"
        )
        self.env["integration.freshness"]._gc_old()
        self.assertFalse(self.env["integration.freshness"].search([]))

    def test_viewers_see_it_and_nobody_writes_it(self):
        self.check("2026-11-20T10:00:00Z")
        row = self.env["integration.freshness"].search([])
        for group in ("viewer", "administrator"):
            user = self.make_user(group)
            self.assertTrue(row.with_user(user).key)
            with self.assertRaises(AccessError):
                row.with_user(user).write({"key": "x"})
        with self.assertRaises(AccessError):
            row.with_user(self.make_user()).read(["key"])

    def test_other_company_sees_none(self):
        self.check("2026-11-20T10:00:00Z")
        company = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = self.make_user("viewer", company=company)
        rows = self.env["integration.freshness"].with_user(stranger)
        self.assertFalse(rows.search([]))


@tagged("post_install", "-at_install")
class TestStaleGuard(FreshnessCase):
    def guarded(self, path="order.number, line", **vals):
        return self.make_event_type(
            direction="in", stale_guard=True, stale_key_path=path, **vals
        )

    def guard(self, event_type, data, moment="2026-11-20T10:00:00Z"):
        event_type._guard_against_stale(self.message(), data, moment)

    def test_same_thing_by_its_fields(self):
        kind = self.guarded()
        self.guard(kind, {"order": {"number": "P1"}, "line": 1})
        self.guard(kind, {"order": {"number": "P1"}, "line": 2}, "2026-11-20T09:00:00Z")
        with self.assertRaises(Filtered):
            self.guard(
                kind, {"order": {"number": "P1"}, "line": 1}, "2026-11-20T09:00:00Z"
            )

    def test_types_are_apart(self):
        data = {"order": {"number": "P1"}, "line": 1}
        self.guard(self.guarded(), data)
        self.guard(self.guarded(), data, "2026-11-20T09:00:00Z")

    def test_message_that_names_nothing(self):
        for data in ({}, {"order": "P1", "line": 1}, {"order": {"number": ""}}, []):
            with self.assertRaises(Rejected) as caught:
                self.guard(self.guarded(), data)
            self.assertEqual(caught.exception.code, "stale_key_missing")

    def test_protected_names_are_hashed(self):
        kind = self.guarded(path="patient", sensitivity="phi")
        self.guard(kind, {"patient": "Jane Roe"})
        row = self.env["integration.freshness"].search([])
        self.assertNotIn("Jane", row.key)
        with self.assertRaises(Filtered) as caught:
            self.guard(kind, {"patient": "Jane Roe"}, "2026-11-20T09:00:00Z")
        self.assertNotIn("Jane", caught.exception.message)

    def test_without_guard_everything_passes(self):
        kind = self.make_event_type(direction="in")
        self.guard(kind, {}, "2026-11-20T10:00:00Z")
        self.assertFalse(self.env["integration.freshness"].search([]))

    def test_settings_that_cannot_be(self):
        for path in (False, "", "a..b", "a[0]", "a, ", "x y"):
            with self.assertRaises(ValidationError):
                self.guarded(path=path)
        with self.assertRaises(ValidationError):
            self.make_event_type(direction="out", stale_guard=True, stale_key_path="a")
