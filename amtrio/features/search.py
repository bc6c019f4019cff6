"""Searching one's own messages: words, phrases and beginnings of words, newest first, page by page.

Knows frames and which messages are asked for. Knows nothing of sockets and HTTP; how words are kept is in
`search_index`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from amtrio.clock import micros_of
from amtrio.context import Context, Services, account_key
from amtrio.errors import NotFound
from amtrio.feature import chore, command, get
from amtrio.model.conversation import is_member, members
from amtrio.model.message import Message, message, message_row
from amtrio.model.message_view import MessageView, message_view
from amtrio.model.pages import DEFAULT_PAGE, MAX_FRAME_PAGE_BYTES, MAX_PAGE, MAX_REST_PAGE_BYTES, fitting, messages
from amtrio.model.search_following import catch_up, clean, follow
from amtrio.model.search_index import find, number_of
from amtrio.protocol.frames import Command, Reply
from amtrio.store.database import ReadTx, Row
from amtrio.text.words import SNIPPET, Query, Snippet, parse, snippet

# At most so much JSON is a snippet: a character is at most six bytes, or four and a match of its own ("[159,160],").
SNIPPET_BYTES = 64 + 14 * SNIPPET


class AskSearch(Command, frozen=True, kw_only=True):
    """
    What to look for, and where.

    Attributes:
        q: required. Words and "quoted phrases", all of which must be there. The last word also finds what begins with
            it, unless a space or a quote follows. Case and accents do not matter, no other character means anything.
        conversation_id, agent_id: only there; only what was said with this agent.
        before, after: a time, or the id of a message; only what is strictly older or newer.
        cursor: `next` of the page before.
        limit: 1 to 200; more means 200, less 50, as older clients expect.
    """

    q: str | None = None
    conversation_id: str | None = None
    agent_id: str | None = None
    before: str | None = None
    after: str | None = None
    cursor: str | None = None
    limit: int | None = None


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """One message and where it matches."""

    message: Message
    snippet: Snippet


class SearchResults(Reply, frozen=True, kw_only=True, omit_defaults=False):
    """
    A page of messages, newest first.

    Attributes:
        next: the cursor of the next page, null on the last one.
        is_complete: false while the server still reads older or very many new messages: ask again later for all.
    """

    type = "search_results"
    results: list[Hit]
    next: str | None
    is_complete: bool


class HitView(msgspec.Struct, frozen=True, kw_only=True):
    """One message as REST shows it and where it matches."""

    message: MessageView
    snippet: Snippet


class SearchPage(msgspec.Struct, frozen=True, kw_only=True):
    """The same page over REST."""

    results: list[HitView]
    next: str | None
    is_complete: bool


@command("search", budget="ephemeral")
async def search(ctx: Context, frame: AskSearch) -> SearchResults:
    """
    Search one's own messages.

    Raises:
        Malformed: no word to search for. NotFound: no such conversation or message, or not one's own.
    """
    query = parse(frame.q)
    is_complete = await catch_up(ctx.services)

    def show(tx: ReadTx) -> SearchResults:
        page = _page(tx, ctx, frame, query, MAX_FRAME_PAGE_BYTES)
        hits = [
            Hit(message=message(tx, Message, row, viewer=ctx.principal.account), snippet=found)
            for row, found in page.hits
        ]
        return SearchResults(results=hits, next=page.next, is_complete=is_complete)

    return await ctx.store.read(show)


@get("/search")
async def search_page(ctx: Context, request: AskSearch) -> SearchPage:
    """Search one's own messages."""
    query = parse(request.q)
    is_complete = await catch_up(ctx.services)

    def show(tx: ReadTx) -> SearchPage:
        page = _page(tx, ctx, request, query, MAX_REST_PAGE_BYTES)
        hits = [HitView(message=_view(tx, ctx, row), snippet=found) for row, found in page.hits]
        return SearchPage(results=hits, next=page.next, is_complete=is_complete)

    return await ctx.store.read(show)


@get("/messages/search")  # COMPAT
async def search_messages(ctx: Context, request: AskSearch) -> list[MessageView]:
    """The first page as the bare array that older clients read."""
    query = parse(request.q)
    await catch_up(ctx.services)

    def show(tx: ReadTx) -> list[MessageView]:
        return [_view(tx, ctx, row) for row, _ in _page(tx, ctx, request, query, MAX_REST_PAGE_BYTES).hits]

    return await ctx.store.read(show)


def _view(tx: ReadTx, ctx: Context, row: Row) -> MessageView:
    return message_view(tx, row, viewer=ctx.principal.account, user_agent=ctx.user_agent)


@dataclass(frozen=True, slots=True)
class _Page:
    hits: list[tuple[Row, Snippet]]
    next: str | None


def _page(tx: ReadTx, ctx: Context, frame: AskSearch, query: Query, most_bytes: int) -> _Page:
    account = ctx.principal.account
    limit = min(frame.limit, MAX_PAGE) if frame.limit is not None and frame.limit >= 1 else DEFAULT_PAGE
    conditions: list[str] = []
    bounds: dict[str, Any] = {}
    if frame.conversation_id:
        members(tx, frame.conversation_id, account)
        conditions.append("AND m.conversation_id = :conversation_id")
        bounds["conversation_id"] = frame.conversation_id
    if frame.agent_id:
        conditions.append("AND c.agent_key = :agent_key")
        bounds["agent_key"] = account_key("agent", frame.agent_id)
    below = [number_of(tx, frame.cursor)] if frame.cursor else []
    if frame.before:
        at_us = micros_of(frame.before)
        if at_us is None:
            below.append(_number_of_own(tx, account, "before", frame.before))
        else:
            conditions.append("AND m.created_us < :before_us")
            bounds["before_us"] = at_us
    if below:
        bounds["below"] = min(below)
    if frame.after:
        at_us = micros_of(frame.after)
        if at_us is None:
            bounds["above"] = _number_of_own(tx, account, "after", frame.after)
        else:
            conditions.append("AND m.created_us > :after_us")
            # Times are shown to the millisecond: what was shown at this one is not newer than it.
            bounds["after_us"] = at_us + 999 - at_us % 1000
    sized = find(tx, account, query, limit=limit + 1, condition=" ".join(conditions), **bounds)
    count, _ = fitting(tx, sized[:limit], most_bytes=most_bytes, bytes_beside=SNIPPET_BYTES)
    rows = messages(tx, [row[0] for row in sized[:count]])
    # The index may be a moment behind: what was edited since and no longer has the words is left out.
    hits = [(row, found) for row in rows if (found := snippet(query, row[6])) is not None]
    return _Page(hits, rows[-1][0] if count < len(sized) else None)


def _number_of_own(tx: ReadTx, account: str, field: str, message_id: str) -> int:
    row = message_row(tx, message_id)
    if row is None or not is_member(tx, row.conversation_id, account):
        text = f"no message {message_id[:64]!r}; {field} is a message id or an RFC 3339 time"
        raise NotFound(text)
    return number_of(tx, message_id)


@chore(every_seconds=5)
async def follow_messages(services: Services) -> None:
    """Nobody waits for this one: a search catches up by itself. It keeps that short."""
    await follow(services)


@chore(every_seconds=3600)
async def clean_index(services: Services) -> None:
    """Words of deleted messages leave the file."""
    await clean(services)
