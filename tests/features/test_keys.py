"""Uploading public keys: only whole ones, signed ones, and none twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from amtrio.features.keys import IDENTITIES_PER_HOUR, MAX_LIST_CHARS
from amtrio.store.database import Tx
from tests.features.conftest import Cast
from tests.harness import Agent, Json, MovableClock, Person, Scene, open_scene
from tests.key_owner import KeyOwner, new_key, post, public, put, refused, spelt


async def bundle_of(scene: Scene, owner: Person | Agent, asker: Person | Agent | None = None) -> Json:
    """The keys in force."""
    kind = "agent" if isinstance(owner, Agent) else "user"
    shown: Json = await scene.get(f"/keys/bundles/{kind}/{owner.id}", asker or owner)
    return shown


async def test_people_and_agents_publish_keys(scene: Scene, cast: Cast) -> None:
    """Both alike; what was uploaded is shown as it was spelt, with who signed what and how."""
    for who, kind in ((cast.alice, "user"), (cast.helper, "agent")):
        owner = KeyOwner()
        await owner.publish(scene, who, one_time=3)
        shown = await bundle_of(scene, who)
        identity, signed = shown["identity_key"], shown["signed_prekey"]
        assert (identity["owner_id"], identity["owner_type"], identity["key_type"]) == (who.id, kind, "identity")
        assert (identity["public_key"], identity["signing_key"], identity["version"]) == (
            public(owner.identity), public(owner.signing), 1,
        )  # fmt: skip
        assert {name: signed[name] for name in owner.prekey_body()} == owner.prekey_body()
        assert (signed["signature_scheme"], signed["signature_over"]) == ("ed25519", "prekey")
        assert await scene.get("/keys/one-time-prekeys/count", who) == {
            "one_time_prekey_count": 3, "count": 3, "low": True, "status": "stored",
        }  # fmt: skip


async def test_a_prekey_that_nobody_signed_is_refused(scene: Scene, cast: Cast) -> None:
    """No signature, somebody else's, and none of an identity that is not there yet; the old prekey stays."""
    alice, mallory = KeyOwner(), KeyOwner()
    path = "/keys/signed-prekey"
    assert (await refused(scene, cast.alice, "PUT", path, json=alice.prekey_body()))[:2] == (409, "conflict")
    await alice.publish(scene, cast.alice)
    unsigned = {"public_key": new_key()}
    for body, rule in (
        (unsigned, "signature is required"),
        (unsigned | {"signature": "c2ln"}, "signature must be 64 bytes"),
        (unsigned | {"signature": alice.prekey_body()["signature"]}, "bad signature"),
        (mallory.prekey_body(), "bad signature"),
        (alice.prekey_body() | {"public_key": "short"}, "public_key must be 32 bytes"),
        (alice.prekey_body() | {"public_key": "00" * 32}, "low order"),
        (alice.prekey_body() | {"key_id": -1}, "key_id"),
        ({}, "public_key"),
    ):
        status, code, text = await refused(scene, cast.alice, "PUT", path, json=body)
        assert (status, code) == (400, "malformed"), body
        assert rule in text
    assert (await bundle_of(scene, cast.alice))["signed_prekey"]["public_key"] == public(alice.prekey)


async def test_an_identity_that_signs_by_itself(scene: Scene, cast: Cast) -> None:
    """Without a signing key its own signature counts, and a replaced prekey is gone."""
    signer = Ed25519PrivateKey.generate()
    await put(scene, cast.alice, "/keys/identity", {"public_key": public(signer)})
    for _ in range(2):
        prekey = KeyOwner().prekey.public_key().public_bytes_raw()
        made = await put(
            scene, cast.alice, "/keys/signed-prekey",
            {"public_key": prekey.hex(), "signature": signer.sign(b"\x05" + prekey).hex()},
        )  # fmt: skip
        assert (made["signature_scheme"], made["signature_over"]) == ("ed25519", "typed_prekey")
        assert (await bundle_of(scene, cast.alice))["signed_prekey"]["public_key"] == prekey.hex()


async def test_a_changed_identity_is_told_and_never_silent(scene: Scene, cast: Cast) -> None:
    """
    Who shares a conversation hears of it, also when away; others do not. Prekeys of the old one are gone.
    """
    old, new = KeyOwner(), KeyOwner()
    carol = await scene.register("carol")
    async with (
        scene.device(cast.alice, "alices-phone") as phone,
        scene.device(carol) as stranger,
        scene.device(cast.alice, "alices-laptop") as laptop,
    ):
        await laptop.ack()
        await old.publish(scene, cast.helper, one_time=2)
        again = await put(scene, cast.helper, "/keys/identity", old.identity_body())
        assert again["version"] == 1, "the same key again changes nothing"
        await phone.caught_up()
        assert "identity_key_changed" not in {event["type"] for event in phone.events}
        made = await put(scene, cast.helper, "/keys/identity", new.identity_body())
        told = await phone.next("identity_key_changed")
        assert told == {
            "account_kind": "agent", "account_id": "helper", "version": 2,
            "public_key": public(new.identity), "changed_at": made["created_at"],
        }  # fmt: skip
        await stranger.caught_up()
        assert [event["type"] for event in stranger.events] == []
        seen = laptop.seq
    async with scene.device(cast.bob, since=0) as bobs, scene.device(cast.helper) as own:
        assert (await bobs.next("identity_key_changed"))["version"] == 2, "he was away"
        assert (await own.next("identity_key_changed"))["version"] == 2
    shown = await bundle_of(scene, cast.helper)
    assert shown == {"identity_key": made}
    assert (await scene.get("/keys/one-time-prekeys/count", cast.helper))["count"] == 0
    assert (await refused(scene, cast.helper, "PUT", "/keys/signed-prekey", json=old.prekey_body()))[0] == 400
    await put(scene, cast.helper, "/keys/signed-prekey", new.prekey_body())
    await put(scene, cast.helper, "/keys/identity", old.identity_body())
    async with scene.device(cast.alice, "alices-laptop", since=seen) as laptop:
        told = await laptop.next("identity_key_changed")
        assert (told["version"], told["public_key"]) == (3, public(old.identity)), "told late, today's truth"
    await scene.http.delete(f"/conversations/{cast.talk}", headers=cast.alice.headers)
    async with scene.device(cast.alice, since=0) as phone:
        await phone.caught_up()
        assert "identity_key_changed" not in {event["type"] for event in phone.events}, "they have parted"


async def test_another_signing_key_is_a_change_too(scene: Scene, cast: Cast) -> None:
    """Left out it stays as it is."""
    owner, other = KeyOwner(), KeyOwner()
    await owner.publish(scene, cast.alice)
    bare = {"public_key": public(owner.identity)}
    assert (await put(scene, cast.alice, "/keys/identity", bare))["signing_key"] == public(owner.signing)
    changed = bare | {"signing_key": public(other.signing)}
    assert (await put(scene, cast.alice, "/keys/identity", changed))["version"] == 2
    assert "signed_prekey" not in await bundle_of(scene, cast.alice)
    for body in (bare | {"signing_key": "01" + "00" * 31}, bare | {"signing_key": "x"}, {"public_key": "x"}, {}):
        assert (await refused(scene, cast.alice, "PUT", "/keys/identity", json=body))[:2] == (400, "malformed")


async def test_an_identity_changes_a_few_times_an_hour(tmp_path: Path) -> None:
    """Everybody is told of each change, so there are not many; a restart forgets none, an hour all."""
    clock = MovableClock()
    async with open_scene(tmp_path, clock=clock) as scene:
        alice = await scene.register("alice")
        for number in range(IDENTITIES_PER_HOUR):
            made = await put(scene, alice, "/keys/identity", {"public_key": new_key()})
            assert made["version"] == number + 1
    async with open_scene(tmp_path, clock=clock) as scene:
        answer = await scene.http.put("/keys/identity", json={"public_key": new_key()}, headers=alice.headers)
        assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
        assert 3000 < int(answer.headers["Retry-After"]) <= 3600
        assert (await put(scene, alice, "/keys/identity", {"public_key": made["public_key"]}))["version"] == 10
        clock.move(days=1.01 / 24)
        for _ in range(IDENTITIES_PER_HOUR):
            await put(scene, alice, "/keys/identity", {"public_key": new_key()})
        clock.move(days=1.01 / 24)
        assert (await put(scene, alice, "/keys/identity", {"public_key": new_key()}))["version"] == 21
        store = scene.running.services.store
        kept = await store.read(lambda tx: tx.all("SELECT version FROM public_key ORDER BY version"))
        assert [row[0] for row in kept] == list(range(2, 22)), "twenty of them"


async def test_one_time_keys_are_kept_once(scene: Scene, cast: Cast) -> None:
    """The same key again is passed over; a number names one key; without numbers they go on counting."""
    owner = KeyOwner()
    path = "/keys/one-time-prekeys"
    assert (await refused(scene, cast.alice, "POST", path, json={"keys": [new_key()]}))[:2] == (409, "conflict")
    await owner.publish(scene, cast.alice, one_time=2)
    first, second = ({"key_id": n, "public_key": public(key)} for n, key in owner.one_time.items())
    assert (await post(scene, cast.alice, path, {"keys": [first, second, first]}))["count"] == 2
    otherwise = {"key_id": 9, "public_key": public(owner.one_time[1]) + "="}
    assert (await post(scene, cast.alice, path, {"keys": [otherwise]}))["count"] == 2, "it is the same key"
    taken = {"key_id": 1, "public_key": new_key()}
    refusal = await refused(scene, cast.alice, "POST", path, json={"keys": [{"public_key": new_key()}, taken]})
    assert refusal == (409, "conflict", "key_id 1 is another one-time key's")
    assert (await scene.get(f"{path}/count", cast.alice))["count"] == 2, "all or none"
    assert (await post(scene, cast.alice, path, {"keys": [new_key(), {"public_key": new_key()}]}))["count"] == 4
    rows = await scene.running.services.store.read(
        lambda tx: tx.all("SELECT key_id FROM public_key WHERE key_id IS NOT NULL AND kind = 'one_time_prekey'")
    )
    assert sorted(row[0] for row in rows) == [1, 2, 3, 4]


async def test_there_is_room_for_two_hundred(scene: Scene, cast: Cast) -> None:
    """In one upload or in many."""
    await KeyOwner().publish(scene, cast.alice)
    path = "/keys/one-time-prekeys"
    keys = [new_key() for _ in range(201)]
    assert (await refused(scene, cast.alice, "POST", path, json={"keys": keys}))[:2] == (409, "conflict")
    assert await post(scene, cast.alice, path, {"keys": keys[:200]}) == {
        "one_time_prekey_count": 200, "count": 200, "low": False, "status": "stored",
    }  # fmt: skip
    refusal = await refused(scene, cast.alice, "POST", path, json={"keys": keys[200:]})
    assert refusal == (409, "conflict", "at most 200 one-time keys are kept")


@pytest.mark.parametrize(
    "keys",
    [
        None, 5, {}, "", "abc", "[", "(" * 5000, "[" * 5000, "{'a': 1}", "[1]", '["x"]', "['" + "x" * 200 + "']",
        [""], [{"key_id": 1}], [{"key_id": "one", "public_key": "AA"}], [{"key_id": 2**53, "public_key": "AA"}],
        "__import__('os').getpid()", " " * MAX_LIST_CHARS + "[]", "[b'x']", "\x00",
    ],
)  # fmt: skip
async def test_what_is_no_list_of_keys(scene: Scene, cast: Cast, keys: Any) -> None:
    """Nothing of it is run, and nothing stored."""
    await KeyOwner().publish(scene, cast.alice)
    for way in ("/keys/one-time-prekeys", "/keys/upload"):
        name = "keys" if "one-time" in way else "one_time_prekeys"
        body: Json = {name: keys} | ({} if name == "keys" else {"identity_key": new_key()})
        if name == "one_time_prekeys" and keys in (None, ""):
            continue
        status, code, _ = await refused(scene, cast.alice, "POST", way, json=body)
        assert (status, code) == (400, "malformed"), way
    assert (await bundle_of(scene, cast.alice))["identity_key"]["version"] == 1


async def test_the_same_client_id_answers_alike(scene: Scene, cast: Cast) -> None:
    """Also after the key has changed again."""
    first = {"public_key": new_key(), "client_id": scene.client_id()}
    made = await put(scene, cast.alice, "/keys/identity", first)
    await put(scene, cast.alice, "/keys/identity", {"public_key": new_key()})
    assert await put(scene, cast.alice, "/keys/identity", first) == made
    assert (await bundle_of(scene, cast.alice))["identity_key"]["version"] == 2


# -- as shipped clients do it ------------------------------------------------------------------------------------------


async def test_one_key_at_a_time(scene: Scene, cast: Cast) -> None:
    """As the older web chat and its server have it, by JSON or form, for people and for agents."""
    for who, kind in ((cast.alice, "user"), (cast.helper, "agent")):
        owner = KeyOwner()

        async def upload(body: Json, who: Person | Agent = who, *, as_form: bool = False) -> Json:
            sent: Json = {"data": body} if as_form else {"json": body}
            answer = await scene.http.post("/keys/upload", headers=who.headers, **sent)
            assert answer.status_code == 200, answer.text
            shown: Json = answer.json()
            return shown

        made = await upload({"key_type": "identity", **owner.identity_body()})
        assert (made["owner_id"], made["owner_type"], made["key_type"]) == (who.id, kind, "identity")
        assert made["id"].startswith("key_")
        assert (await upload({"key_type": "identity", "public_key": public(owner.identity)}))["version"] == 1
        signed = await upload({"key_type": "signed_prekey", **owner.prekey_body()}, as_form=True)
        assert signed["signature"] == owner.prekey_body()["signature"]
        one, two = owner.more(2)
        assert (await upload({"key_type": "one_time_prekey", **one}, as_form=True))["key_id"] == 1
        again = await upload({"key_type": "one_time_prekey", **one})
        assert again["public_key"] == one["public_key"]
        assert (await upload({"key_type": "one_time_prekey", "public_key": two["public_key"]}))["key_id"] == 2
        assert await scene.get("/keys/otpk-count", who, user_id="whoever") == await scene.get(
            "/keys/one-time-prekeys/count", who
        )


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ({}, "public_key is required"),
        ({"key_type": "identity", "public_key": ""}, "public_key is required"),
        ({"public_key": "AA"}, "invalid key_type, must be identity/signed_prekey/one_time_prekey"),
        ({"key_type": "private", "public_key": "AA"}, "invalid key_type"),
        ({"key_type": "identity", "public_key": "AA"}, "public_key must be 32 bytes"),
        ({"key_type": "identity", "public_key": "A" * 5000}, "public_key must be 32 bytes"),
        ({"identity_key": "AA"}, "public_key must be 32 bytes"),
    ],
)
async def test_what_the_older_route_refuses(scene: Scene, cast: Cast, body: Json, rule: str) -> None:
    """In the older server's words."""
    status, code, text = await refused(scene, cast.alice, "POST", "/keys/upload", json=body)
    assert (status, code) == (400, "malformed")
    assert rule in text


@pytest.mark.parametrize("way", ["json", "form", "python"])
async def test_a_whole_bundle_at_once(scene: Scene, cast: Cast, way: str) -> None:
    """As the SDKs upload it: one of them sends a form with the text of a Python list."""
    owner = KeyOwner()
    keys = [key["public_key"] for key in owner.more(3)]
    body: Json = {
        "identity_key": public(owner.identity),
        "signing_key": public(owner.signing),
        "signed_prekey": public(owner.prekey),
        "prekey_signature": owner.prekey_body()["signature"],
        "one_time_prekeys": keys,
    }
    if way == "json":
        answer = await scene.http.post("/keys/upload", json=body, headers=cast.alice.headers)
    else:
        listed = str(keys) if way == "python" else str(keys).replace("'", '"')
        form = body | {"one_time_prekeys": listed}
        answer = await scene.http.post("/keys/upload", data=form, headers=cast.alice.headers)
    assert answer.status_code == 200, answer.text
    stored = answer.json()
    assert (stored["one_time_prekey_count"], stored["count"], stored["status"]) == (3, 3, "stored")
    assert (stored["key_type"], stored["public_key"]) == ("identity", public(owner.identity))
    shown = await bundle_of(scene, cast.alice)
    assert shown["signed_prekey"]["public_key"] == public(owner.prekey)


async def test_half_a_bundle_is_none(scene: Scene, cast: Cast) -> None:
    """A bad signature leaves the identity as it was."""
    before = KeyOwner()
    await before.publish(scene, cast.alice)
    body = {"identity_key": new_key(), "signed_prekey": new_key(), "prekey_signature": spelt(bytes(64))}
    assert (await refused(scene, cast.alice, "POST", "/keys/upload", json=body))[0] == 400
    assert (await bundle_of(scene, cast.alice))["identity_key"]["public_key"] == public(before.identity)


async def test_older_clients_are_told_nothing_of_keys(scene: Scene, cast: Cast) -> None:
    """They know no such event."""
    async with scene.old_device(cast.alice, offers=()) as old:
        for _ in range(2):
            await put(scene, cast.helper, "/keys/identity", {"public_key": new_key()})
        async with scene.device(cast.helper) as agent:
            await agent.send(cast.talk, "hello")
        seen = []
        while "agent_message" not in seen:
            seen.append((await old.frame())["type"])
        assert "identity_key_changed" not in seen


async def test_keys_go_with_their_account(scene: Scene, cast: Cast) -> None:
    """And hold up nothing."""
    await KeyOwner().publish(scene, cast.helper, one_time=2)
    await post(scene, cast.alice, "/keys/bundles/agent/helper")
    services = scene.running.services

    def remove(tx: Tx) -> None:
        services.remove_account(tx, "a:helper")

    await services.store.write(remove)
    for table in ("public_key", "spent_key"):
        left = await services.store.read(lambda tx, table=table: tx.all(f"SELECT 1 FROM {table}"))  # type: ignore[misc]
        assert left == []
    answer = await scene.http.get("/keys/bundles/agent/helper", headers=cast.alice.headers)
    assert answer.status_code == 404
