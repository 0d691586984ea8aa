# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The simulated partners do what the demo and the tests rely on."""

from __future__ import annotations

import base64
import datetime
import gzip
import json
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from dev.partners import answers, journal

ROOT = Path(__file__).resolve().parents[1]
SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
OTHER_SECRET = "whsec_" + base64.b64encode(b"o" * 32).decode()
ORDER = {
    "lines": [
        {"line_ref": "1", "quantity": "10", "requested_date": "2026-12-01"},
        {"line_ref": "2", "quantity": "3", "requested_date": "2026-12-01T10:00:00Z"},
    ],
}


class Process:
    """A partner's process and its log."""

    def __init__(self, name: str, folder: Path) -> None:
        self.log = folder / f"{name}.jsonl"
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"dev.partners.{name}", "--log", str(self.log)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
        )
        self.url = json.loads(self.process.stdout.readline())["url"]

    def control(self, command: str, **data) -> dict:
        answer = requests.post(f"{self.url}/control/{command}", json=data, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def entries(self) -> list[dict]:
        return journal.read(self.log)

    def stop(self) -> None:
        self.process.terminate()
        assert self.process.wait(timeout=10) == 0
        self.process.stdout.close()


def started(name, tmp_path_factory):
    partner = Process(name, tmp_path_factory.mktemp(name))
    yield partner
    partner.stop()


@pytest.fixture(scope="module")
def supplier(tmp_path_factory):
    yield from started("supplier_network", tmp_path_factory)


@pytest.fixture(scope="module")
def finance(tmp_path_factory):
    yield from started("finance", tmp_path_factory)


@pytest.fixture(scope="module")
def logistics(tmp_path_factory):
    yield from started("logistics", tmp_path_factory)


@pytest.fixture
def controllers():
    """Our side of the line: notes what is posted, answers 202."""
    posted = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            posted.append((self.path, dict(self.headers), body))
            self.send_response(202)
            self.send_header("Location", "/integration/v1/messages/1")
            self.end_headers()

        def log_message(self, *args):
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.posted = posted
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield server
    server.shutdown()
    server.server_close()


def until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def signed(event: dict, message_id="msg_1", secret=SECRET):
    body = json.dumps(event)
    at = datetime.datetime.now(datetime.timezone.utc)
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, at, body),
        "Content-Type": "application/cloudevents+json",
    }
    return body, headers


def release(supplier, message_id, secret=SECRET):
    data = {"order": {"number": f"P-{message_id}"}, **ORDER}
    event = {"type": "healthcare.supply.purchase_order.released.v1", "data": data}
    body, headers = signed(event, message_id, secret)
    return requests.post(
        f"{supplier.url}/orders", data=body, headers=headers, timeout=10
    )


def test_a_signed_order_is_verified_logged_and_acknowledged_with_one_changed_date(
    supplier, controllers
):
    supplier.control(
        "settings",
        secrets=[OTHER_SECRET, SECRET],
        acknowledge_url=f"{controllers.url}/ack",
        signing_secret=OTHER_SECRET,
    )
    assert release(supplier, "msg_a").status_code == 202
    until(lambda: controllers.posted)
    entry = supplier.entries()[-1]
    assert list(entry)[:6] == [
        "received_at",
        "path",
        "headers",
        "body_base64",
        "verified",
        "answered",
    ]
    assert (entry["path"], entry["verified"], entry["answered"]) == (
        "/orders",
        True,
        202,
    )
    assert entry["headers"]["webhook-id"] == "msg_a"
    path, headers, body = controllers.posted[0]
    Webhook(OTHER_SECRET).verify(body, {k.lower(): v for k, v in headers.items()})
    acknowledgement = json.loads(body)
    assert path == "/ack"
    assert acknowledgement["status"] == "accepted_with_changes"
    assert [line["status"] for line in acknowledgement["lines"]] == [
        "accepted",
        "changed",
    ]
    assert acknowledgement["lines"][1]["promised_date"] == "2026-12-06"


def test_an_order_that_comes_twice_is_acknowledged_once(supplier, controllers):
    supplier.control(
        "settings",
        secrets=[SECRET],
        acknowledge_url=f"{controllers.url}/ack",
        signing_secret=SECRET,
    )
    assert release(supplier, "msg_b").status_code == 202
    until(lambda: controllers.posted)
    assert release(supplier, "msg_b").status_code == 202
    until(lambda: supplier.control("state")["tasks"] == 0)
    assert len(controllers.posted) == 1


def test_a_repeated_acknowledgement_has_the_same_id_and_the_same_bytes(
    supplier, controllers
):
    supplier.control(
        "settings", secrets=[SECRET], acknowledge_url="", signing_secret=SECRET
    )
    release(supplier, "msg_c")
    supplier.control("settings", acknowledge_url=f"{controllers.url}/ack")
    first = supplier.control("acknowledge", order="P-msg_c")
    second = supplier.control("acknowledge", order="P-msg_c")
    assert first["message_id"] == second["message_id"]
    assert controllers.posted[-1][2] == controllers.posted[-2][2]
    assert first["location"] == "/integration/v1/messages/1"


def test_a_forged_call_is_signed_with_another_secret(supplier, controllers):
    supplier.control(
        "settings", secrets=[SECRET], acknowledge_url="", signing_secret=SECRET
    )
    release(supplier, "msg_d")
    supplier.control("settings", acknowledge_url=f"{controllers.url}/ack")
    supplier.control("forge", order="P-msg_d")
    _path, headers, body = controllers.posted[-1]
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body, {k.lower(): v for k, v in headers.items()})


def test_a_ship_notice_has_lots_that_make_up_the_quantity(supplier, controllers):
    supplier.control(
        "settings",
        secrets=[SECRET],
        acknowledge_url="",
        ship_url=f"{controllers.url}/ship",
    )
    supplier.control("settings", api_key="hik_abc_def")
    release(supplier, "msg_e")
    supplier.control("ship", order="P-msg_e")
    _path, headers, body = controllers.posted[-1]
    assert headers["Authorization"] == "Bearer hik_abc_def"
    lots = [
        [lot["quantity"] for lot in line["lots"]] for line in json.loads(body)["lines"]
    ]
    assert lots == [["5", "5"], ["2", "1"]]
    assert (
        "hik_abc_def"
        not in (supplier.log.parent / "calls" / supplier.log.name).read_text()
    )


@pytest.mark.parametrize(
    "token", ["v1,AAAA", "v1,a,b", "v1,dawfeoifkpqwoekfpqoekf", "junk", ""]
)
def test_a_wrong_signature_gets_401_and_is_logged_as_unverified(supplier, token):
    supplier.control("settings", secrets=[SECRET], acknowledge_url="")
    body, headers = signed({"type": "x", "data": {}})
    headers["webhook-signature"] = token
    answer = requests.post(supplier.url, data=body, headers=headers, timeout=10)
    assert answer.status_code == 401
    assert (supplier.entries()[-1]["verified"], supplier.entries()[-1]["answered"]) == (
        False,
        401,
    )


def book(finance, document, key="msg_1"):
    return requests.post(
        f"{finance.url}/documents",
        json=document,
        headers={"Authorization": "Bearer tok", "webhook-id": key},
        timeout=10,
    )


def test_finance_answers_as_told_and_then_books_once(finance):
    finance.control("settings", token="tok", requires={})
    finance.control(
        "answers", answers=[{"status": 503}, {"status": 503}, {"status": 200}]
    )
    statuses = [book(finance, {"a": 1}, "msg_x").status_code for _try in range(4)]
    assert statuses == [503, 503, 200, 200]
    assert list(finance.control("state")["booked"]) == ["msg_x"]
    assert [entry["answered"] for entry in finance.entries()[-4:]] == [
        503,
        503,
        200,
        200,
    ]


def test_finance_refuses_a_document_without_the_agreed_field(finance):
    finance.control("settings", token="tok", requires={"cost_center": "^[0-9]{4}$"})
    assert book(finance, {"a": 1}, "msg_y").status_code == 422
    assert book(finance, {"cost_center": "12"}, "msg_y").status_code == 422
    assert book(finance, {"cost_center": "1200"}, "msg_y").status_code == 200


def test_finance_logs_no_credential(finance):
    finance.control("settings", token="tok", requires={})
    book(finance, {"a": 1})
    assert finance.entries()[-1]["headers"]["authorization"] == "***"
    answer = requests.post(
        finance.url, json={}, headers={"Authorization": "Bearer x"}, timeout=10
    )
    assert answer.status_code == 401


def test_finance_hangs_drops_and_talks_garbage_on_command(finance):
    finance.control("settings", token="tok", requires={})
    finance.control("answers", answers=[{"garbage": True}, {"drop": True}])
    for _answer in range(2):
        with pytest.raises(requests.exceptions.RequestException):
            book(finance, {})
    assert [entry["answered"] for entry in finance.entries()[-2:]] == [None, None]
    finance.control(
        "answers",
        answers=[{"status": 429, "headers": {"Retry-After": "7"}}, {"hang": 30}],
    )
    assert book(finance, {}).headers["Retry-After"] == "7"
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.post(
            finance.url, json={}, headers={"Authorization": "Bearer tok"}, timeout=0.2
        )


def test_finance_sends_bombs_and_megabytes_on_command(finance):
    finance.control("settings", token="tok", requires={})
    finance.control("answers", answers=[{"bomb": 20}, {"megabytes": 10}])
    with requests.post(
        finance.url,
        json={},
        headers={"Authorization": "Bearer tok"},
        timeout=10,
        stream=True,
    ) as answer:
        small = answer.raw.read(decode_content=False)
    assert len(small) < 100_000 < len(gzip.decompress(small))
    assert len(book(finance, {}).content) == 10 * answers.MEGABYTE


@pytest.mark.parametrize(
    "answer", [{"status": 99}, {"nonsense": 1}, {"hang": 1, "drop": True}, 5]
)
def test_an_impossible_answer_is_refused(finance, answer):
    response = requests.post(
        f"{finance.url}/control/answers", json={"answers": [answer]}, timeout=10
    )
    assert response.status_code == 400
    assert "ValueError" in response.json()["error"]


def test_logistics_counts_events_by_type(logistics):
    logistics.control("settings", secrets=[SECRET])
    body, headers = signed({"type": "healthcare.supply.goods.received.v1", "data": {}})
    assert (
        requests.post(logistics.url, data=body, headers=headers, timeout=10).status_code
        == 202
    )
    assert logistics.control("state")["counts"] == {
        "healthcare.supply.goods.received.v1": 1
    }
