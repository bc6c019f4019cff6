"""The record of who administered what, written in the transaction that did it.

Knows one table. Knows no feature, and nobody who reads it.
"""

from __future__ import annotations

from amtrio.context import Context
from amtrio.protocol.codec import encode
from amtrio.store.database import Tx

Detail = str | int | float | bool | None
BY_SECRET = "secret"  # noqa: S105 - the word for whoever holds it
BY_COMMAND_LINE = "cli"
# The server itself, where nobody administers it yet.
BY_START = "start"

_RECORD = """
INSERT INTO audit (number, at_us, actor, address, action, subject, details)
VALUES ((SELECT coalesce(max(number), 0) + 1 FROM audit), :at, :actor, :address, :action, :subject, :details)"""


def forget_addresses(tx: Tx, account: str) -> None:
    """What a removed account did stays on record; where it was done from was its own and goes."""
    tx.run("UPDATE audit SET address = '' WHERE actor = :account", account=account)


def record(tx: Tx, ctx: Context, action: str, subject: str = "", /, **details: Detail) -> None:
    """
    Write down one act; if the act fails, so does the record.

    Args:
        action: what was done, `user.tier`; its first word says what `subject` is the id of.
        details: what it was changed to. Never a secret, and no name: ids outlive an account, names must not.
    """
    tx.run(
        _RECORD,
        at=tx.at_us,
        actor=ctx.actor or ctx.principal.account,
        address=ctx.address,
        action=action,
        subject=subject,
        details=encode(details).decode(),
    )
