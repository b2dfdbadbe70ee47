"""Sign and verify with ES256 keys in PEM files; what is signed is decided elsewhere (chữ ký số)."""

from __future__ import annotations

import base64
import hashlib
import os
import stat
from pathlib import Path

import orjson
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from lienthong.dictionary.governance_refusals import SigningKeyRefused

KEY_FILE_BYTES_MAX = 10_000
COORDINATE_BYTES = 32


def thumbprint(key: ec.EllipticCurvePublicKey) -> str:
    """Return the JWK thumbprint of a public key (RFC 7638)."""
    numbers = key.public_numbers()
    jwk = {"crv": "P-256", "kty": "EC", "x": _coordinate(numbers.x), "y": _coordinate(numbers.y)}
    return _encoded(hashlib.sha256(orjson.dumps(jwk, option=orjson.OPT_SORT_KEYS)).digest())


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode("ascii").rstrip("=")


def _coordinate(value: int) -> str:
    return _encoded(value.to_bytes(COORDINATE_BYTES, "big"))


class PemSigner:
    """A ``Signer`` over a private key that never leaves this object."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key
        self.key_id = thumbprint(key.public_key())

    def __repr__(self) -> str:
        return f"PemSigner({self.key_id})"

    def sign(self, message: bytes) -> bytes:
        """Return an ES256 signature, 64 bytes."""
        r, s = decode_dss_signature(self._key.sign(message, ec.ECDSA(SHA256())))
        return r.to_bytes(COORDINATE_BYTES, "big") + s.to_bytes(COORDINATE_BYTES, "big")


class PemVerifier:
    """A ``Verifier`` over a public key."""

    def __init__(self, key: ec.EllipticCurvePublicKey) -> None:
        self._key = key
        self.key_id = thumbprint(key)

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Return whether the signature is this key's over the message."""
        if len(signature) != 2 * COORDINATE_BYTES:
            return False
        r = int.from_bytes(signature[:COORDINATE_BYTES], "big")
        s = int.from_bytes(signature[COORDINATE_BYTES:], "big")
        try:
            self._key.verify(encode_dss_signature(r, s), message, ec.ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True


def load_signer(path: Path) -> PemSigner:
    """Return the signer of a PEM file that nobody but its owner can read.

    Raises:
        SigningKeyRefused: the file is open to others, or holds no private key on P-256.
    """
    try:
        # The mode is asked of the file that is read, not of a name that may lead elsewhere a moment later.
        with path.open("rb") as file:
            about = os.fstat(file.fileno())
            _check_private(path, about)
            content = file.read(KEY_FILE_BYTES_MAX + 1)
    except OSError as cause:
        raise SigningKeyRefused(path=path, reason=cause.strerror or "it cannot be read") from cause
    try:
        key = load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as cause:
        raise SigningKeyRefused(path=path, reason="it holds no private key in PEM without a passphrase") from cause
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise SigningKeyRefused(path=path, reason="the key is not an EC key on P-256")
    return PemSigner(key)


def _check_private(path: Path, about: os.stat_result) -> None:
    mode = stat.S_IMODE(about.st_mode)
    if not stat.S_ISREG(about.st_mode):
        raise SigningKeyRefused(path=path, reason="it is not a plain file")
    if mode & 0o177:
        raise SigningKeyRefused(path=path, reason=f"its mode is {mode:04o}, so others may use it: chmod 600")
    if about.st_uid != os.geteuid():
        raise SigningKeyRefused(path=path, reason="it belongs to another account")
    if about.st_size > KEY_FILE_BYTES_MAX:
        raise SigningKeyRefused(path=path, reason=f"it is larger than {KEY_FILE_BYTES_MAX} bytes")


def load_verifier(path: Path) -> PemVerifier:
    """Return the verifier of a PEM file with a public key.

    Raises:
        SigningKeyRefused: it cannot be read or holds no public key on P-256.
    """
    try:
        with path.open("rb") as file:
            content = file.read(KEY_FILE_BYTES_MAX + 1)
        key = load_pem_public_key(content)
    except OSError as cause:
        raise SigningKeyRefused(path=path, reason=cause.strerror or "it cannot be read") from cause
    except (ValueError, TypeError, UnsupportedAlgorithm) as cause:
        raise SigningKeyRefused(path=path, reason="it holds no public key in PEM") from cause
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise SigningKeyRefused(path=path, reason="the key is not an EC key on P-256")
    return PemVerifier(key)
