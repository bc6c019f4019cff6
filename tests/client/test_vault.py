"""Keys of both sides of a conversation, on the real server, without an agent's program in between."""

from __future__ import annotations

import os
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from amtrio.client import CannotEncrypt, Refused, Rest, Unreadable
from amtrio.client.encryption import Place, seal
from amtrio.client.envelope import MAX_TEXT_BYTES, SALT_BYTES, read, spelt
from amtrio.client.events import Message
from amtrio.client.vault import Vault
from amtrio.client.vault_rows import session_of
from tests.client.real_server import RealServer
from tests.client.secret_talk import AGENT, Talk, agents_rest, changed, published, talking, user_of
from tests.client.stage import Play


async def said(talk: Talk, text: str) -> Message:
    """What alice says, as the server has it."""
    message_id = await talk.send(text)
    return await talk.client.connection.rest.message(message_id)


async def why(vault: Vault, message: Message) -> str:
    """Why it cannot be read."""
    with pytest.raises(Unreadable) as caught:
        await vault.open(message)
    return caught.value.why


def test_both_sides_read_what_both_say_as_often_as_they_like(real: RealServer, play: Play, tmp_path: Path) -> None:
    """
    Also after the agent's program was started anew; messages are shorter once it has answered.
    """

    async def scene() -> None:
        async with published(real, tmp_path / "agent.keys") as agent, talking(real, tmp_path / "alice.keys") as talk:
            first = await said(talk, "Grüße 👋")
            opened = await agent.open(first)
            assert (opened.text, opened.peer, opened.peer_is) == ("Grüße 👋", user_of(real), "new")
            async with agents_rest(real) as rest:
                fields = await agent.seal(talk.room, "zurück", session_id=opened.session_id)
                path = f"/conversations/{talk.room}/messages/encrypted"
                sent = await rest.call("POST", path, body={**fields, "client_id": "answer-0123456789"})
            answer = await talk.client.connection.rest.message(sent["id"])
            assert (await talk.vault.open(answer)).text == "zurück"
            second = await said(talk, "Grüße 👋")
            assert len(second.content) < len(first.content)
            agent.close()
            again = Vault(tmp_path / "agent.keys")
            again.claim(AGENT)
            for vault in (again, talk.vault):
                assert [(await vault.open(each)).text for each in (first, answer, second)] == [
                    "Grüße 👋",
                    "zurück",
                    "Grüße 👋",
                ]
            assert (await again.open(second)).peer_is == "known"
            assert await again.safety_number(user_of(real)) == await talk.vault.safety_number(AGENT)
            again.close()

    play(scene)


def test_keys_are_published_once_and_topped_up(real: RealServer, play: Play, tmp_path: Path) -> None:
    """
    Whatever was published before, they replace it whole.
    """

    async def scene() -> None:
        async with agents_rest(real) as rest:
            other = Vault(tmp_path / "other.keys")
            await other.publish(rest, AGENT)
            other.close()
            async with published(real, tmp_path / "agent.keys") as vault:
                bundle = await rest.call("GET", "/keys/bundles/agent/demo")
                assert bundle["identity_key"]["version"] == 2
                assert bundle["signed_prekey"]["signature_over"] == "context"
                assert (await rest.call("GET", "/keys/one-time-prekeys/count"))["count"] == 100
                await vault.publish(rest, AGENT)
                assert await rest.call("GET", "/keys/bundles/agent/demo") == bundle
                with pytest.raises(ValueError, match="agent:demo, not of agent:other"):
                    await vault.publish(rest, "agent:other")
        async with talking(real, tmp_path / "alice.keys") as talk, agents_rest(real) as rest:
            for _ in range(5):
                await talk.begin()
            assert (await rest.call("GET", "/keys/one-time-prekeys/count"))["count"] == 94

    play(scene)


def test_without_good_keys_of_the_other_side_nothing_is_begun(real: RealServer, play: Play, tmp_path: Path) -> None:
    """
    None at all, unsigned ones, or signed in another way than over the context.
    """

    async def scene() -> None:
        with pytest.raises(CannotEncrypt, match="published no keys"):
            async with talking(real, tmp_path / "alice.keys"):
                raise AssertionError
        async with published(real, tmp_path / "agent.keys"), agents_rest(real) as rest:
            bundle = await rest.call("GET", "/keys/bundles/agent/demo")
        signed = bundle["signed_prekey"]
        vault = Vault(tmp_path / "alice.keys")
        vault.claim(user_of(real))
        for lie in (
            {**bundle, "signed_prekey": None},
            {**bundle, "signed_prekey": {**signed, "signature_over": "prekey"}},
            {**bundle, "signed_prekey": {**signed, "public_key": spelt(b"k" * 32)}},
            {**bundle, "signed_prekey": {**signed, "signature": "?"}},
            {**bundle, "one_time_prekey": {"public_key": "?"}},
            {**bundle, "identity_key": {**bundle["identity_key"], "signing_key": None}},
        ):
            with pytest.raises(CannotEncrypt):
                await vault.begin(answering(200, lie), "c1", AGENT)
        with pytest.raises(CannotEncrypt, match="no session"):
            await vault.seal("c1", "text")
        vault.close()

    play(scene)


def answering(status: int, answer: Any) -> Rest:
    """A server that says one thing, whatever it is asked."""
    http = httpx.AsyncClient(transport=httpx.MockTransport(lambda _request: httpx.Response(status, json=answer)))
    return Rest("http://nowhere", http=http)


def test_what_the_server_refuses_is_told(real: RealServer, play: Play, tmp_path: Path) -> None:
    """
    Only that there is nothing is taken for an answer.
    """

    async def scene() -> None:
        vault = Vault(tmp_path / "keys")
        vault.claim("user:usr_1")
        with pytest.raises(Refused, match="too many"):
            await vault.begin(answering(429, {"error": "too many", "code": "rate_limited"}), "c1", AGENT)
        vault.close()

    play(scene)


def test_what_was_changed_or_moved_is_not_read(real: RealServer, play: Play, tmp_path: Path) -> None:
    """
    And leaves no trace: the true message can be read afterwards.
    """

    async def scene() -> None:
        async with published(real, tmp_path / "agent.keys") as agent, talking(real, tmp_path / "alice.keys") as talk:
            message = await said(talk, "transfer 10")
            envelope = read(message.content)
            header, sealed = envelope.header, envelope.sealed
            broken = [
                spelt(header + sealed[:-1] + bytes([sealed[-1] ^ 1])),
                spelt(header[:20] + b"?" * 30 + header[50:] + sealed),
            ]
            broken.append(spelt(header[:-1] + bytes([header[-1] ^ 1]) + sealed))
            assert [await why(agent, changed(message, content=each)) for each in broken] == [
                "tampered",
                "tampered",
                "lost_key",
            ]
            assert await why(agent, changed(message, conversation_id="conv_other")) == "tampered"
            assert await why(agent, changed(message, sender_id="usr_other")) == "tampered"
            assert await why(agent, changed(message, sender_type="agent", sender_id="demo")) == "elsewhere"
            assert await why(agent, changed(message, encryption={"algorithm": "opaque"})) == "malformed"
            assert await why(agent, changed(message, encryption=None)) == "malformed"
            assert await agent.safety_number(user_of(real)) is None
            late = changed(message, created_at="1970-01-01T00:00:00.000Z")
            assert (await agent.open(late)).text == "transfer 10"

    play(scene)


def test_what_is_sealed_in_a_session_of_others_is_not_read(real: RealServer, play: Play, tmp_path: Path) -> None:
    """
    Whoever shares a session with an agent cannot say in it what another person is to have said, or said elsewhere.
    """

    async def scene() -> None:
        async with published(real, tmp_path / "agent.keys") as agent, talking(real, tmp_path / "alice.keys") as talk:
            message = await said(talk, "transfer 10")
            assert (await agent.open(message)).text == "transfer 10"
            with sqlite3.connect(tmp_path / "alice.keys") as file:
                session = session_of(file, read(message.content).session_id)
            assert session is not None

            def forged(conversation_id: str, sender_id: str) -> Message:
                place, salt = Place(conversation_id, f"user:{sender_id}"), os.urandom(SALT_BYTES)
                content = seal(session.agreed, None, session.role, place, salt, "transfer 99")
                fields = {"conversation_id": conversation_id, "sender_id": sender_id, "content": content}
                return changed(message, message_id=f"msg_{sender_id}", **fields)

            alice = message.sender_id
            assert (await agent.open(forged(talk.room, alice))).text == "transfer 99"
            for conversation_id, sender_id in [(talk.room, "usr_bob"), ("conv_bob", alice), ("conv_bob", "usr_bob")]:
                assert await why(agent, forged(conversation_id, sender_id)) == "tampered"

    play(scene)


def test_a_message_that_comes_again_as_another_one_is_a_replay(real: RealServer, play: Play, tmp_path: Path) -> None:
    """
    But for what one said oneself, which a server out of a backup may be sent again.
    """

    async def scene() -> None:
        async with published(real, tmp_path / "agent.keys") as agent, talking(real, tmp_path / "alice.keys") as talk:
            message = await said(talk, "transfer 10")
            copy = changed(message, message_id="msg_copy")
            assert (await agent.open(message)).text == "transfer 10"
            assert await why(agent, copy) == "replayed"
            assert (await agent.open(message)).text == "transfer 10"
            assert (await talk.vault.open(copy)).text == "transfer 10"

    play(scene)


@pytest.mark.parametrize("accepts", [True, False])
def test_a_person_with_other_keys_is_noticed(real: RealServer, play: Play, tmp_path: Path, accepts: bool) -> None:  # noqa: FBT001 - both ways
    """
    Read all the same, as from another browser of hers; or not before somebody says that it is right.
    """

    async def scene() -> None:
        async with published(real, tmp_path / "agent.keys", accepts_changed=accepts) as agent:
            async with talking(real, tmp_path / "alice.keys") as talk:
                before = await said(talk, "before")
                assert (await agent.open(before)).peer_is == "new"
                number = await agent.safety_number(user_of(real))
            async with talking(real, tmp_path / "other browser.keys") as talk:
                after = await said(talk, "after")
                if not accepts:
                    assert await why(agent, after) == "changed"
                    assert await agent.safety_number(user_of(real)) == number
                    await agent.forget(user_of(real))
                assert (await agent.open(after)).peer_is == ("changed" if accepts else "new")
                assert await agent.safety_number(user_of(real)) != number
                assert (await agent.open(before)).text == "before"
                assert (await agent.open(before)).peer_is == "known", "an old message does not bring old keys back"
                assert await why(talk.vault, before) == "elsewhere"

    play(scene)


def test_an_agent_with_other_keys_is_noticed(real: RealServer, play: Play, tmp_path: Path) -> None:
    """
    By who does not take any.
    """

    async def scene() -> None:
        async with published(real, tmp_path / "agent.keys"), talking(real, tmp_path / "alice.keys"):
            pass
        alice = Vault(tmp_path / "alice.keys", accepts_changed=False)
        alice.claim(user_of(real))
        async with published(real, tmp_path / "other.keys"), Rest(real.url, token=real.alice.token) as rest:
            with pytest.raises(CannotEncrypt, match="other keys than before"):
                await alice.begin(rest, "conv_1", AGENT)
        alice.close()

    play(scene)


def test_keys_that_were_lost_make_messages_unreadable_and_say_so(real: RealServer, play: Play, tmp_path: Path) -> None:
    """
    A one-time key that is gone, a session that is gone, and all keys gone.
    """

    async def scene() -> None:
        path = tmp_path / "agent.keys"
        async with published(real, path) as agent, talking(real, tmp_path / "alice.keys") as talk:
            message = await said(talk, "hello")
            agent.close()
            with sqlite3.connect(path) as rows:
                kept = rows.execute("SELECT public, private FROM prekey").fetchall()
                rows.execute("DELETE FROM prekey WHERE public NOT IN (SELECT prekey FROM own)")
            rows.close()
            assert await why(agent, message) == "lost_key"
            agent.close()
            with sqlite3.connect(path) as rows:
                rows.executemany("INSERT OR IGNORE INTO prekey VALUES (?, ?)", kept)
            rows.close()
            opened = await agent.open(message)
            fields = await agent.seal(talk.room, "answer", session_id=opened.session_id)
            encryption = {name: value for name, value in fields.items() if name != "ciphertext"}
            by_agent = {"sender_type": "agent", "sender_id": "demo", "encryption": encryption}
            answer = changed(message, content=fields["ciphertext"], **by_agent)
            assert (await talk.vault.open(answer)).text == "answer"
            fresh = Vault(tmp_path / "fresh.keys")
            fresh.claim(AGENT)
            assert await why(fresh, message) == "elsewhere"
            fresh.close()
            talk.vault.close()
            with sqlite3.connect(tmp_path / "alice.keys") as rows:
                rows.execute("DELETE FROM session")
            rows.close()
            assert await why(talk.vault, changed(answer, message_id="msg_2")) == "unknown_session"

    play(scene)


def test_a_text_that_is_too_long_for_one_message_is_no_message(real: RealServer, play: Play, tmp_path: Path) -> None:
    """
    The longest one is taken by the server, with the longest header.
    """

    async def scene() -> None:
        async with published(real, tmp_path / "agent.keys") as agent, talking(real, tmp_path / "alice.keys") as talk:
            message = await said(talk, "x" * MAX_TEXT_BYTES)
            assert (await agent.open(message)).text == "x" * MAX_TEXT_BYTES
            with pytest.raises(ValueError, match="holds"):
                await talk.vault.seal(talk.room, "x" * (MAX_TEXT_BYTES + 1))
            with pytest.raises(CannotEncrypt):
                await partial(agent.seal, "conv_other", session_id=b"?" * 16)("text")

    play(scene)
