"""Access tokens: what older servers and clients understand, and what nobody may forge."""

from __future__ import annotations

import base64
import hmac
import json

import jwt
import pytest

from amtrio.errors import Unauthorized
from amtrio.tokens import MAX_TOKEN_CHARS, Claims, fingerprint, link_signature, same, sign, verify

SECRET = "a secret of the tests, long enough"
CLAIMS = Claims("user_1", "alice", "ses_1", 2_000_000_000_000_000)
AT = 1_900_000_000_000_000


def test_what_was_signed_is_verified() -> None:
    token = sign(SECRET, CLAIMS, at_us=AT)
    assert verify(SECRET, token, at_us=AT) == CLAIMS
    raw = jwt.decode(token, options={"verify_signature": False})
    assert raw == {
        "user_id": "user_1", "username": "alice", "iss": "agent-messenger", "iat": 1_900_000_000,
        "exp": 2_000_000_000, "sid": "ses_1",
    }  # fmt: skip
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT"}


def test_it_ends_at_its_second_by_the_clock_that_is_given() -> None:
    """Not by the machine's."""
    token = sign(SECRET, CLAIMS, at_us=AT)
    assert verify(SECRET, token, at_us=CLAIMS.expires_us - 1) == CLAIMS
    with pytest.raises(Unauthorized, match="expired"):
        verify(SECRET, token, at_us=CLAIMS.expires_us)
    assert verify(SECRET, token, at_us=0) == CLAIMS, "a clock that was set back makes no token invalid"


def test_a_token_of_the_older_server_has_no_session() -> None:
    token = jwt.encode({"user_id": "u", "username": "n", "iss": "agent-messenger", "exp": 2_000_000_000}, SECRET)
    assert verify(SECRET, token, at_us=AT) == Claims("u", "n", "", 2_000_000_000_000_000)


GOOD = {"user_id": "u", "username": "n", "iss": "agent-messenger", "exp": 2_000_000_000, "sid": "s"}


@pytest.mark.parametrize(
    "change",
    [
        {"user_id": ""}, {"user_id": 1}, {"user_id": None}, {"sid": 1}, {"sid": None}, {"iss": "x"}, {"iss": None},
        {"exp": "soon"}, {"exp": None}, {"exp": True},
    ],
)  # fmt: skip
def test_claims_of_another_shape_are_refused(change: dict[str, object]) -> None:
    """Rightly signed, wrong all the same; a refusal, never another exception."""
    with pytest.raises(Unauthorized):
        verify(SECRET, _signed(GOOD | change), at_us=AT)


def _signed(claims: object, header: dict[str, str] | None = None) -> str:
    """Sign anything, also what the library would not."""
    parts = [
        base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=")
        for each in (header or {"alg": "HS256", "typ": "JWT"}, claims)
    ]
    algorithm = jwt.get_algorithm_by_name("HS256")
    signature = algorithm.sign(b".".join(parts), algorithm.prepare_key(SECRET))
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


@pytest.mark.parametrize("claims", [[], "text", 5, None, {"exp": 1e400}, {**GOOD, "exp": float("nan")}])
def test_a_signed_text_that_is_no_claims(claims: object) -> None:
    with pytest.raises(Unauthorized):
        verify(SECRET, _signed(claims), at_us=AT)


@pytest.mark.parametrize("algorithm", ["none", "HS384", "RS256", ""])
def test_only_our_algorithm_counts(algorithm: str) -> None:
    with pytest.raises(Unauthorized):
        verify(SECRET, _signed(GOOD, {"alg": algorithm}), at_us=AT)


def test_another_secret_or_a_changed_letter_is_refused() -> None:
    token = sign(SECRET, CLAIMS, at_us=AT)
    with pytest.raises(Unauthorized, match="signature"):
        verify(SECRET + "x", token, at_us=AT)
    head, body, tail = token.split(".")
    forged = base64.urlsafe_b64encode(json.dumps(GOOD).encode()).rstrip(b"=").decode()
    with pytest.raises(Unauthorized, match="signature"):
        verify(SECRET, f"{head}.{forged}.{tail}", at_us=AT)
    with pytest.raises(Unauthorized):
        verify(SECRET, f"{head}.{body}", at_us=AT)


@pytest.mark.parametrize("token", ["", "x", "..", "a.b.c", "é.é.é", "x" * (MAX_TOKEN_CHARS + 1), "\ud800", "\x00"])
def test_what_is_no_token(token: str) -> None:
    with pytest.raises(Unauthorized):
        verify(SECRET, token, at_us=AT)


def test_fingerprints_tell_secrets_apart() -> None:
    assert len(fingerprint("agt_x")) == 64
    assert fingerprint("agt_x") != fingerprint("agt_y")
    assert fingerprint("\ud800")
    assert same("ä", "ä")
    assert not same("a", "b")
    assert not same("", "b")


def test_a_link_is_good_for_its_own_path_and_time_alone() -> None:
    """And its key is none of the tokens': the same text signed as a token is another signature."""
    good = link_signature("secret", "/a", 5)
    assert good == link_signature("secret", "/a", 5)
    others = {link_signature("secret", "/b", 5), link_signature("secret", "/a", 6), link_signature("other", "/a", 5)}
    assert good not in others
    assert good != hmac.digest(b"secret", b"5\n/a", "sha256").hex()
