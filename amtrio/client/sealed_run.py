"""The answer to an encrypted message: written like any other, held back, and sent as an encrypted message at its end.

Knows what a handler may do in such a run: nothing that would show the server what is said. Knows nothing of keys.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import msgspec

from amtrio.client.connection import Connection, new_client_id
from amtrio.client.envelope import pieces
from amtrio.client.errors import CannotEncrypt, Unreadable
from amtrio.client.events import Message
from amtrio.client.outgoing_part import Kind, clean
from amtrio.client.outgoing_run import OutgoingRun
from amtrio.client.questions import Questions
from amtrio.client.run import Run
from amtrio.client.run_parts import Flow
from amtrio.client.shapes import Answer, Attachment, Option

if TYPE_CHECKING:  # what is encrypted is loaded by who encrypts
    from amtrio.client.vault import Vault


class Draft:
    """
    Takes what a run is given, and tells nobody. Only its text is kept: thoughts, tools and plans are for those who
    watch, and nobody can.
    """

    waiting = 0

    def __init__(self, out: OutgoingRun) -> None:
        self._out = out
        self._texts: list[list[str]] = []
        self._shown: list[bool] = []

    @property
    def text(self) -> str:
        """As the message of a run has it: texts two line feeds apart."""
        texts = ("".join(text) for text, is_shown in zip(self._texts, self._shown, strict=True) if is_shown)
        return clean("\n\n".join(filter(None, texts)))

    @property
    def changed(self) -> Callable[[], None]:
        return self._out.changed

    @changed.setter
    def changed(self, called: Callable[[], None]) -> None:
        self._out.changed = called

    def raise_if_closed(self) -> None:
        self._out.raise_if_closed()

    def add_part(self, kind: Kind, meta: Mapping[str, Any]) -> int:
        self.raise_if_closed()
        msgspec.json.encode(meta)  # what is no JSON fails here as it does elsewhere
        self._texts.append([])
        self._shown.append(kind == "text")
        return len(self._texts) - 1

    def set_meta(self, number: int, meta: Mapping[str, Any]) -> None:
        del number
        self.raise_if_closed()
        msgspec.json.encode(meta)

    def append(self, number: int, text: str) -> None:
        self.raise_if_closed()
        if self._shown[number]:
            self._texts[number].append(text)


class SealedRun(Run):
    """
    A run whose words leave as encrypted messages. The server sees an empty one, for the stop button.

    Args:
        session_id: that of the message which is answered.

    Attributes:
        draft: what was written so far.
    """

    shows_text = False

    def __init__(
        self, connection: Connection, out: OutgoingRun, questions: Questions, vault: Vault, session_id: bytes
    ) -> None:
        super().__init__(connection, out, questions)
        self.draft = Draft(out)
        self.flow = Flow(self.draft, self._look)
        self._vault = vault
        self._session_id = session_id
        self._frames: list[dict[str, str]] | None = None

    async def hand_over(self, reply_to: str, note: str | None) -> None:
        """
        What was written goes out; called again, only what is not there yet does.

        Args:
            note: said behind it, as what went wrong.

        Raises:
            ClientError: the server did not take it. OSError, sqlite3.Error: the vault's disk refused.
        """
        if self._frames is None:
            text = "\n\n".join(filter(None, (self.draft.text, clean(note or ""))))
            sealed = [await self._sealed(piece) for piece in pieces(text)]
            self._frames = [{**each, "client_id": new_client_id(), "reply_to": reply_to} for each in sealed]
        while self._frames:
            await self._connection.send("encrypted_message", conversation_id=self.conversation_id, **self._frames[0])
            del self._frames[0]

    async def send(self, text: str) -> None:
        """Send a message of its own beside this answer, encrypted like it."""
        for piece in pieces(clean(text)):
            sealed = await self._sealed(piece)
            await self._connection.send("encrypted_message", conversation_id=self.conversation_id, **sealed)

    async def history(self, limit: int = 50, before: int | str | None = None) -> list[Message]:
        """What was said, encrypted messages as the texts that they are; those that cannot be read are left out."""
        readable = []
        for message in await super().history(limit, before):
            if message.kind != "encrypted" or message.deleted:
                readable.append(message)
                continue
            try:
                text = (await self._vault.open(message)).text
            except Unreadable:
                continue
            readable.append(msgspec.structs.replace(message, content=text, kind=None, encryption=None))
        return readable

    async def ask(
        self,
        text: str,
        options: Sequence[str | Option],
        *,
        multiple: bool = False,
        free_text: bool = False,
        expires_in_s: float | None = None,
        timeout_s: float | None = None,
    ) -> Answer | None:
        """
        Raises:
            CannotEncrypt: always; the server would read the question. Ask in words, the answer is the next message.
        """
        del text, options, multiple, free_text, expires_in_s, timeout_s
        await anyio.lowlevel.checkpoint()
        raise CannotEncrypt("a question with buttons is not encrypted; ask in words instead")

    async def upload(
        self, content: Path | str | bytes, *, filename: str | None = None, content_type: str | None = None
    ) -> Attachment:
        """
        Raises:
            CannotEncrypt: always; the server would read the file.
        """
        del content, filename, content_type
        await anyio.lowlevel.checkpoint()
        raise CannotEncrypt("a file is not encrypted, and this conversation is")

    async def artifact(self, attachment: Attachment) -> None:
        """
        Raises:
            CannotEncrypt: always.
        """
        del attachment
        await anyio.lowlevel.checkpoint()
        raise CannotEncrypt("a file is not encrypted, and this conversation is")

    async def _sealed(self, text: str) -> dict[str, str]:
        return await self._vault.seal(self.conversation_id, text, session_id=self._session_id)
