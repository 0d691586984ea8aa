# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What every codec of incoming messages promises, and the table of codecs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Protocol

from ..protocol.errors import Configuration, Permanent

_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([^\s\";]+)", re.IGNORECASE)


class CodecError(Permanent):
    """The bytes do not follow the syntax of the codec; the text never quotes them."""

    default_code = "invalid_body"
    default_status = 400
    title = "Body cannot be read"


@dataclass(frozen=True)
class Received:
    """What a codec reads from the bytes of a partner.

    :param data: the content, as the mapping sees it
    :param type: how the partner names the event type, if the syntax carries it
    :param external_id: the partner's id of the message, if the syntax carries it
    :param ordering_key: messages with the same one are applied in order
    """

    data: dict[str, Any]
    type: str | None = None
    external_id: str | None = None
    time: str | None = None
    subject: str | None = None
    source: str | None = None
    correlation: str | None = None
    ordering_key: str | None = None
    traceparent: str | None = None

    def meta(self) -> dict[str, str | None]:
        """Return what a mapping sees under the key ``event``."""
        return {
            "id": self.external_id,
            "type": self.type,
            "time": self.time,
            "subject": self.subject,
            "source": self.source,
            "correlation": self.correlation,
        }


class Codec(Protocol):
    """One syntax of incoming messages."""

    content_types: tuple[str, ...]  # as a client may be told, the preferred one first
    # True if it has ``parse_line``: messages may come in batches, one a line
    batches: bool

    def accepts(self, mimetype: str) -> bool:
        """Return True if bodies of this media type (lower case, no parameters) can be read."""

    def parse(self, body: bytes, mimetype: str, charset: str | None) -> Received:
        """Return the content of a body.

        :raises CodecError: if the bytes do not follow the syntax
        """


def parse_content_type(text: str) -> tuple[str, str | None]:
    """Return (media type in lower case, charset or None) of a Content-Type."""
    charset = _CHARSET.search(text)
    return text.partition(";")[0].strip().lower(), charset[1] if charset else None


_codecs: dict[str, Codec] = {}


def register(name: str, codec: Codec) -> None:
    """Make a codec known under a value of the endpoint's field ``codec``."""
    _codecs[name] = codec


def get(name: str) -> Codec:
    """Return the codec of an endpoint.

    :raises Configuration: if no installed addon has it
    """
    try:
        return _codecs[name]
    except KeyError:
        raise Configuration(
            f"There is no codec {name!r}", code="unknown_codec"
        ) from None
