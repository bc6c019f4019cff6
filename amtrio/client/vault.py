"""An account's keys in a file, and all that is done with them: published, agreed with, sealed and opened with.

Knows REST routes, messages and the file. Knows nothing of handlers and runs. What is computed stands in `encryption`.
Source: docs/discussion/encryption.md.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeVar
from urllib.parse import quote

import anyio.to_thread
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from amtrio.client.connection import new_client_id
from amtrio.client.encryption import (
    Bundle,
    OwnIdentity,
    Parties,
    Place,
    initiate,
    other,
    require_signed,
    respond,
    safety_number,
    seal,
    sign,
    unseal,
)
from amtrio.client.envelope import (
    FORMAT,
    MAX_TEXT_BYTES,
    SALT_BYTES,
    SIGNATURE_BYTES,
    Envelope,
    Identity,
    key_of,
    read,
    spelt,
)
from amtrio.client.errors import CannotEncrypt, Refused, Unreadable
from amtrio.client.events import Message
from amtrio.client.payload import packed, unpacked
from amtrio.client.rest import Rest
from amtrio.client.shapes import SealedAttachment
from amtrio.client.vault_file import VaultFile, row
from amtrio.client.vault_rows import Session, keep, note, own_of, prekey_of, public_of, session_of

# The server keeps 200; each new session with us takes one.
_ONE_TIME_KEYS: Final = 100
_TOP_UP_BELOW: Final = 50
Met = Literal["known", "new", "changed"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Opened:
    """
    What an encrypted message says.

    Attributes:
        session_id: to answer in. peer: the other side of it, as `user:ID` or `agent:ID`.
        peer_is: `new`, never met before; `changed`, it has other keys than when we met last; or `known`.
        files: those that it names and the server has. missing: names of those that the server does not have.
    """

    text: str
    session_id: bytes
    peer: str
    peer_is: Met
    files: tuple[SealedAttachment, ...] = ()
    missing: tuple[str, ...] = ()


class Vault:
    """
    The keys of one account on one server. Who has the file can read everything that was encrypted for it.

    Args:
        path: of the file; made, readable by its owner only, when it is needed first. Keep it: without it, nobody reads
            what people wrote, and they are told that the keys have changed.
        accepts_changed: whether somebody may come with other keys than before, as a person does who goes on in another
            browser. Else such messages are unreadable (`changed`) until `forget` is called.

    What touches the file raises `OSError` or `sqlite3.Error` if the disk refuses.
    """

    def __init__(self, path: Path | str, *, accepts_changed: bool = True) -> None:
        self.path = Path(path)
        self._file = VaultFile(self.path)
        self._accepts_changed = accepts_changed
        self._account = ""

    def claim(self, account: str) -> None:
        """
        Say whose it is, as `user:ID` or `agent:ID`; keys are made if there are none.

        Raises:
            ValueError: it is somebody else's.
        """
        with self._file.transaction() as file:
            found = row(file, "SELECT account FROM own")
            if found is None:
                prekey = X25519PrivateKey.generate()
                keys = X25519PrivateKey.generate().private_bytes_raw(), Ed25519PrivateKey.generate().private_bytes_raw()
                file.execute("INSERT INTO own VALUES (?, ?, ?, ?)", (account, *keys, public_of(prekey)))
                file.execute("INSERT INTO prekey VALUES (?, ?)", (public_of(prekey), prekey.private_bytes_raw()))
            elif found[0] != account:
                raise ValueError(f"{self.path} holds the keys of {found[0]}, not of {account}")
        self._account = account

    async def publish(self, rest: Rest, account: str) -> None:
        """
        Make sure that the server has the public halves, with enough one-time keys; other keys there are replaced.

        Raises:
            Refused: the server said no. Unreachable: nobody answered. ValueError: the keys are another account's.
        """
        await self._in_thread(self.claim, account)
        own, prekey = await self._in_thread(self._own)
        published = await _bundle(rest, "GET", account)
        known = published.get("identity_key") or {}
        is_same = (key_of(known.get("public_key")), key_of(known.get("signing_key"))) == _both(own.public)
        if not is_same:
            identity, signing = map(spelt, _both(own.public))
            await rest.call("PUT", "/keys/identity", body={"public_key": identity, "signing_key": signing})
        signed = published.get("signed_prekey") or {}
        if not is_same or key_of(signed.get("public_key")) != prekey:
            body = {"public_key": spelt(prekey), "signature": spelt(sign(own, prekey))}
            await rest.call("PUT", "/keys/signed-prekey", body=body)
        left = (await rest.call("GET", "/keys/one-time-prekeys/count"))["count"]
        if left < _TOP_UP_BELOW:
            # Here first: the server must never hand out a key whose private half nobody has.
            made = await self._in_thread(self._more_keys, _ONE_TIME_KEYS - left)
            keys = [{"public_key": spelt(each)} for each in made]
            await rest.call("POST", "/keys/one-time-prekeys", body={"keys": keys, "client_id": new_client_id()})

    async def begin(self, rest: Rest, conversation_id: str, peer: str) -> None:
        """
        Begin a (new) session in a conversation; what is sealed from now on is in it. After `publish`.

        Raises:
            CannotEncrypt: they have no keys, or not good ones, or others than before (if those are not accepted).
            Refused: the server said no. Unreachable: nobody answered.
        """
        found = await _bundle(rest, "POST", peer, client_id=new_client_id())
        await self._in_thread(self._begin, conversation_id, peer, _checked(found))

    async def seal(
        self,
        conversation_id: str,
        text: str,
        files: Sequence[SealedAttachment] = (),
        *,
        session_id: bytes | None = None,
    ) -> dict[str, Any]:
        """
        The fields of the command `encrypted_message`, beside its place.

        Args:
            text: at most `MAX_TEXT_BYTES`, together with what has to be said of files; `pieces` cuts longer ones.
            files: own uploads, made by `Rest.upload_sealed`.
            session_id: which session; by default the one that `begin` made last.

        Raises:
            CannotEncrypt: there is no session. ValueError: the text is too long.
        """
        payload = packed(text, files) if files else text
        if len(payload.encode()) > MAX_TEXT_BYTES:
            raise ValueError(f"an encrypted message holds {MAX_TEXT_BYTES} bytes")
        fields = await self._in_thread(self._seal, conversation_id, payload, bool(files), session_id)
        return {**fields, "attachment_ids": [each.attachment_id for each in files]} if files else fields

    async def open(self, message: Message) -> Opened:
        """
        What an encrypted message says; one's own too, and as often as wanted.

        Raises:
            Unreadable: it says why.
        """
        return await self._in_thread(self._open, message)

    async def safety_number(self, peer: str) -> str | None:
        """60 digits to compare with what `peer` sees on another way; None if we never met."""
        return await self._in_thread(self._safety_number, peer)

    async def forget(self, peer: str) -> None:
        """Whatever keys `peer` comes with next are believed."""

        def forget() -> None:
            with self._file.transaction() as file:
                file.execute("DELETE FROM peer WHERE account = ?", (peer,))

        await self._in_thread(forget)

    def close(self) -> None:
        """The file is let go of; it is opened again when it is needed."""
        self._file.close()

    # ------------------------------------------------------------------------------------------------- in a thread

    async def _in_thread(self, step: Callable[..., T], *args: Any) -> T:
        return await anyio.to_thread.run_sync(step, *args)

    def _own(self) -> tuple[OwnIdentity, bytes]:
        with self._file.transaction() as file:
            return own_of(file)

    def _more_keys(self, count: int) -> list[bytes]:
        made = [X25519PrivateKey.generate() for _ in range(count)]
        with self._file.transaction() as file:
            rows = [(public_of(key), key.private_bytes_raw()) for key in made]
            file.executemany("INSERT INTO prekey VALUES (?, ?)", rows)
        return [public_of(key) for key in made]

    def _begin(self, conversation_id: str, peer: str, bundle: Bundle) -> None:
        with self._file.transaction() as file:
            own, _ = own_of(file)
            try:
                self._meet(file, peer, bundle.owner)
            except Unreadable as exc:
                raise CannotEncrypt(f"{peer} has other keys than before") from exc
            parties = Parties(self._account, peer, conversation_id)
            agreed, opening = initiate(own, X25519PrivateKey.generate(), bundle, parties)
            keep(file, Session(conversation_id, peer, bundle.owner.identity, "initiator", agreed, opening))
            file.execute("INSERT OR REPLACE INTO conversation VALUES (?, ?)", (conversation_id, agreed.session_id))

    def _seal(
        self,
        conversation_id: str,
        text: str,
        has_files: bool,  # noqa: FBT001 - what runs in a thread takes no names
        session_id: bytes | None,
    ) -> dict[str, Any]:
        with self._file.transaction() as file:
            own, _ = own_of(file)
            if session_id is None:
                current = row(file, "SELECT session_id FROM conversation WHERE id = ?", conversation_id)
                session_id = current[0] if current is not None else b""
            session = session_of(file, session_id)
        if session is None or session.conversation_id != conversation_id:
            raise CannotEncrypt("there is no session in this conversation")
        place = Place(conversation_id, self._account)
        salt = os.urandom(SALT_BYTES)
        sealed = seal(session.agreed, session.opening, session.role, place, salt, text, has_files=has_files)
        return {
            "ciphertext": sealed,
            # Its nonce is made with its key, so it brings none for the server to see.
            "algorithm": "opaque",
            "message_type": FORMAT,
            "sender_key_id": spelt(own.public.identity),
            "recipient_key_id": spelt(session.peer_identity),
        }

    def _open(self, message: Message) -> Opened:
        if (message.encryption or {}).get("message_type") != FORMAT:
            raise Unreadable("malformed")
        envelope = read(message.content)
        sender = f"{'agent' if message.sender_type == 'agent' else 'user'}:{message.sender_id}"
        is_own = sender == self._account
        with self._file.transaction() as file:
            known = session_of(file, envelope.session_id)
            session = known or self._answered(file, message, sender, envelope)
            # Whoever shares a session could seal in it what is said to be another's, or said elsewhere.
            if session.conversation_id != message.conversation_id or sender not in (self._account, session.peer):
                raise Unreadable("tampered")
            role = session.role if is_own else other(session.role)
            text = unseal(session.agreed.root, role, Place(message.conversation_id, sender), envelope)
            files: Sequence[SealedAttachment] = ()
            missing: Sequence[str] = ()
            if envelope.has_files:
                text, files, missing = unpacked(text, message.attachments)
            met: Met = "known"
            if known is None and envelope.opening is not None:
                met = self._meet(file, session.peer, envelope.opening.initiator)
            # What one says oneself may come again after the server came back from a backup.
            if not is_own:
                note(file, session, envelope, message.message_id)
        return Opened(text, envelope.session_id, session.peer, met, tuple(files), tuple(missing))

    def _answered(self, file: sqlite3.Connection, message: Message, sender: str, envelope: Envelope) -> Session:
        """The session that somebody else began with this message; not kept yet."""
        own, _ = own_of(file)
        opening, is_own = envelope.opening, sender == self._account
        # What the server says of the keys chooses between words, and nothing else.
        name = (message.encryption or {}).get("sender_key_id" if is_own else "recipient_key_id")
        is_ours = key_of(name) == own.public.identity
        if opening is None or is_own:
            raise Unreadable("unknown_session" if is_ours else "elsewhere")
        prekey = prekey_of(file, opening.prekey)
        one_time = prekey_of(file, opening.one_time) if opening.one_time is not None else None
        if prekey is None:
            raise Unreadable("lost_key" if is_ours else "elsewhere")
        if one_time is None and opening.one_time is not None:
            raise Unreadable("lost_key")
        parties = Parties(sender, self._account, message.conversation_id)
        agreed = respond(own, prekey, one_time, opening, parties)
        if agreed.session_id != envelope.session_id:
            raise Unreadable("tampered")
        return Session(message.conversation_id, sender, opening.initiator.identity, "responder", agreed, None)

    def _meet(self, file: sqlite3.Connection, peer: str, keys: Identity) -> Met:
        found = row(file, "SELECT identity, signing FROM peer WHERE account = ?", peer)
        if found == _both(keys):
            return "known"
        if found is not None and not self._accepts_changed:
            raise Unreadable("changed")
        file.execute("INSERT OR REPLACE INTO peer VALUES (?, ?, ?)", (peer, *_both(keys)))
        return "new" if found is None else "changed"

    def _safety_number(self, peer: str) -> str | None:
        with self._file.transaction() as file:
            own, _ = own_of(file)
            found = row(file, "SELECT identity, signing FROM peer WHERE account = ?", peer)
        if found is None:
            return None
        return safety_number((self._account, own.public), (peer, Identity(*found)))


def _both(keys: Identity) -> tuple[bytes, bytes]:
    return keys.identity, keys.signing


async def _bundle(rest: Rest, method: str, account: str, **body: str) -> dict[str, Any]:
    """As REST gives it; empty if there is none, or if it is none of our business."""
    kind, _, name = account.partition(":")
    try:
        found = await rest.call(method, f"/keys/bundles/{kind}/{quote(name, safe='')}", body=body or None)
    except Refused as exc:
        if exc.code != "not_found":
            raise
        return {}
    return found if isinstance(found, dict) else {}


def _checked(bundle: dict[str, Any]) -> Bundle:
    keys, signed, once = (bundle.get(name) or {} for name in ("identity_key", "signed_prekey", "one_time_prekey"))
    if not signed:
        raise CannotEncrypt("they have published no keys")
    identity, signing = key_of(keys.get("public_key")), key_of(keys.get("signing_key"))
    prekey, signature = key_of(signed.get("public_key")), key_of(signed.get("signature"), SIGNATURE_BYTES)
    one_time = key_of(once.get("public_key"))
    is_known = (signed.get("signature_scheme"), signed.get("signature_over")) == ("ed25519", "context")
    if not (is_known and identity and signing and prekey and signature and (one_time or not once)):
        raise CannotEncrypt("their prekey is signed in a way that is not known here")
    checked = Bundle(Identity(identity, signing), prekey, signature, one_time)
    require_signed(checked)
    return checked
