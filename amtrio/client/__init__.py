"""Talk to an amtrio server from Python, under asyncio and Trio alike.

An agent:

    agent = Agent("helper", url="https://chat.example.org", token="agt_…")

    @agent.on_message
    async def reply(message: Incoming, run: Run) -> None:
        await run.write(f"You said: {message.content}")

    agent.run()

A person's program:

    async with Client("https://chat.example.org", token=token) as client:
        await client.send("Hello!", agent_id="helper")

Everything of one account, as it happens:

    async with Connection("https://chat.example.org", token=token) as connection:
        async for event in connection:
            ...

Knows the protocol as docs/protocol.md tells it. Knows nothing of the server's code.
"""

from amtrio.client.agent import Agent
from amtrio.client.backoff import Backoff
from amtrio.client.card import ALWAYS_SUPPORTED, Card
from amtrio.client.connection import Connection, MessageSent, new_client_id
from amtrio.client.cursors import Cursors, FileCursors, MemoryCursors, write_private
from amtrio.client.errors import (
    AuthenticationEnded,
    CannotEncrypt,
    ClientError,
    Dropped,
    Refused,
    Replaced,
    RunClosed,
    RunFailed,
    Unreachable,
    Unreadable,
)
from amtrio.client.follow import Follow, Resynced, RunChanged
from amtrio.client.incoming import Incoming
from amtrio.client.person import Client, Controlled
from amtrio.client.rest import Rest, SignedIn
from amtrio.client.run import Run
from amtrio.client.run_parts import PartWriter, PlanItem, Reasoning, ToolCall
from amtrio.client.run_view import PartView, RunView, parts_of
from amtrio.client.shapes import (
    AgentInfo,
    Answer,
    Attachment,
    Option,
    Question,
    RunPart,
    RunRecord,
    SealedAttachment,
    SlashCommand,
)
from amtrio.client.stream import Position

__all__ = [
    "ALWAYS_SUPPORTED",
    "Agent",
    "AgentInfo",
    "Answer",
    "Attachment",
    "AuthenticationEnded",
    "Backoff",
    "CannotEncrypt",
    "Card",
    "Client",
    "ClientError",
    "Connection",
    "Controlled",
    "Cursors",
    "Dropped",
    "FileCursors",
    "Follow",
    "Incoming",
    "MemoryCursors",
    "MessageSent",
    "Option",
    "PartView",
    "PartWriter",
    "PlanItem",
    "Position",
    "Question",
    "Reasoning",
    "Refused",
    "Replaced",
    "Rest",
    "Resynced",
    "Run",
    "RunChanged",
    "RunClosed",
    "RunFailed",
    "RunPart",
    "RunRecord",
    "RunView",
    "SealedAttachment",
    "SignedIn",
    "SlashCommand",
    "ToolCall",
    "Unreachable",
    "Unreadable",
    "new_client_id",
    "parts_of",
    "write_private",
]
