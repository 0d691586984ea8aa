# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Benchmarks: real databases, real servers, loopback partners; see docs/performance.md."""
