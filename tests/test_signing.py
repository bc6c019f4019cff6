"""Keys as operators hand them over, and what is signed with them."""

from __future__ import annotations

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from amtrio.clock import SystemClock
from amtrio.signing import BadKey, base64url, from_base64url, p256_key, public_point, rsa_key, signed

KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize(
    "text",
    [
        base64url(KEY.private_numbers().private_value.to_bytes(32)),
        base64url(KEY.private_numbers().private_value.to_bytes(32)) + "=",
        base64url(KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())),
        pem(KEY),
        pem(KEY).replace("\n", "\\n"),
        KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode(),
    ],
    # The key is another one in each process, the tests' names are not.
    ids=["number", "padded number", "DER", "PEM", "PEM in one line", "older PEM"],
)
def test_a_key_is_understood_however_it_is_written(text: str) -> None:
    assert public_point(p256_key(text)) == public_point(KEY)


@pytest.mark.parametrize("number", [0, 2**256 - 1])
def test_any_32_bytes_are_a_key(number: int) -> None:
    """Ours are made of chance alone."""
    assert len(public_point(p256_key(base64url(number.to_bytes(32))))) == 65
    assert len(public_point(p256_key(SystemClock().new_secret()))) == 65


@pytest.mark.parametrize(
    "text", ["", "no key", "AAAA", "*" * 43, pem(RSA_KEY), pem(ec.generate_private_key(ec.SECP384R1())), "-----BEGIN x"]
)
def test_what_is_no_key_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(BadKey, match=r"^must be a private key on P-256: PEM, or base64url of its 32 bytes$"):
        p256_key(text)


@pytest.mark.parametrize("text", ["", "no key", pem(KEY), "-----BEGIN x"])
def test_what_is_no_rsa_key_is_refused(text: str) -> None:
    with pytest.raises(BadKey, match=r"^must be a private RSA key"):
        rsa_key(text)


def test_others_can_check_what_is_signed() -> None:
    """The algorithm is the key's; the key's name stands in the header if it has one."""
    token = signed({"iss": "us"}, p256_key(pem(KEY)), key_id="K1")
    assert jwt.decode(token, KEY.public_key(), algorithms=["ES256"]) == {"iss": "us"}
    assert jwt.get_unverified_header(token)["kid"] == "K1"
    token = signed({"iss": "us"}, rsa_key(pem(RSA_KEY)))
    assert jwt.decode(token, RSA_KEY.public_key(), algorithms=["RS256"]) == {"iss": "us"}
    assert "kid" not in jwt.get_unverified_header(token)


def test_base64_in_all_its_spellings() -> None:
    """Browsers leave the padding out, and some programs use the plain alphabet."""
    assert base64url(b"\xff\xfe\xfd\xfc") == "__79_A"
    for text in ("__79_A", "__79_A==", "//79/A==", "//79/A"):
        assert from_base64url(text) == b"\xff\xfe\xfd\xfc"
    for text in ("a", "__79 _A", "*"):
        with pytest.raises(ValueError, match="not base64url"):
            from_base64url(text)
