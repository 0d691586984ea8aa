# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Every route of partners, as the server's own document lists them: rubbish gets a 4xx and
leaves nothing behind, and nobody reaches what is another client's, company's or scope's.
"""

from __future__ import annotations

import http.client
import json
import re
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.harness import run_in_odoo
from tests.test_api_contract import SETUP, document

# Two more of the same company, one without any right, one with every right but of another
# supplier; and one with every right in another company.
OTHERS = """
from odoo import Command
owner = env["integration.client"].search([("name", "=", "Network")])
every = [Command.create({"scope": code}) for code in env["integration.client.scope"]._scopes()]
def make(name, company, groups, scopes, **values):
    user = env["res.users"].create({
        "name": name, "login": name, "company_id": company.id,
        "company_ids": [Command.set(company.ids)], "group_ids": [Command.set(groups.ids)]})
    partner = env["res.partner"].create({"name": name, "is_company": True, "supplier_rank": 1})
    system = env["integration.system"].create({
        "name": name, "code": name, "environment": "test", "company_id": company.id,
        "partner_id": partner.id})
    client = env["integration.client"].create({
        "name": name, "system_id": system.id, "user_id": user.id, "scope_ids": scopes,
        "rate_limit": 0, **values})
    print("KEY", name, client._generate_key("test"))
owner.rate_limit = 0
groups = owner.user_id.group_ids
make("scopeless", owner._company(), groups, [Command.clear()])
make("rival", owner._company(), groups, every, record_scope="partner")
company = env["res.company"].create({"name": "Another hospital"})
make("stranger", company, groups, every, record_scope="company")
out = env["integration.endpoint"].create({
    "name": "Out", "code": "network-out", "system_id": owner.system_id.id, "direction": "out",
    "transport": "feed", "state": "active"})
owner.endpoint_ids = [Command.link(out.id)]
order = env["purchase.order"].search([("partner_id", "=", owner.system_id.partner_id.id)])
event_type = env["integration.event.type"].search(
    [("code", "=", "supply.purchase_order.released")], limit=1)
ids = env["integration.message"]._enqueue([{
    "direction": "out", "endpoint_id": out.id, "event_type_id": event_type.id,
    "company_id": owner._company().id, "res_model": order._name, "res_id": order.id}])
print("OUT", env["integration.message"].browse(ids).uid)
print("ORDER", order.name, order.picking_ids.name)
env.cr.commit()
"""
PROBLEM = "application/problem+json"
# rate and lockout of the address are not what is tried here
SETTINGS = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
DEEP = b'{"a":' * 5000 + b"1" + b"}" * 5000
BODIES = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=100).map(lambda text: text.encode("utf-16")),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3),
    ).map(lambda value: json.dumps(value).encode()),
    st.sampled_from(
        [
            b"",
            DEEP,
            b"[" * 100_000,
            b'{"n": 1' + b"0" * 5000 + b"}",
            b'{"n": 1e999999}',
            b'{"n": NaN}',
            b'{"a": "\\ud800"}',
            b'{"a": "\\u0000"}',
            b'\xff\xfe{"a": 1}',
            b'{"a": 1, "a": 2',
            b"a=1&b=2",
            b"\x1f\x8b\x08\x00not really gzip",
        ]
    ),
)
TYPES = st.sampled_from(
    [
        "application/json",
        "application/json; charset=utf-16",
        "application/json; charset=nonsense",
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
        "application/x-ndjson",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "",
        "\x7f;;;=",
    ]
)
ODDITIES = st.text(min_size=1, max_size=60) | st.sampled_from(
    ["\0", "../../etc/passwd", "%", "' OR 1=1 --", "9" * 400, "-1", "💉", "a" * 3000]
)


class Caller:
    """A partner's program: one request after the other, whatever it is told to send."""

    def __init__(self, server, key: str | None) -> None:
        self.port, self.key = server.port, key

    def __call__(self, method: str, path: str, body=None, kind="application/json"):
        """Return status, content type and body of the answer."""
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        if body is not None:
            headers |= {"Content-Type": kind} if kind else {}
            headers["Content-Length"] = str(len(body))
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        return answer.status, answer.headers.get_content_type(), text


def keys_of(printed: str) -> dict[str, str]:
    return dict(re.findall(r"KEY (\w+) (\S+)", printed))


@pytest.fixture
def world(database, odoo_server):
    """Server, keys by client, and what belongs to the first client."""
    first = re.search(r"KEY (\S+)", run_in_odoo(database, SETUP))[1]
    printed = run_in_odoo(database, OTHERS)
    server = odoo_server(overrides={"healthcare_integration": {"address_rate": "0"}})
    order, receipt = re.search(r"ORDER (\S+) (\S+)", printed).groups()
    owned = {"uid": re.search(r"OUT (\S+)", printed)[1], "order": order, "in": receipt}
    return server, {"owner": first, **keys_of(printed)}, owned


def operations(server, key):
    """Return (method, path, operation) of each operation of the document."""
    return [
        (method.upper(), path, operation)
        for path, item in document(server, key)["paths"].items()
        for method, operation in item.items()
        if method in ("get", "post", "put", "patch", "delete")
    ]


def filled(path: str, text: str) -> str:
    """Return the address with every parameter replaced by a text, a version by a number."""
    path = path.replace("{version}", "1")
    return re.sub(r"\{\w+\}", lambda _found: quote(text, safe=""), path)


def assert_refused(answer, what) -> None:
    """The answer is a 4xx as partners know them, without a word of our inner life."""
    status, kind, body = answer
    assert 400 <= status < 500, (what, answer)
    assert b"Traceback" not in body and b"psycopg2" not in body, what
    if "/oauth/" not in what[1]:  # RFC 6749 has a form of its own
        assert kind == PROBLEM, (what, answer)


def test_rubbish_is_refused_and_nothing_of_it_is_kept(world, sql):
    server, keys, _owned = world
    known = operations(server, keys["owner"])
    assert len(known) > 30
    caller = Caller(server, keys["owner"])
    posts = [path for method, path, _op in known if method == "POST"]
    gets = [path for method, path, _op in known if method == "GET"]
    kept = "SELECT count(*) FROM integration_message"
    before = sql.value(kept)
    stored = []

    @SETTINGS
    @given(st.data())
    def send(data):
        body, kind = data.draw(BODIES), data.draw(TYPES)
        for path in posts:
            path = filled(path, "network-in")
            status, type_, answer = caller("POST", path, body, kind)
            if status == 200 and path.endswith("/batch"):
                lines = [json.loads(line) for line in answer.splitlines()]
                assert all(400 <= line["status"] < 500 for line in lines), answer
                continue
            assert_refused((status, type_, answer), (body, path, kind))
            stored.append(path)

    @SETTINGS
    @given(ODDITIES, ODDITIES)
    def ask(text, value):
        for path in gets:
            query = f"?{quote(text, safe='')}={quote(value, safe='')}"
            for address in {filled(path, text), filled(path, "x") + query}:
                status, kind, answer = caller("GET", address)
                if (
                    status == 200
                ):  # addresses without parameter take no notice of queries
                    continue
                assert_refused((status, kind, answer), ("GET", address))

    send()
    ask()
    assert stored
    assert sql.value(kept) == before
    assert sql.value("SELECT count(*) FROM integration_payload") == 0


def test_nobody_reaches_what_is_not_his(world, sql):
    server, keys, owned = world
    check_without_credentials(server, keys, owned)
    check_without_the_scope(server, keys, owned)
    for name in ("rival", "stranger"):
        check_of_others(server, keys, owned, sql, name)


def check_without_credentials(server, keys, owned) -> None:
    """Nothing is answered to somebody unknown."""
    anybody = Caller(server, None)
    for method, path, operation in operations(server, keys["owner"]):
        if not operation.get("security", True):
            continue
        body = b"{}" if method == "POST" else None
        status, kind, answer = anybody(method, filled(path, owned["uid"]), body)
        assert (status, kind) == (401, PROBLEM), (method, path, status, answer)


def check_without_the_scope(server, keys, owned) -> None:
    """Nothing is answered to a client without the scope."""
    caller = Caller(server, keys["scopeless"])
    tried = 0
    for method, path, operation in operations(server, keys["owner"]):
        if not operation.get("security", True):
            continue
        body = b"{}" if method == "POST" else None
        status, kind, answer = caller(method, filled(path, owned["uid"]), body)
        assert (status, kind) == (403, PROBLEM), (method, path, status, answer)
        assert json.loads(answer)["code"] == "scope_missing", (path, answer)
        tried += 1
    assert tried > 30


def check_of_others(server, keys, owned, sql, name) -> None:
    """What is of another client, or company, does not exist for this one."""
    caller, owner = Caller(server, keys[name]), Caller(server, keys["owner"])
    body = json.dumps({"status": "accepted"}).encode()
    prefix = "/integration/v1"
    mine = owner(
        "POST", f"{prefix}/messages/network-in", b'{"a": "%s"}' % name.encode()
    )
    assert mine[0] == 202
    uid, before = (
        json.loads(mine[2])["uid"],
        sql.value("SELECT count(*) FROM integration_message"),
    )
    addresses = [
        ("POST", "/messages/network-in", b'{"a": 2}'),
        ("POST", "/messages/network-in/batch", b'{"a": 2}'),
        ("POST", "/events?endpoint=network-in", event()),
        ("GET", f"/messages/{uid}", None),
        ("GET", f"/messages/{owned['uid']}", None),
        ("POST", f"/messages/{owned['uid']}/acknowledgements", body),
        ("GET", "/feeds/network-out", None),
        ("POST", "/feeds/network-out/acknowledgements", feedback(owned["uid"])),
        ("GET", f"/purchase-orders/{owned['order']}", None),
        ("GET", f"/receipts/{quote(owned['in'], safe='')}", None),
        ("GET", f"/attachments?document=purchase_order/{owned['order']}", None),
    ]
    for method, path, content in addresses:
        kind = "application/json"
        if path.startswith("/events"):
            kind = "application/cloudevents+json"
        if path.endswith("/batch"):
            kind = "application/x-ndjson"
        status, type_, answer = caller(method, prefix + path, content, kind)
        assert status in (400, 403, 404), (method, path, status, answer)
        assert type_ == PROBLEM, (path, answer)
        assert owned["order"].encode() not in answer.replace(path.encode(), b""), (
            path,
            answer,
        )
    assert sql.value("SELECT count(*) FROM integration_message") == before
    assert sql.value("SELECT count(*) FROM integration_acknowledgement") == 0
    # what there is for the owner is no part of any list of the others; products are, as
    # long as Odoo shares them
    for path in (
        "/purchase-orders",
        "/receipts",
        "/lots",
        "/stock-levels",
    ):
        assert json.loads(owner("GET", prefix + path)[2])["items"], path
        status, _type, answer = caller("GET", prefix + path)
        assert status in (200, 403), (path, answer)
        assert status == 403 or json.loads(answer)["items"] == [], (path, answer)


def event() -> bytes:
    return json.dumps(
        {
            "specversion": "1.0",
            "id": "1",
            "source": "x",
            "type": "healthcare.supply.purchase_order.acknowledged.v1",
            "data": {"a": 1},
        }
    ).encode()


def feedback(uid: str) -> bytes:
    return json.dumps({"items": [{"uid": uid, "result": "delivered"}]}).encode()
