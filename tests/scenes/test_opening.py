"""Opening a socket while things are being said."""

from __future__ import annotations

import json
from pathlib import Path

import trio

from amtrio.transports.handshakes import with_device
from tests.harness import PATIENCE_SECONDS, open_scene, open_socket


async def test_the_last_word_said_while_a_socket_opens_is_not_missed(tmp_path: Path) -> None:
    """It came after the look at the log and before the socket could hear; nothing follows that would show a hole."""
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        url = f"{scene.ws_url}/client/connect"
        async with scene.device(alice, "phone") as phone, scene.device(helper) as agent:
            await agent.send(talk, "the first word")
            await phone.next("message")
            (other,) = [each for each in scene.running.sessions.open if each.account == f"u:{alice.id}"]
            async with open_socket(url, subprotocols=["v2"]) as laptop:
                (session,) = [each for each in scene.running.sessions.open if not each.account]
                assert session.socket is not None
                assert other.principal is not None
                session.device_id = "laptop"
                principal = with_device(other.principal, session.device_id)
                await session.prepare(principal, since=phone.seq)
                await agent.send(talk, "the last word")
                assert session._start is not None
                session._begin(session.socket, principal, session._start)
                with trio.fail_after(PATIENCE_SECONDS):
                    greeting = json.loads(await laptop.get_message())
                    told = json.loads(await laptop.get_message())
                assert greeting["type"] == "connected"
                assert (told["seq"], told["data"]["content"]) == (greeting["data"]["seq"] + 1, "the last word")
