"""One person at one terminal: what is typed goes to the server, what comes from there onto the screen.

Brings model, screen and connection together. Knows nothing of the server; it speaks to it as any client does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import anyio
from anyio.abc import TaskGroup
from prompt_toolkit.input import Input
from prompt_toolkit.output import Output

from amtrio.cli.chat_commands import NoAnswer, chosen, help_text, is_number
from amtrio.cli.chat_model import PAGE_MESSAGES, ChatModel
from amtrio.cli.chat_requests import open_conversation, picture_of_run, stop_run
from amtrio.cli.chat_screen import Actions, Screen
from amtrio.client import ClientError, Connection, Refused, Unreachable, new_client_id
from amtrio.client.events import Message, Online

# The server ends a typing mark after 5 s.
_TYPING_AGAIN_S: Final = 3.0


class Chat:
    """
    One person at one terminal.

    Args:
        agent: id or beginning of the name of the agent to open at once; None shows the list.
    """

    def __init__(
        self,
        connection: Connection,
        tasks: TaskGroup,
        *,
        agent: str | None = None,
        source: Input | None = None,
        output: Output | None = None,
    ) -> None:
        self._connection = connection
        self._tasks = tasks
        self._wanted = agent
        self._typing_told_at = -_TYPING_AGAIN_S
        self._read_asked: dict[str, int] = {}
        self._loading: set[str] = set()
        self._to_send, self._sending = anyio.create_memory_object_stream[tuple[str, str, str]](1000)
        self._commands: dict[str, Callable[[str], None]] = {
            "quit": lambda _rest: self.screen.leave(),
            "q": lambda _rest: self.screen.leave(),
            "help": lambda _rest: self._notice(help_text()),
            "agents": lambda _rest: self._list_agents(),
            "switch": self._switch,
            "new": self._new,
            "edit": self._edit,
            "delete": lambda _rest: self._delete(),
            "steer": self._steer,
            "withdraw": lambda _rest: self._withdraw(),
            "answer": self._answer,
        }
        self.model = ChatModel()
        self.failure: ClientError | None = None
        self.screen = Screen(
            self.model,
            Actions(
                entered=self.entered,
                interrupted=self.interrupted,
                wants_older=self._older,
                typed=self._typed,
                now=anyio.current_time,
            ),
            source=source,
            output=output,
        )

    async def run(self) -> None:
        """
        Until the person leaves, or the connection has ended for good: `failure` then says why.
        """
        with self._to_send, self._sending:
            self._tasks.start_soon(self._follow)
            self._tasks.start_soon(self._send_in_order)
            await self.screen.run()
            self._tasks.cancel_scope.cancel()

    async def _follow(self) -> None:
        try:
            async for event in self._connection:
                self.model.apply(event, anyio.current_time())
                if isinstance(event, Online):
                    self._tasks.start_soon(self._trying, self._look_who_is_there)
                for run_id in self.model.runs.take_missing():
                    self._tasks.start_soon(self._trying, self._attach, run_id)
                self._read_what_is_shown()
                self.screen.redraw()
        except ClientError as exc:
            self.failure = exc
            self.screen.leave()

    async def _send_in_order(self) -> None:
        """One after the other, so that the order on the screen is the order on the server."""
        async for conversation_id, client_id, content in self._sending:
            try:
                await self._connection.send_message(content, conversation_id=conversation_id, client_id=client_id)
            except Refused as exc:
                self.model.refused(conversation_id, client_id, str(exc))
                self.screen.redraw()
            except ClientError:
                return  # the connection has ended; _follow says so

    async def _trying(self, action: Callable[..., Any], *args: object) -> None:
        """Do something that may be refused, and say so."""
        try:
            await action(*args)
        except (Refused, Unreachable) as exc:
            self.model.notice = str(exc)
        except ClientError:
            return  # the connection has ended; _follow says so
        self.screen.redraw()

    def _try(self, action: Callable[..., Any], *args: object) -> None:
        self._tasks.start_soon(self._trying, action, *args)

    # ------------------------------------------------------------------------------------------- what the person does

    def entered(self, text: str) -> None:
        """A line was entered: a command, a choice from the list, an answer, or a message."""
        self.model.notice = ""
        talk = self.model.talk
        if text.startswith("/"):
            self._command(*text[1:].partition(" ")[::2], text)
        elif talk is None:
            self._switch(text)
        elif is_number(text) and talk.open_question() is not None:
            self._answer(text)
        else:
            self._say(text)
        self.screen.redraw()

    def interrupted(self) -> None:
        """Ctrl-C: stop what is being written; again, or if nothing is, leave."""
        run = self.model.interrupted(anyio.current_time())
        if run is None:
            self.screen.leave()
            return
        self.model.runs.stopping(run.run_id)
        self._try(self._stop, run.run_id)
        self.screen.redraw()

    def _command(self, word: str, rest: str, text: str) -> None:
        own = self._commands.get(word)
        if own is not None:
            own(rest.strip())
        elif self.model.current is None:
            self._notice(help_text())
        else:
            # The agent's own commands begin with a slash too; two of them pass ours by.
            self._say(text[1:] if text.startswith("//") else text)

    def _notice(self, text: str) -> None:
        self.model.notice = text

    def _list_agents(self) -> None:
        self.model.current = None
        self._try(self._look_who_is_there)

    def _say(self, text: str) -> None:
        assert self.model.current is not None
        client_id = new_client_id()
        self.model.sending(self.model.current, client_id, text)
        self._to_send.send_nowait((self.model.current, client_id, text))

    def _switch(self, text: str) -> None:
        agent = self.model.find_agent(text)
        if agent is None:
            self._notice(f"no agent {text!r}; /agents lists them")
            return
        talk = self.model.talk_with(agent.agent_id)
        if talk is None:
            self._try(self._open, agent.agent_id, None)
        else:
            self._show(talk.id)

    def _new(self, title: str) -> None:
        if not title or self.model.talk is None:
            self._notice("/new TITLE begins another conversation with the agent on the screen")
        else:
            self._try(self._open, self.model.talk.agent_id, title)

    def _edit(self, content: str) -> None:
        own = self._last_own()
        if own is not None and content:
            self._try(self._connection.edit, own.message_id, content)
        elif own is not None:
            self._notice("/edit TEXT changes your last message")

    def _delete(self) -> None:
        own = self._last_own()
        if own is not None:
            self._try(self._connection.delete, own.message_id)

    def _last_own(self) -> Message | None:
        own = self.model.last_own()
        if own is None:
            self._notice("there is no message of yours here")
        return own

    def _steer(self, text: str) -> None:
        run = self.model.newest_run()
        if run is None:
            self._notice("nothing is being written here")
        elif not text:
            self._notice("/steer TEXT says something into the answer that is being written")
        else:
            self._try(self._send_into, run.run_id, text)

    def _withdraw(self) -> None:
        waiting = self.model.last_queued()
        if waiting is None:
            self._notice("no message of yours waits here")
        else:
            self._try(self._take_back, waiting.message_id)

    def _answer(self, text: str) -> None:
        asking = self.model.talk.open_question() if self.model.talk else None
        if asking is None or asking.question is None:
            self._notice("there is no open question here")
            return
        try:
            option_ids, own_text = chosen(asking.question, text)
        except NoAnswer as exc:
            self._notice(str(exc))
        else:
            self._try(self._send_answer, asking.message_id, option_ids, own_text)

    def _show(self, conversation_id: str) -> None:
        self.model.current = conversation_id
        self.screen.to_bottom()
        self._read_what_is_shown()

    def _older(self) -> None:
        talk = self.model.talk
        if talk is not None and talk.has_older and talk.id not in self._loading:
            self._loading.add(talk.id)
            self._try(self._load_older, talk.id, talk.first_seq)

    def _typed(self, text: str) -> None:
        now = anyio.current_time()
        is_message = bool(text) and not text.startswith("/")
        if self.model.current is None or not is_message or now - self._typing_told_at < _TYPING_AGAIN_S:
            return
        self._typing_told_at = now
        self._connection.typing(self.model.current)

    # ------------------------------------------------------------------------------------------------ what that takes

    async def _look_who_is_there(self) -> None:
        self.model.set_agents(await self._connection.rest.agents())
        if self._wanted is not None:
            wanted, self._wanted = self._wanted, None
            self._switch(wanted)

    async def _open(self, agent_id: str, title: str | None) -> None:
        conversation = await open_conversation(self._connection, agent_id, title)
        self.model.know(conversation)
        self._show(conversation.conversation_id)

    async def _load_older(self, conversation_id: str, before: int) -> None:
        try:
            page = await self._connection.history(conversation_id, before=before, limit=PAGE_MESSAGES)
            self.model.add_older(conversation_id, page.messages)
        finally:
            self._loading.discard(conversation_id)

    async def _attach(self, run_id: str) -> None:
        picture = await picture_of_run(self._connection, run_id)
        if picture is None:
            self.model.runs.end(run_id)  # its message comes, or has come
        else:
            self.model.apply(picture, anyio.current_time())

    async def _stop(self, run_id: str) -> None:
        try:
            await stop_run(self._connection, run_id)
        except Refused:
            self.model.runs.not_stopping(run_id)
            raise

    async def _send_into(self, run_id: str, text: str) -> None:
        await self._connection.send("run_control", run_id=run_id, action="steer", text=text)

    async def _take_back(self, message_id: str) -> None:
        await self._connection.send("message_withdraw", message_id=message_id)

    async def _send_answer(self, message_id: str, option_ids: list[str], text: str | None) -> None:
        await self._connection.send("answer", message_id=message_id, option_ids=option_ids or None, text=text)

    def _read_what_is_shown(self) -> None:
        talk = self.model.talk
        if talk is None or not talk.unread or self._read_asked.get(talk.id, 0) >= talk.last_seq:
            return
        self._read_asked[talk.id] = talk.last_seq
        self._try(self._connection.mark_read, talk.id, talk.last_seq)
