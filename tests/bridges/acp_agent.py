"""An agent of the Agent Client Protocol, written with the protocol's own SDK: the other side of the ACP bridge's tests.

Runs as a program. What it does, the first word of the prompt says. `--no-load`: it cannot load sessions; `--resume`: it
can go on with them; `--auth`: it wants to be signed in to first; `--version N`: it speaks another version; `--deaf`: it
never answers; `--memory FOLDER`: where it keeps its sessions; `--frames FILE`: where it writes down all that it hears.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import acp
from acp import helpers, schema
from acp.connection import StreamDirection, StreamEvent


class Standin:
    """Counts the prompts of each session."""

    client: Any

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.counts: dict[str, int] = {}
        self.cancelled: dict[str, asyncio.Event] = {}
        self.signed_in = not options.auth
        self.mode = ""

    def on_connect(self, client: Any) -> None:
        self.client = client

    async def initialize(self, protocol_version: int, **_: Any) -> schema.InitializeResponse:
        if self.options.deaf:
            await asyncio.Event().wait()
        capabilities = schema.AgentCapabilities(
            load_session=not self.options.no_load,
            prompt_capabilities=schema.PromptCapabilities(image=True),
            session_capabilities=schema.SessionCapabilities(
                resume=schema.SessionResumeCapabilities() if self.options.resume else None
            ),
        )
        return schema.InitializeResponse(
            protocol_version=self.options.version or protocol_version,
            agent_capabilities=capabilities,
            auth_methods=[schema.AuthMethodAgent(id="key", name="A key")] if self.options.auth else [],
            agent_info=schema.Implementation(name="standin", version="1.0"),
        )

    async def authenticate(self, method_id: str, **_: Any) -> None:
        if method_id != "key":
            raise acp.RequestError.invalid_params({"details": f"no method {method_id}"})
        self.signed_in = True

    async def new_session(self, cwd: str, **_: Any) -> schema.NewSessionResponse:
        if not self.signed_in:
            raise acp.RequestError.auth_required()
        number = len(list(self.options.memory.iterdir()))
        session_id = f"session {number} in {Path(cwd).name}"
        (self.options.memory / str(number)).write_text(session_id)
        self._begin(session_id)
        command = schema.AvailableCommand(
            name="web",
            description="Search",
            input=schema.AvailableCommandInput(root=schema.UnstructuredCommandInput(hint="words")),
        )
        await self._say(session_id, helpers.update_available_commands([command]))
        return schema.NewSessionResponse(session_id=session_id)

    def _begin(self, session_id: str) -> None:
        self.counts[session_id] = 0
        self.cancelled[session_id] = asyncio.Event()

    async def load_session(self, session_id: str, **_: Any) -> schema.LoadSessionResponse:
        if session_id not in {path.read_text() for path in self.options.memory.iterdir()}:
            raise acp.RequestError.resource_not_found(session_id)
        self._begin(session_id)
        self.counts[session_id] = 100
        await self._text(session_id, "a replay of what was said")
        return schema.LoadSessionResponse()

    async def resume_session(self, session_id: str, **_: Any) -> schema.ResumeSessionResponse:
        self._begin(session_id)
        self.counts[session_id] = 200
        return schema.ResumeSessionResponse()

    async def set_session_mode(self, mode_id: str, **_: Any) -> None:
        if mode_id == "no such mode":
            raise acp.RequestError.invalid_params({"details": "no such mode"})
        self.mode = mode_id

    async def cancel(self, session_id: str, **_: Any) -> None:
        self.cancelled[session_id].set()

    async def prompt(self, session_id: str, prompt: list[Any], **_: Any) -> schema.PromptResponse:
        self.counts[session_id] += 1
        self.cancelled[session_id].clear()
        word = prompt[0].text.split()[0] if prompt and prompt[0].type == "text" else "files"
        act = getattr(self, f"do_{word}", self.do_anything)
        stop_reason: Any = await act(session_id, prompt) or "end_turn"
        usage = schema.Usage(total_tokens=7, input_tokens=3, output_tokens=4)
        return schema.PromptResponse(stop_reason=stop_reason, usage=usage)

    async def do_anything(self, session_id: str, prompt: list[Any]) -> None:
        await self._say(session_id, helpers.update_agent_thought_text("Hm. "))
        await self._say(session_id, helpers.update_agent_thought_text("I see."))
        await self._text(session_id, f"{self.counts[session_id]}{self.mode}: ")
        await self._text(session_id, prompt[0].text)

    async def do_files(self, session_id: str, prompt: list[Any]) -> None:
        for block in prompt:
            if block.type == "image":
                await self._text(session_id, f"[image {block.mime_type} {block.data}]")
            elif block.type == "resource_link":
                content = await asyncio.to_thread(Path(block.uri.removeprefix("file://")).read_text)
                await self._text(session_id, f"[link {block.name} {content}]")

    async def do_tool(self, session_id: str, _prompt: list[Any]) -> None:
        location = schema.ToolCallLocation(path="/tmp/a.py", line=3)
        await self._say(
            session_id,
            helpers.start_tool_call("t1", "Edit a.py", kind="edit", status="pending", raw_input={"path": "a.py"}),
        )
        await self._say(session_id, helpers.update_tool_call("t1", status="in_progress", locations=[location]))
        diff = helpers.tool_diff_content("a.py", "new\nsame\n", "old\nsame\n")
        done = helpers.tool_content(helpers.text_block("done"))
        await self._say(session_id, helpers.update_tool_call("t1", content=[diff]))
        await self._say(
            session_id, helpers.update_tool_call("t1", status="completed", content=[diff, done], raw_output={"ok": 1})
        )
        await self._text(session_id, "Edited.")

    async def do_plan(self, session_id: str, _prompt: list[Any]) -> None:
        entries = [helpers.plan_entry("look", status="completed"), helpers.plan_entry("leap", status="in_progress")]
        await self._say(session_id, helpers.update_plan(entries))

    async def do_ask(self, session_id: str, _prompt: list[Any]) -> str:
        await self._say(session_id, helpers.start_tool_call("t1", "rm -rf build", kind="execute"))
        options = [
            schema.PermissionOption(option_id="yes/once", name="Allow", kind="allow_once"),
            schema.PermissionOption(option_id="no/once", name="Reject", kind="reject_once"),
        ]
        call = schema.ToolCallUpdate(tool_call_id="t1", raw_input={"command": ["rm", "-rf", "build", "dist"]})
        answer = await self.client.request_permission(session_id, call, options)
        outcome = answer.outcome
        await self._text(session_id, f"outcome: {getattr(outcome, 'option_id', outcome.outcome)}")
        return "cancelled" if self.cancelled[session_id].is_set() else "end_turn"

    async def do_wait(self, session_id: str, _prompt: list[Any]) -> str:
        await self._say(session_id, helpers.start_tool_call("t1", "Wait", status="in_progress"))
        await self._text(session_id, "waiting")
        await self.cancelled[session_id].wait()
        await self._text(session_id, ", cancelled")
        return "cancelled"

    async def do_stubborn(self, session_id: str, _prompt: list[Any]) -> None:
        await self._text(session_id, "never")
        await asyncio.Event().wait()

    async def do_die(self, session_id: str, _prompt: list[Any]) -> None:
        await self._text(session_id, "farewell")
        await asyncio.sleep(0)
        print("out of memory", file=sys.stderr, flush=True)
        os._exit(9)

    async def do_noise(self, session_id: str, _prompt: list[Any]) -> None:
        print("Warning: a library speaks", flush=True)
        print('["no", "object"]', flush=True)
        await self._text(session_id, "quiet")

    async def do_read(self, session_id: str, _prompt: list[Any]) -> None:
        try:
            await self.client.read_text_file(session_id, "/etc/passwd")
        except acp.RequestError as exc:
            await self._text(session_id, f"refused: {exc.code}")

    async def do_fail(self, _session_id: str, _prompt: list[Any]) -> None:
        raise acp.RequestError.internal_error({"details": "the model is away"})

    async def do_picture(self, session_id: str, _prompt: list[Any]) -> None:
        await self._say(session_id, helpers.update_agent_message(helpers.image_block("UE5H", "image/png")))
        await self._say(session_id, helpers.update_agent_message(helpers.image_block("no base64!", "image/png")))

    async def do_long(self, session_id: str, _prompt: list[Any]) -> str:
        await self._text(session_id, "so long")
        return "max_tokens"

    async def do_refuse(self, _session_id: str, _prompt: list[Any]) -> str:
        return "refusal"

    async def _text(self, session_id: str, text: str) -> None:
        await self._say(session_id, helpers.update_agent_message_text(text))

    async def _say(self, session_id: str, update: Any) -> None:
        await self.client.session_update(session_id, update)


def main() -> None:
    parser = argparse.ArgumentParser()
    for flag in ("--no-load", "--resume", "--auth", "--deaf"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("--version", type=int)
    parser.add_argument("--memory", type=Path, required=True)
    parser.add_argument("--frames", type=Path, required=True)
    asyncio.run(serve(parser.parse_args()))


async def serve(options: argparse.Namespace) -> None:
    def write_down(event: StreamEvent) -> None:
        if event.direction is StreamDirection.INCOMING:
            with options.frames.open("a") as file:
                file.write(json.dumps(event.message) + "\n")

    standin: Any = Standin(options)
    await acp.run_agent(standin, use_unstable_protocol=True, observers=[write_down])


if __name__ == "__main__":
    main()
