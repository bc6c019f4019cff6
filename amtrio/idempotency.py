"""Running a handler, and running it only once: the same command under the same client_id has the same answer.

Messages keep their client_id themselves, for ever; this is for every other command that writes, for 30 days.
Knows handlers and one table; knows no feature.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from amtrio.context import Context, Services
from amtrio.errors import ClientIdReused, NotFound
from amtrio.feature import Handler, chore
from amtrio.model.posting import Post
from amtrio.protocol.codec import encode
from amtrio.store.database import Tx

KEEP_DAYS = 30
_DAY_US = 86_400_000_000
_PLAIN = str.maketrans({"!": "!!", "%": "!%", "_": "!_"})


async def call(handler: Handler, ctx: Context, frame: msgspec.Struct) -> Any:
    """Run a handler to its end, whatever its style; the way of REST and of frames that are rarely sent."""
    if handler.style == "write":
        return await ctx.store.write(once, ctx, handler, frame)
    if handler.style == "read":
        return await ctx.store.read(handler.function, ctx, frame)
    return await handler.function(ctx, frame)


def once(tx: Tx, ctx: Context, handler: Handler, frame: msgspec.Struct) -> Any:
    """
    Run a unit, or answer as the first time if this account's client_id was here before.

    Raises:
        ClientIdReused: it came with another command. NotFound: what it was about is gone.
    """
    client_id: str | None = getattr(frame, "client_id", None)
    # Messages have a client_id column of their own.
    if client_id is None or isinstance(frame, Post) or not ctx.principal.account:
        return handler.function(tx, ctx, frame)
    account = ctx.principal.account
    shape = type(frame).__name__
    digest = hashlib.blake2b(shape.encode() + encode(frame), digest_size=12).hexdigest()
    done = tx.one(
        "SELECT digest, answer FROM command_done WHERE account_key = :account AND client_id = :client_id",
        account=account,
        client_id=client_id,
    )
    if done is not None:
        if done[0] != digest:
            text = f"client_id {client_id!r} was used for another command"
            raise ClientIdReused(text)
        if not done[1]:
            text = "this was done, and what it was done to has been deleted since"
            raise NotFound(text)
        return msgspec.json.decode(done[1])
    answer = handler.function(tx, ctx, frame)
    tx.run(
        """
        INSERT INTO command_done (account_key, client_id, digest, answer, conversation_id, done_us)
        VALUES (:account, :client_id, :digest, :answer, :conversation, :at)""",
        account=account,
        client_id=client_id,
        digest=digest,
        answer=encode(answer).decode(),
        conversation=getattr(answer, "conversation_id", None),
        at=tx.at_us,
    )
    return answer


def forget_answers(tx: Tx, conversation_id: str, *, message_id: str = "") -> None:
    """
    Take away what commands answered about a conversation that is being deleted, or about one message of it.

    Answers hold texts. That they were done stays known: sent again, they are not done again.
    """
    tx.run(
        "UPDATE command_done SET answer = '' WHERE conversation_id = :id AND answer LIKE :pattern ESCAPE '!'",
        id=conversation_id,
        pattern=f"%{message_id.translate(_PLAIN)}%",
    )


@chore(every_seconds=3600)
async def forget_old_answers(services: Services) -> None:
    """Commands of 30 days ago are not sent again."""
    await services.store.write(_forget_old)


def _forget_old(tx: Tx) -> None:
    tx.run(
        """
        DELETE FROM command_done WHERE (account_key, client_id) IN (
            SELECT account_key, client_id FROM command_done WHERE done_us < :before LIMIT 1000)""",
        before=tx.at_us - KEEP_DAYS * _DAY_US,
    )
