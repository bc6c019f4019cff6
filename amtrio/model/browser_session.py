"""A login session that a browser keeps in a cookie, so that no page has to store a token where scripts can read it.

The cookie opens nothing but `POST /auth/session`, which answers with an access token of that session. Knows one table
and what browsers say of the page that asks. Knows no route and no socket.
"""

from __future__ import annotations

from typing import Final

from amtrio.clock import MICROS_PER_SECOND
from amtrio.context import Answer, Context
from amtrio.errors import Forbidden
from amtrio.model.people import SignedIn, signed_in
from amtrio.store.database import ReadTx, Tx
from amtrio.tokens import fingerprint

COOKIE: Final = "amtrio_session"
_SECONDS_PER_DAY: Final = 86_400
# RFC 6265bis: scripts do not see it, no other site's page sends it, and no other path is sent it. It has no Domain: it
# goes to this very host.
_ATTRIBUTES: Final = "HttpOnly; SameSite=Strict; Path=/auth/session"
FORGET_COOKIE: Final = {"Set-Cookie": f"{COOKIE}=; {_ATTRIBUTES}; Max-Age=0"}
_OWN_SITES: Final = frozenset({"same-origin", "none"})

_KEEP = """
UPDATE login_session SET refresh_hash = :hash, last_used_us = :at, expires_us = max(expires_us, :expires)
WHERE id = :id"""
_FIND = """
SELECT s.id, u.id, u.account_key FROM login_session s JOIN user_account u ON u.account_key = s.account_key
WHERE s.refresh_hash = :hash AND s.ended_us IS NULL AND s.expires_us > :now"""


def check_own_page(ctx: Context) -> None:
    """
    Refuse a page of another host, also one that may call the server otherwise: the cookie is for our own alone.

    Raises:
        Forbidden: the browser says that another host's page asks.
    """
    header = ctx.request.header if ctx.request is not None else lambda _: None
    origin, site = header("Origin"), header("Sec-Fetch-Site")
    # The scheme is not compared: a proxy in front may speak another one than we do.
    own_hosts = {(header("Host") or "").lower(), ctx.origin.partition("://")[2].lower()} - {""}
    is_own = origin is None or origin.lower().partition("://")[2] in own_hosts
    if not is_own or (site is not None and site not in _OWN_SITES):
        raise Forbidden("only a page of this server itself is signed in by a cookie")


def keep_in_browser(tx: Tx, ctx: Context, opened: SignedIn, secret: str = "") -> Answer[SignedIn]:
    """
    Answer with a session's token, and let the browser keep the session for `auth.refresh_token_days` from now.

    Args:
        secret: what its cookie has said so far, which it goes on to say; a new one is made without. It is not changed
            with each use: of two tabs that start at once, or where an answer is lost, the second would be signed out.
    """
    secret = secret or ctx.clock.new_secret()
    seconds = int(ctx.config.auth.refresh_token_days * _SECONDS_PER_DAY)
    expires_us = tx.at_us + seconds * MICROS_PER_SECOND
    tx.run(_KEEP, hash=fingerprint(secret), at=tx.at_us, expires=expires_us, id=opened.session_id)
    secure = "; Secure" if ctx.origin.startswith("https://") else ""
    return Answer(opened, headers={"Set-Cookie": f"{COOKIE}={secret}; {_ATTRIBUTES}; Max-Age={seconds}{secure}"})


def account_of_cookie(tx: ReadTx, secret: str, now_us: int) -> str | None:
    """Whose session this cookie keeps, if it still lives."""
    row = tx.one(_FIND, hash=fingerprint(secret), now=now_us)
    return None if row is None else str(row[2])


def go_on_in_browser(tx: Tx, ctx: Context, secret: str) -> Answer[SignedIn] | None:
    """A fresh access token of the session that this cookie keeps, which lives on from now; None if it keeps none."""
    row = tx.one(_FIND, hash=fingerprint(secret), now=tx.at_us)
    if row is None:
        return None
    session, user_id, _ = row
    return keep_in_browser(tx, ctx, signed_in(tx, ctx, user_id, session), secret)


def is_kept_in_browser(tx: ReadTx, session: str) -> bool:
    """Whether a cookie was given out for this session."""
    return tx.one("SELECT 1 FROM login_session WHERE id = :id AND refresh_hash IS NOT NULL", id=session) is not None
