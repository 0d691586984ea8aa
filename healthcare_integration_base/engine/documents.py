# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What may be attached to a document: checked the same for partners and for users."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..protocol.errors import Rejected

KINDS = (
    "certificate_of_analysis",
    "packing_slip",
    "delivery_note",
    "invoice",
    "credit_note",
    "purchase_order",
    "safety_data_sheet",
    "remittance",
    "photo",
    "other",
)
# Nothing a browser runs: no HTML, no SVG, no script.
CONTENT_TYPES = {
    "application/pdf": b"%PDF-",
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
    "image/tiff": None,
    "text/plain": None,
    "text/csv": None,
    "application/xml": None,
    "application/json": None,
}
MAX_BYTES = 10 * 1024 * 1024
MAX_DOCUMENTS = 20
MAX_NAME, MAX_URL = 200, 2000
# What a file name may not have: paths, control characters, what breaks headers.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\"<>|:*?\u202a-\u202e\u2066-\u2069]')


@dataclass(frozen=True)
class Document:
    """One document, checked.

    :param content: its bytes; None where only an address was given
    """

    kind: str
    name: str
    url: str | None
    content: bytes | None
    sha256: str | None
    content_type: str | None


def read(row: dict, path: str) -> Document:
    """Check a row of the canonical member ``documents``.

    :param path: JSON pointer of the row
    :raise Rejected: with the path of what is wrong
    """
    content = _content(row, path)
    document = Document(
        kind=row["kind"],
        name=safe_name(row["name"]),
        url=_url(row.get("url"), path),
        content=content,
        sha256=_sha256(row, content, path),
        content_type=row.get("content_type"),
    )
    if content is None and not document.url:
        raise _refused(path, "document_empty", "has neither url nor content_base64")
    if content is not None:
        check_content(content, document.content_type, path)
    return document


def safe_name(name: str) -> str:
    """Return a file name without folders, control characters and what breaks headers."""
    clean = _UNSAFE.sub("_", name).strip(" .")
    return clean[:MAX_NAME] or "document"


def check_content(content: bytes, content_type: str | None, path: str = "") -> None:
    """Refuse what is too large, of a type nobody needs, or not what it says it is.

    :raise Rejected: ``document_too_large``, ``document_type_not_allowed``
    """
    if len(content) > MAX_BYTES:
        raise _refused(
            path, "document_too_large", f"has more than {MAX_BYTES // 1024 // 1024} MB"
        )
    if content_type not in CONTENT_TYPES:
        raise _refused(
            f"{path}/content_type",
            "document_type_not_allowed",
            f"must be one of {', '.join(CONTENT_TYPES)}",
        )
    magic = CONTENT_TYPES[content_type]
    if magic and not content.startswith(magic):
        raise _refused(
            f"{path}/content_type",
            "document_type_not_allowed",
            "is not what the content is",
        )


def _content(row: dict, path: str) -> bytes | None:
    text = row.get("content_base64")
    if text is None:
        return None
    if len(text) > MAX_BYTES * 4 // 3 + 4:
        raise _refused(
            path, "document_too_large", f"has more than {MAX_BYTES // 1024 // 1024} MB"
        )
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _refused(
            f"{path}/content_base64", "document_not_base64", "is no base64"
        ) from None


def _sha256(row: dict, content: bytes | None, path: str) -> str | None:
    stated = row.get("sha256")
    if content is None:
        return stated
    actual = hashlib.sha256(content).hexdigest()
    if stated and stated != actual:
        raise _refused(
            f"{path}/sha256", "document_hash_mismatch", "does not fit to the content"
        )
    return actual


def _url(url: str | None, path: str) -> str | None:
    if not url:
        return None
    try:
        parts = urlsplit(url)
        good = parts.scheme == "https" and parts.hostname and not parts.username
    except ValueError:
        good = False
    if not good or len(url) > MAX_URL or re.search(r"[\s\x00-\x1f]", url):
        raise _refused(
            f"{path}/url", "document_url", "must be an https address without user name"
        )
    return url


def _refused(path: str, code: str, message: str) -> Rejected:
    return Rejected(
        "A document cannot be attached.",
        code=code,
        details=[{"path": path, "message": message}],
    )
