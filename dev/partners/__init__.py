# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Simulated partners: real processes that speak HTTP with us, each with a log of what it got."""
