"""Any program that speaks the Agent Client Protocol as an agent: a session per conversation, a turn per message.

Knows the protocol's methods. What the updates mean stands in `updates`, who runs the program in `acp_program`.
"""

from __future__ import annotations

import base64
import contextlib
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import anyio

from amtrio.bridges.acp_program import AcpProgram, Programs
from amtrio.bridges.children import CannotStart
from amtrio.bridges.dialect import Speaker
from amtrio.bridges.files import Files
from amtrio.bridges.groups import unwrapped
from amtrio.bridges.jsonrpc import PeerGone, Pending, Request, RpcError
from amtrio.bridges.turn import Incoming, Run
from amtrio.bridges.updates import Picture, Updates, permission
from amtrio.client import ClientError, RunFailed

CANCELLED: Final = {"outcome": {"outcome": "cancelled"}}
# A stopped run waits 5 s for its handler.
_CANCELLED_WITHIN_S: Final = 4.0
_ENDINGS: Final = {
    "max_tokens": "the answer has reached the model's length limit",
    "max_turn_requests": "the agent has used up its requests for one turn",
    "refusal": "the agent refuses to go on",
}


class Turn:
    """One message and all that comes of it, until its `session/prompt` is answered."""

    def __init__(self, run: Run, report: Callable[[str], None]) -> None:
        self._run = run
        self._report = report
        self._speaker = Speaker(run)
        self._updates = Updates()
        self._to_show, self._shown = anyio.create_memory_object_stream[dict[str, Any] | Request](math.inf)

    def update(self, update: dict[str, Any]) -> None:
        with contextlib.suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
            self._to_show.send_nowait(update)

    def request(self, request: Request) -> None:
        try:
            self._to_show.send_nowait(request)
        except (anyio.ClosedResourceError, anyio.BrokenResourceError):
            request.answer(CANCELLED)

    async def play(self, program: AcpProgram, session_id: str, prompt: Sequence[dict[str, Any]]) -> None:
        """
        Prompt, and show what comes; being cancelled cancels the turn of the program too, in good order.

        Raises:
            RunFailed: it failed, or the program has ended.
        """
        pending = program.peer.ask("session/prompt", {"sessionId": session_id, "prompt": list(prompt)})
        pending.when_done(self._to_show.close)
        with unwrapped(), self._shown, self._to_show:
            try:
                async with anyio.create_task_group() as tasks:
                    async for item in self._shown:
                        if isinstance(item, Request):
                            tasks.start_soon(self._ask, item)
                        else:
                            await self._show(item)
                    tasks.cancel_scope.cancel()  # a question that nobody waits for any more
            finally:
                if not pending.is_done:
                    await self._wind_down(program, session_id, pending)
        await self._conclude(program, pending)

    async def _show(self, update: dict[str, Any]) -> None:
        for item in self._updates.read(update):
            if isinstance(item, Picture):
                await self._show_picture(item)
            else:
                await self._speaker.say(item)

    async def _show_picture(self, picture: Picture) -> None:
        try:
            data = base64.b64decode(picture.data, validate=True)
        except ValueError:
            self._report("it sent a picture that is no base64")
            return
        ending = picture.content_type.partition("/")[2].partition("+")[0] or "png"
        upload = await self._run.upload(data, filename=f"picture.{ending}", content_type=picture.content_type)
        await self._run.artifact(upload)

    async def _ask(self, request: Request) -> None:
        """Put the program's question to the person; unanswered for whatever reason, it is cancelled."""
        try:
            tool = request.params.get("toolCall")
            tool_id = tool.get("toolCallId") if isinstance(tool, dict) else None
            question = permission(request.params, self._updates.title(tool_id))
            if question is not None:
                answer = await self._run.ask(question.content, question.options)
                if answer is not None and answer.option_ids:
                    chosen = question.option_ids[answer.option_ids[0]]
                    request.answer({"outcome": {"outcome": "selected", "optionId": chosen}})
        finally:
            request.answer(CANCELLED)  # unless it has been answered

    async def _wind_down(self, program: AcpProgram, session_id: str, pending: Pending) -> None:
        """Stopped: tell the program, and see what it still says; one that does not come to an end is ended."""
        program.peer.notify("session/cancel", {"sessionId": session_id})
        with anyio.move_on_after(_CANCELLED_WITHIN_S, shield=True):
            async for item in self._shown:
                if isinstance(item, Request):
                    item.answer(CANCELLED)
                else:
                    with contextlib.suppress(ClientError):  # the server may have ended the run
                        await self._show(item)
            with contextlib.suppress(ClientError):
                await self._end_tools()
        with anyio.CancelScope(shield=True):
            if not pending.is_done:
                await program.give_up(session_id)

    async def _end_tools(self) -> None:
        for item in self._updates.end():
            await self._speaker.say(item)

    async def _conclude(self, program: AcpProgram, pending: Pending) -> None:
        await self._end_tools()
        try:
            result = pending.result()
        except RpcError as exc:
            raise RunFailed(program.complaint(exc)) from exc
        except PeerGone as exc:
            raise RunFailed(await program.verdict()) from exc
        fields = result if isinstance(result, dict) else {}
        usage = fields.get("usage")
        self._run.usage = {**self._updates.usage, **(usage if isinstance(usage, dict) else {})} or None
        ending = _ENDINGS.get(str(fields.get("stopReason")))
        if ending is not None and not self._speaker.has_spoken:
            raise RunFailed(ending)
        if ending is not None:
            await self._run.status(ending)


class Acp:
    """Answers each message with a turn of the program."""

    def __init__(self, programs: Programs, files: Files, report: Callable[[str], None]) -> None:
        self._programs = programs
        self._files = files
        self._report = report

    async def handle(self, message: Incoming, run: Run) -> None:
        """
        Prompt the session of the conversation, which is begun or loaded if need be.

        Raises:
            RunFailed: the program cannot be started, failed, or has ended.
        """
        try:
            program = await self._programs.running()
            session_id = await program.session(message.conversation_id)
        except CannotStart as exc:
            raise RunFailed(str(exc)) from exc
        async with self._files.of(message) as paths:
            prompt = [{"type": "text", "text": message.content}] if message.content else []
            for path, attachment in zip(paths, message.attachments, strict=True):
                prompt.append(await _block(program, path, attachment))
            turn = Turn(run, self._report)
            with program.turn_of(session_id, turn):
                await turn.play(program, session_id, prompt)


async def _block(program: AcpProgram, path: Path, attachment: Any) -> dict[str, Any]:
    """A picture for programs that see them; else where the file lies, for as long as the turn lasts."""
    content_type = attachment.content_type
    if program.sees_pictures and content_type.startswith("image/"):
        data = base64.b64encode(await anyio.Path(path).read_bytes()).decode()
        return {"type": "image", "data": data, "mimeType": content_type}
    return {"type": "resource_link", "uri": path.as_uri(), "name": attachment.filename, "mimeType": content_type}
