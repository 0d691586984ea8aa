# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Access tokens of this database: under a key of the ring, void elsewhere."""

import time

from odoo import fields

from .. import runtime
from ..protocol import tokens

PURPOSE = "access-token"


def issue(env, caller, scopes, key_id, seconds):
    """Return a signed access token.

    :param scopes: what it is good for
    :param key_id: row of the secret it was obtained with; None for a key pair
    :raises Configuration: this node has no key ring
    """
    ring, now = runtime.keyring(), int(time.time())
    token = tokens.AccessToken(
        client=caller.oauth_id,
        scopes=frozenset(scopes),
        issued_at=now,
        expires_at=now + seconds,
        id=tokens.new_id(),
        key_id=key_id,
    )
    kid = ring.primary_id
    return tokens.mint(token, audience(env), kid, ring.signing_key(PURPOSE, kid))


def read(env, text):
    """Return what an access token says, and whose it is.

    :raises TokenError: 401, it is not valid, or client or secret are revoked
    :raises Configuration: this node has no key ring
    """
    ring = runtime.keyring()
    token = tokens.verify(
        text,
        audience(env),
        lambda kid: ring.signing_key(PURPOSE, kid),
        time.time(),
    )
    caller = _caller(env, token)
    if not caller:
        raise tokens.TokenError("The access token was revoked.")
    return token, caller


def _caller(env, token):
    book, now = env["integration.client"]._book(), fields.Datetime.now()
    caller = book.caller(book.oauth_ids.get(token.client), now)
    if not caller or (token.key_id and token.key_id not in book.key_ids):
        return None
    voided = caller.tokens_after
    issued = fields.Datetime.from_string(_second(token.issued_at))
    return None if voided and issued <= voided else caller


def _second(moment):
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(moment))


def audience(env):
    """Return the name of this database, which no copy has once it has its own identity."""
    uid = env["ir.config_parameter"].sudo().get_param("database.uuid")
    return f"urn:uuid:{uid}"
