"""Two members talk in secret: the keys are real, and the server's files hold nothing of what was said."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag

from tests.harness import open_scene
from tests.key_owner import KeyOwner, post, put

SECRET = "the spare key is under the third flower pot"


def stored(directory: Path) -> bytes:
    """Everything the server keeps, as it lies on the disk."""
    return b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())


async def test_only_the_members_read_what_was_said(tmp_path: Path) -> None:
    """
    alice's phone takes helper's bundle, checks it, encrypts and sends; helper, away until then, decrypts and answers.
    """
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        hers, its = KeyOwner(), KeyOwner()
        await hers.publish(scene, alice, one_time=1)
        await its.publish(scene, helper, one_time=2)
        async with scene.device(alice, "alices-phone") as phone:
            bundle = await post(scene, alice, "/keys/bundles/agent/helper")
            sent = await phone.ask("encrypted_message", conversation_id=talk, **hers.seal_for(bundle, SECRET))
            assert sent["type"] == "message_sent", sent
        async with scene.device(helper) as agent, scene.device(alice, "alices-phone") as phone:
            told = await agent.next("message", kind="encrypted")
            assert its.open(told["content"], told["encryption"]) == SECRET
            assert sorted(its.one_time) == [2], "the one-time key is used up"
            with pytest.raises(InvalidTag):
                KeyOwner(identity=its.identity).open(told["content"], told["encryption"] | {"recipient_key_id": ""})
            answer = its.seal_for(await post(scene, helper, f"/keys/bundles/user/{alice.id}"), SECRET[::-1])
            await post(scene, helper, f"/conversations/{talk}/messages/encrypted", answer)
            told = await phone.next("message", sender_type="agent")
            assert hers.open(told["content"], told["encryption"]) == SECRET[::-1]
            without = await post(scene, helper, f"/keys/bundles/user/{alice.id}")
            assert "one_time_prekey" not in without
            sealed = its.seal_for(without, "without a one-time key")
            assert hers.open(sealed["ciphertext"], sealed) == "without a one-time key"
            (listed,) = await scene.get(f"/conversations/{talk}/messages/encrypted", alice, limit=1)
            assert listed["ciphertext"] == answer["ciphertext"]
            await phone.send(talk, "in the open")
        everything = stored(tmp_path)
        assert b"in the open" in everything, "these are the files that messages are in"
        assert answer["ciphertext"].encode() in everything
        for said in (SECRET, SECRET[::-1]):
            assert said.encode() not in everything


async def test_a_key_that_was_exchanged_on_the_way_is_noticed(tmp_path: Path) -> None:
    """Who knows the old key is told of the new one, and what was sealed for the old one stays shut."""
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        hers, its, mallorys = KeyOwner(), KeyOwner(), KeyOwner()
        await its.publish(scene, helper, one_time=1)
        async with scene.device(alice) as phone:
            bundle = await post(scene, alice, "/keys/bundles/agent/helper")
            await put(scene, helper, "/keys/identity", mallorys.identity_body())
            told = await phone.next("identity_key_changed", account_id="helper")
            assert told["public_key"] != bundle["identity_key"]["public_key"]
            await phone.ask("encrypted_message", conversation_id=talk, **hers.seal_for(bundle, SECRET))
            said = await phone.next("message")
        with pytest.raises(InvalidTag):
            mallorys.open(said["content"], said["encryption"] | {"recipient_key_id": ""})
        assert its.open(said["content"], said["encryption"]) == SECRET
