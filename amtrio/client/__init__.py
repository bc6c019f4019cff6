"""Talk to an amtrio server from Python, under asyncio and Trio alike.

    async with Connection("https://chat.example.org", token=token) as connection:
        async for event in connection:
            ...

Knows the protocol as docs/protocol.md tells it. Knows nothing of the server's code.
"""

from amtrio.client.backoff import Backoff
from amtrio.client.connection import Connection, MessageSent, new_client_id
from amtrio.client.cursors import Cursors, FileCursors, MemoryCursors, write_private
from amtrio.client.errors import AuthenticationEnded, ClientError, Dropped, Refused, Replaced, Unreachable
from amtrio.client.rest import AgentInfo, Rest, SignedIn
from amtrio.client.stream import Position

__all__ = [
    "AgentInfo",
    "AuthenticationEnded",
    "Backoff",
    "ClientError",
    "Connection",
    "Cursors",
    "Dropped",
    "FileCursors",
    "MemoryCursors",
    "MessageSent",
    "Position",
    "Refused",
    "Replaced",
    "Rest",
    "SignedIn",
    "Unreachable",
    "new_client_id",
    "write_private",
]
