# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Exceptions become problem details of RFC 9457."""

import json

import pytest
from hib.protocol import errors


@pytest.mark.parametrize(
    "exc, status, code",
    [
        (errors.Permanent("No"), 400, "permanent_failure"),
        (errors.Permanent("No", code="too_large", status=413), 413, "too_large"),
        (errors.Rejected("No"), 422, "rejected"),
        (errors.Retryable("No"), 503, "temporarily_unavailable"),
        (errors.Configuration("No", code="keyring_missing"), 503, "keyring_missing"),
        (errors.IntegrationError("No"), 500, "integration_error"),
    ],
)
def test_members(exc, status, code):
    got_status, problem = errors.to_problem(exc)
    assert got_status == problem["status"] == status
    assert problem["code"] == code
    assert problem["type"] == f"urn:healthcare-integration:problem:{code}"
    assert problem["detail"] == "No" and problem["title"]
    assert "errors" not in problem
    json.dumps(problem)


def test_findings_are_listed():
    finding = {"path": "/lines/0", "message": "lacks the property sku"}
    problem = errors.to_problem(errors.Rejected("No", details=[finding]))[1]
    assert problem["errors"] == [finding]


def test_unknown_exceptions_say_nothing_of_their_text():
    status, problem = errors.to_problem(ValueError("patient 4711"))
    assert status == 500 and problem["code"] == "internal_error"
    assert "4711" not in json.dumps(problem)
