# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Documents for partners: a list with short-lived links, and what a link leads to."""

import base64
import time
from datetime import datetime, timezone
from urllib.parse import quote

from odoo import http
from odoo.exceptions import AccessError
from odoo.fields import Datetime
from odoo.http import Response, request

from ..engine.documents import CONTENT_TYPES
from ..protocol import link
from .dispatcher import route
from .gate import admit, admit_stranger
from .intake import answer_json, superuser
from .operation import Answer, Operation, Parameter
from .problem import PREFIX, Refusal

ATTACHMENTS = f"{PREFIX}/attachments"
MAX_NUMBER = 200
_LINK = {
    "type": "object",
    "properties": {
        "kind": {"type": "string"},
        "name": {"type": "string"},
        "content_type": {"type": "string"},
        "size": {"type": "integer"},
        "sha256": {"type": "string"},
        "url": {"type": "string", "format": "uri-reference"},
        "expires_at": {"type": "string", "format": "date-time"},
    },
    "required": ["kind", "name", "url", "expires_at"],
}
LIST = Operation(
    "listAttachments",
    "Documents of one business document, with links to fetch them",
    "attachments:read",
    tag="Attachments",
    text="A link needs no other authentication, is good for 15 minutes, and is made for "
    "the client that asked.",
    parameters=(
        Parameter(
            "document",
            "query",
            "What the documents belong to: its kind, a slash, its number; "
            "for example purchase-orders/P00012.",
            {"type": "string", "minLength": 3, "maxLength": MAX_NUMBER},
            required=True,
        ),
    ),
    answers={
        200: Answer(
            "The documents.",
            {
                "application/json": {
                    "type": "object",
                    "properties": {"attachments": {"type": "array", "items": _LINK}},
                    "required": ["attachments"],
                }
            },
        )
    },
    problems=(404,),
)
FETCH = Operation(
    "fetchAttachment",
    "The document a link leads to",
    None,
    tag="Attachments",
    parameters=(Parameter("token", "path", "As it stands in the link."),),
    answers={
        200: Answer(
            "The document.",
            {name: {"type": "string"} for name in CONTENT_TYPES},
        )
    },
    problems=(404, 410),
)


class AttachmentController(http.Controller):
    """``GET …/attachments?document=…`` and ``GET …/attachments/<token>``."""

    @route(ATTACHMENTS, "GET", LIST)
    def links(self):
        """Return the documents of a business document the client may know of.

        :raises Refusal: 400 without ``document``, 404 unknown or not the client's
        """
        env = superuser()
        client = admit(env, "attachments:read")
        records = _records(env, client, request.httprequest.args.get("document", ""))
        rows = env["integration.attachment"].search(
            [("res_model", "=", records._name), ("res_id", "in", records.ids)]
        )
        allowed = rows.filtered(lambda row: row._partner_may_fetch(client))
        return answer_json(200, {"attachments": [_row(row, client) for row in allowed]})

    @route(f"{ATTACHMENTS}/<string:token>", "GET", FETCH)
    def fetch(self, token):
        """Return the content a link leads to, and write down who fetched it.

        :raises Permanent: 404 for whatever is no link or leads nowhere any more, 410 too late
        """
        env = superuser()
        admit_stranger(env)
        Attachment = env["integration.attachment"]
        found = link.read(token, time.time(), Attachment._sign)
        client = env["integration.client"].browse(found.client_id).exists()
        attachment = Attachment.browse(found.attachment_id).exists()
        usable = (
            client
            and attachment
            and client._is_usable(Datetime.now())
            and client._may("attachments:read")
        )
        if not usable or not attachment._partner_may_fetch(client):
            raise link.unknown()
        _write_down(env, attachment, client)
        return _file(attachment)


def _records(env, client, document):
    kind, _slash, number = document.partition("/")
    if not kind or not number or len(document) > MAX_NUMBER or "\0" in document:
        raise Refusal(
            400,
            "bad_document",
            "Say which document: ?document=<kind>/<number>, "
            "for example purchase-orders/P00012.",
        )
    try:
        records = env["integration.attachment"]._find_documents(client, kind, number)
    except AccessError:  # the client's user may not read such documents at all
        records = None
    if not records:
        raise Refusal(
            404, "unknown_document", "There is no such document, or it is not yours."
        )
    return records.sudo()


def _row(attachment, client):
    token, ends = attachment._link_token(client)
    ends_at = datetime.fromtimestamp(ends, timezone.utc)
    row = {
        "kind": attachment.kind,
        "name": attachment.name,
        "content_type": attachment.content_type,
        "size": attachment.size,
        "sha256": attachment.sha256,
        "url": f"{ATTACHMENTS}/{token}",
        "expires_at": ends_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return {key: value for key, value in row.items() if value not in (None, False)}


def _write_down(env, attachment, client):
    env["integration.audit.entry"]._log(
        "document",
        attachment,
        detail={
            "client": client.name,
            "client_id": client.id,
            "document": f"{attachment.res_model},{attachment.res_id}",
        },
    )


def _file(attachment):
    content = base64.b64decode(attachment.file or b"")
    name = attachment.name
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    return Response(
        content,
        status=200,
        content_type=attachment.content_type or "application/octet-stream",
        headers={
            "Content-Disposition": f'attachment; filename="{plain}"; '
            f"filename*=UTF-8''{quote(name, safe='')}",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "private, no-store",
            "Referrer-Policy": "no-referrer",
        },
    )
