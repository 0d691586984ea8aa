# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from datetime import date, datetime

from odoo.tests import BaseCase, tagged

from ..payloads.text import (
    amount_text,
    compact,
    date_text,
    decimal_text,
    gtin14,
    instant,
)


@tagged("post_install", "-at_install")
class TestPayloadText(BaseCase):
    def test_decimals_are_short_and_have_no_exponent(self):
        for value, expected in (
            (0, "0"),
            (None, "0"),
            (10.0, "10"),
            (100000000.0, "100000000"),
            (2.5, "2.5"),
            (0.1 + 0.2, "0.3"),
            (-1.50, "-1.5"),
            (-0.0, "0"),
            (1e-7, "0.0000001"),
        ):
            self.assertEqual(decimal_text(value), expected)

    def test_decimals_are_rounded_half_up(self):
        self.assertEqual(decimal_text(2.675, 2), "2.68")
        self.assertEqual(decimal_text(1.005, 2), "1.01")

    def test_amounts_keep_the_decimals_of_their_currency(self):
        self.assertEqual(amount_text(12.5, 2), "12.50")
        self.assertEqual(amount_text(12.0, 0), "12")
        self.assertEqual(amount_text(-0.001, 2), "0.00")

    def test_moments(self):
        self.assertEqual(instant(datetime(2026, 11, 20, 8, 5)), "2026-11-20T08:05:00Z")
        self.assertEqual(date_text(datetime(2026, 11, 20, 23)), "2026-11-20")
        self.assertEqual(date_text(date(2026, 1, 2)), "2026-01-02")
        self.assertIsNone(instant(False))
        self.assertIsNone(date_text(None))

    def test_gtins_are_filled_up_to_14_digits(self):
        self.assertEqual(gtin14("5901234123457"), "05901234123457")
        self.assertEqual(gtin14("036000291452"), "00036000291452")
        self.assertEqual(gtin14("96385074"), "00000096385074")
        self.assertEqual(gtin14("15901234123454"), "15901234123454")

    def test_other_barcodes_are_no_gtins(self):
        for text in (None, False, "", "5901234123458", "ABC", "12345", "٥901234123457"):
            self.assertIsNone(gtin14(text), text)

    def test_unknown_values_are_left_out(self):
        self.assertEqual(
            compact({"a": None, "b": "", "c": [], "d": False, "e": 0, "f": "x"}),
            {"d": False, "e": 0, "f": "x"},
        )
