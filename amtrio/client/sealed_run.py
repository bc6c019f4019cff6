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
from amtrio.client.errors import CannotEncrypt, Unreadable
from amtrio.client.events import Message
from amtrio.client.outgoing_part import Kind, clean
from amtrio.client.outgoing_run import OutgoingRun
from amtrio.client.payload import parcels
from amtrio.client.questions import Questions
from amtrio.client.run import Run
from amtrio.client.run_parts import Flow
from amtrio.client.shapes import Answer, Attachment, Option, SealedAttachment

if TYPE_CHECKING:  # what is encrypted is loaded by who encrypts
    from amtrio.client.vault import Vault


class Draft:
    """
    Takes what a run is given, and tells nobody. Only its text and files are kept: thoughts, tools and plans are for
    those who watch, and nobody can.

    Attributes:
        uploads: what this run has put on the server, by id. files: those that it hands over.
    """

    waiting = 0

    def __init__(self, out: OutgoingRun) -> None:
        self._out = out
        self.uploads: dict[str, SealedAttachment] = {}
        self.files: list[SealedAttachment] = []
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
        if kind == "artifact":
            self._hand_over(meta.get("attachment_id"))
        self._texts.append([])
        self._shown.append(kind == "text")
        return len(self._texts) - 1

    def _hand_over(self, attachment_id: object) -> None:
        file = self.uploads.get(str(attachment_id))
        if file is None:
            raise CannotEncrypt("a file that this run did not upload is not encrypted, and this conversation is")
        self.files.append(file)

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
        self._frames: list[dict[str, Any]] | None = None

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
            sealed = [await self._sealed(piece, files) for piece, files in parcels(text, self.draft.files)]
            self._frames = [{**each, "client_id": new_client_id(), "reply_to": reply_to} for each in sealed]
        while self._frames:
            await self._connection.send("encrypted_message", conversation_id=self.conversation_id, **self._frames[0])
            del self._frames[0]

    async def send(self, text: str) -> None:
        """Send a message of its own beside this answer, encrypted like it."""
        for piece, _ in parcels(clean(text)):
            sealed = await self._sealed(piece)
            await self._connection.send("encrypted_message", conversation_id=self.conversation_id, **sealed)

    async def history(self, limit: int = 50, before: int | str | None = None) -> list[Message]:
        """What was said, encrypted messages as they were written; those that cannot be read are left out."""
        readable = []
        for message in await super().history(limit, before):
            if message.kind != "encrypted" or message.deleted:
                readable.append(message)
                continue
            try:
                opened = await self._vault.open(message)
            except Unreadable:
                continue
            clear = {"content": opened.text, "attachments": list(opened.files), "kind": None, "encryption": None}
            readable.append(msgspec.structs.replace(message, **clear))
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
        Put a file on the server encrypted, for `artifact`; arguments and errors as of `Run.upload`.

        Nothing but its size reaches the server: `content_type` is what the person's program shows it as.
        """
        from amtrio.client import sealed_files  # noqa: PLC0415 - what is encrypted is loaded by who encrypts

        file = await sealed_files.upload(
            self._connection.rest,
            content,
            filename=filename,
            content_type=content_type,
            conversation_id=self.conversation_id,
        )
        self.draft.uploads[file.attachment_id] = file
        return file

    async def _sealed(self, text: str, files: Sequence[SealedAttachment] = ()) -> dict[str, Any]:
        return await self._vault.seal(self.conversation_id, text, files, session_id=self._session_id)
