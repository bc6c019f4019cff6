"""What `amtrio chat` asks of the server that takes more than one command of the library.

Knows the connection. Knows no screen and nothing of what is shown.
"""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from amtrio.client import Connection, Refused, Unreachable, new_client_id
from amtrio.client.events import Conversation, RunSnapshot


async def open_conversation(connection: Connection, agent_id: str, title: str | None = None) -> Conversation:
    """The default conversation with an agent, or with a title a new one."""
    answer = await connection.send("create_conversation", agent_id=agent_id, title=title)
    found = answer.get("conversation", answer)
    try:
        return msgspec.convert(found, Conversation)
    except msgspec.ValidationError as exc:
        raise Refused(f"the server's answer has another shape: {exc}", code="unknown") from exc


async def stop_run(connection: Connection, run_id: str) -> None:
    """
    Have a run end. That it has ended already is no error.

    Over REST, since on the socket it would wait behind what was sent before; over the socket if nobody answers there.

    Raises:
        Refused: the server said no. AuthenticationEnded, Replaced: the connection has ended.
    """
    fields = {"action": "stop", "client_id": new_client_id()}
    try:
        try:
            await connection.rest.call("POST", f"/runs/{quote(run_id, safe='')}/control", body=fields)
        except Unreachable:
            await connection.send("run_control", run_id=run_id, **fields)
    except Refused as exc:
        if exc.code != "run_closed":
            raise


async def picture_of_run(connection: Connection, run_id: str) -> RunSnapshot | None:
    """The whole of a run as it is; None if it has ended, or its picture cannot be had."""
    try:
        return msgspec.convert(await connection.send("run_attach", run_id=run_id), RunSnapshot)
    except (Refused, msgspec.ValidationError):
        return None
