"""Alice with keys of her own, as a browser has them, in a conversation with the agent `demo` of the real server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from amtrio.client import Agent, Client, Follow, Rest
from amtrio.client.events import Message, MessagePosted
from amtrio.client.sealed_files import upload
from amtrio.client.shapes import SealedAttachment
from amtrio.client.turn import Handler
from amtrio.client.vault import Vault
from tests.client.real_server import RealServer

AGENT = "agent:demo"


def user_of(real: RealServer) -> str:
    return f"user:{real.alice.id}"


def agents_rest(real: RealServer) -> Rest:
    return Rest(real.url, token=real.agent_token, agent_id="demo")


@asynccontextmanager
async def published(real: RealServer, path: Path, **options: bool) -> AsyncIterator[Vault]:
    """The agent's keys, which the server has already."""
    vault = Vault(path, **options)
    async with agents_rest(real) as rest:
        await vault.publish(rest, AGENT)
    yield vault
    vault.close()


def secret_agent(
    real: RealServer, handler: Handler, vault: Vault, report: Callable[[str], None] = lambda _line: None
) -> Agent:
    agent = Agent("demo", url=real.url, token=real.agent_token, vault=vault, report=report)
    agent.on_message(handler)
    return agent


@dataclass
class Talk:
    """Alice's side of one conversation. Attributes: vault: may be another one later, as in another browser."""

    client: Client
    vault: Vault
    room: str
    news: Follow

    async def begin(self) -> None:
        await self.vault.begin(self.client.connection.rest, self.room, AGENT)

    async def send(self, text: str, files: Sequence[SealedAttachment] = ()) -> str:
        """The id of the message."""
        fields = await self.vault.seal(self.room, text, files)
        return await self.post(fields)

    async def upload(self, content: Path | bytes, **options: str) -> SealedAttachment:
        """A file of hers, encrypted."""
        return await upload(self.client.connection.rest, content, conversation_id=self.room, **options)

    async def post(self, fields: dict[str, Any]) -> str:
        sent = await self.client.connection.send("encrypted_message", conversation_id=self.room, **fields)
        return str(sent["message_id"])

    async def answer(self) -> str:
        """What the agent says next, opened."""
        return (await self.vault.open(await self.posted())).text

    async def posted(self) -> Message:
        """The agent's next message as it is stored."""
        async for item in self.news:
            if isinstance(item, MessagePosted) and item.message.sender_type == "agent":
                return item.message
        raise AssertionError


@asynccontextmanager
async def talking(real: RealServer, path: Path) -> AsyncIterator[Talk]:
    """Her keys are in `path`; a session has been begun."""
    async with Client(real.url, token=real.alice.token) as client:
        room = await client.open("demo")
        vault = Vault(path)
        await vault.publish(client.connection.rest, user_of(real))
        talk = Talk(client, vault, room, client.follow(room))
        await talk.begin()
        yield talk
        vault.close()


def changed(message: Message, **fields: object) -> Message:
    """A message as a server that lies would show it."""
    return msgspec.structs.replace(message, **fields)
