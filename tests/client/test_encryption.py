"""What two agree on and what they say, against vectors that the browser's program is held to as well."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from amtrio.client import Attachment, CannotEncrypt, Unreadable
from amtrio.client.encryption import (
    Agreed,
    OwnIdentity,
    Parties,
    Place,
    Role,
    initiate,
    other,
    require_signed,
    respond,
    safety_number,
    seal,
    sign,
    unseal,
)
from amtrio.client.envelope import Identity, Opening, read, spelt
from amtrio.client.payload import unpacked
from amtrio.public_keys import check_signature
from tests.vectors.encryption import AGENT, CONVERSATION, USER, agreement_key, bundle, described, identity, vectors

FILE = Path(__file__).parent.parent / "vectors" / "encryption.json"
PARTIES = Parties(USER, AGENT, CONVERSATION)


def begun(*, with_one_time_key: bool = True) -> tuple[Agreed, Opening]:
    peer = bundle(with_one_time_key=with_one_time_key)
    return initiate(identity("initiator"), agreement_key("ephemeral"), peer, PARTIES)


def answered(opening: Opening, parties: Parties = PARTIES) -> Agreed:
    once = agreement_key("one-time key") if opening.one_time is not None else None
    return respond(identity("responder"), agreement_key("prekey"), once, opening, parties)


def test_the_vectors_are_what_this_program_makes() -> None:
    """
    Byte by byte; the other language's program reads and makes the same.
    """
    assert json.loads(FILE.read_text()) == vectors()


@pytest.mark.parametrize("session", vectors()["sessions"], ids=["with a one-time key", "without"])
def test_the_one_who_is_written_to_opens_every_message(session: dict[str, Any]) -> None:
    """
    By its own half of the keys, and the first message's header alone.
    """
    first = next(each for each in session["messages"] if each["is_opening"])
    opening = read(first["ciphertext"]).opening
    assert opening is not None
    agreed = answered(opening)
    assert (spelt(agreed.session_id), spelt(agreed.root)) == (session["session_id"], session["root"])
    for each in session["messages"]:
        role: Role = each["role"]
        place = Place(CONVERSATION, USER if role == "initiator" else AGENT)
        envelope = read(each["ciphertext"])
        said = unseal(agreed.root, role, place, envelope)
        assert envelope.has_files == bool(each["files"])
        if envelope.has_files:
            stored = [Attachment(attachment_id=file["attachment_id"]) for file in each["files"]]
            said, files, _ = unpacked(said, stored)
            assert [described(file) for file in files] == each["files"]
        assert said == each["text"]


@pytest.mark.parametrize(
    "parties",
    [
        Parties("user:usr_02", AGENT, CONVERSATION),
        Parties(USER, "agent:other", CONVERSATION),
        Parties(USER, AGENT, "conv_02"),
    ],
)
def test_a_session_is_worth_nothing_elsewhere(parties: Parties) -> None:
    """
    For other accounts or another conversation the same keys make another secret.
    """
    agreed, opening = begun()
    assert answered(opening) == agreed
    elsewhere = answered(opening, parties)
    assert elsewhere.session_id != agreed.session_id
    assert elsewhere.root != agreed.root


def test_whoever_begins_cannot_claim_another_signing_key() -> None:
    """
    The safety number has it in it.
    """
    agreed, opening = begun()
    claimed = replace(opening, initiator=replace(opening.initiator, signing=identity("responder").public.signing))
    assert answered(claimed) != agreed


def test_keys_of_low_order_are_refused_on_both_sides() -> None:
    """
    With one, everybody would know the secret.
    """
    bad = replace(bundle(with_one_time_key=True), one_time=bytes(32))
    with pytest.raises(CannotEncrypt):
        initiate(identity("initiator"), agreement_key("ephemeral"), bad, PARTIES)
    _, opening = begun()
    with pytest.raises(Unreadable, match="tampered"):
        answered(replace(opening, ephemeral=bytes(32)))


def test_the_server_takes_the_signature_as_one_over_the_context() -> None:
    """
    Which is what whoever takes the bundle asks for.
    """
    published = bundle(with_one_time_key=False)
    require_signed(published)
    signed = check_signature(
        published.prekey,
        spelt(published.signature),
        identity=published.owner.identity,
        signing_key=published.owner.signing,
    )
    assert signed == ("ed25519", "context")


def test_a_prekey_that_its_owner_did_not_sign_is_refused() -> None:
    """
    Another prekey, another identity, another or no signing key.
    """
    good, key = bundle(with_one_time_key=False), agreement_key("some").public_key().public_bytes_raw()
    owner = good.owner
    for bad in (
        replace(good, prekey=key),
        replace(good, owner=replace(owner, identity=key)),
        replace(good, owner=replace(owner, signing=identity("initiator").public.signing)),
        replace(good, owner=replace(owner, signing=b"\xff" * 32)),
        replace(good, signature=bytes(64)),
    ):
        with pytest.raises(CannotEncrypt, match="not signed"):
            require_signed(bad)


def test_nothing_that_was_changed_or_moved_is_opened() -> None:
    """
    Each byte of header and ciphertext, the conversation, the sender and the direction count.
    """
    agreed, opening = begun()
    place = Place(CONVERSATION, USER)
    text = seal(agreed, opening, "initiator", place, bytes(32), "secret")
    envelope = read(text)
    assert unseal(agreed.root, "initiator", place, envelope) == "secret"
    whole = envelope.header + envelope.sealed
    for at in range(len(whole)):
        with pytest.raises(Unreadable):
            unseal(agreed.root, "initiator", place, read(spelt(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])))
    with pytest.raises(Unreadable, match="tampered"):
        unseal(agreed.root, "initiator", place, read(spelt(whole[:1] + bytes([whole[1] | 4]) + whole[2:])))
    for elsewhere in (Place("conv_02", USER), Place(CONVERSATION, "user:usr_02"), Place(CONVERSATION, AGENT)):
        with pytest.raises(Unreadable, match="tampered"):
            unseal(agreed.root, "initiator", elsewhere, envelope)
    with pytest.raises(Unreadable, match="tampered"):
        unseal(agreed.root, other("initiator"), place, envelope)
    with pytest.raises(Unreadable, match="tampered"):
        unseal(bytes(32), "initiator", place, envelope)


def test_the_safety_number_is_the_same_from_both_sides_and_changes_with_any_key() -> None:
    """
    60 digits, of identities, signing keys and accounts.
    """
    one, two = (USER, identity("initiator").public), (AGENT, identity("responder").public)
    number = safety_number(one, two)
    assert number == safety_number(two, one) == vectors()["safety_number"]
    assert len(number) == 60
    assert number.isdecimal()
    fresh = OwnIdentity(X25519PrivateKey.generate(), Ed25519PrivateKey.generate()).public
    for changed in (
        ("agent:other", two[1]),
        (AGENT, Identity(fresh.identity, two[1].signing)),
        (AGENT, Identity(two[1].identity, fresh.signing)),
    ):
        assert safety_number(one, changed) != number


def test_a_signature_is_good_for_its_prekey_alone() -> None:
    """
    As the server checks it, too.
    """
    own, prekey = identity("responder"), agreement_key("prekey").public_key().public_bytes_raw()
    assert sign(own, prekey) == bundle(with_one_time_key=False).signature
