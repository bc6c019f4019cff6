"""COMPAT: the older server's verbs, as other names of the resource routes.

`POST /messages/edit` is `PATCH /messages/<message_id>` with the id in the body: a handler takes its fields from path,
query and body alike. Knows paths only. What answers in another shape than the resource does is no alias but a route of
its own, in its feature.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from amtrio.feature import RouteSpec

Place = tuple[str, str]

ALIASES: Final[Mapping[Place, Place]] = {
    ("POST", "/auth/user"): ("POST", "/auth/register"),
    ("GET", "/conversations/list"): ("GET", "/conversations"),
    ("POST", "/conversations/create"): ("POST", "/conversations"),
    ("DELETE", "/conversations/delete"): ("DELETE", "/conversations/<conversation_id>"),
    ("POST", "/conversations/delete"): ("DELETE", "/conversations/<conversation_id>"),
    ("GET", "/conversations/messages"): ("GET", "/conversations/<conversation_id>/messages"),
    ("GET", "/conversations/tags"): ("GET", "/conversations/<conversation_id>/tags"),
    ("POST", "/conversations/mark-read"): ("POST", "/conversations/<conversation_id>/read"),
    ("POST", "/messages/edit"): ("PATCH", "/messages/<message_id>"),
    ("PATCH", "/messages/edit"): ("PATCH", "/messages/<message_id>"),
    ("POST", "/messages/delete"): ("DELETE", "/messages/<message_id>"),
    ("DELETE", "/messages/delete"): ("DELETE", "/messages/<message_id>"),
    ("POST", "/messages/encrypted"): ("POST", "/conversations/<conversation_id>/messages/encrypted"),
    ("GET", "/messages/encrypted/list"): ("GET", "/conversations/<conversation_id>/messages/encrypted"),
    ("GET", "/keys/otpk-count"): ("GET", "/keys/one-time-prekeys/count"),
    ("POST", "/messages/react"): ("POST", "/messages/<message_id>/reactions"),
    ("GET", "/messages/reactions"): ("GET", "/messages/<message_id>/reactions"),
    ("GET", "/presence"): ("GET", "/agents"),
    ("POST", "/attachments/upload"): ("POST", "/attachments"),
}


def aliases_of(routes: Sequence[RouteSpec]) -> Iterator[tuple[Place, RouteSpec]]:
    """Method and path of each alias whose route is among `routes`, with that route."""
    known = {(route.method, route.path): route for route in routes}
    for alias, place in ALIASES.items():
        route = known.get(place)
        if route is not None:
            yield alias, route
