# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Syntaxes of incoming messages (ring 1: no Odoo). A connector adds its own with ``register``."""

from .base import Codec, CodecError, Received, get, parse_content_type, register
from .json_codec import JsonCodec

register("json", JsonCodec())

__all__ = ["Codec", "CodecError", "Received", "get", "parse_content_type", "register"]
