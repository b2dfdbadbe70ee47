"""Access keys: made from random bytes the caller brings, kept as a fingerprint only (khóa truy cập)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import NewType

AccessKey = NewType("AccessKey", str)

KEY_PREFIX = "lt_"  # lets a scanner of repositories and logs recognise a key that leaked
KEY_RANDOM_BYTES = 32
FINGERPRINT_BYTES = 32
_SHAPE = re.compile(r"lt_[A-Za-z0-9_-]{43}", re.ASCII)


def make_key(random: bytes) -> AccessKey:
    """Return a key over random bytes of the system's generator."""
    assert len(random) == KEY_RANDOM_BYTES, f"a key is made from {KEY_RANDOM_BYTES} random bytes"
    return AccessKey(KEY_PREFIX + base64.urlsafe_b64encode(random).decode("ascii").rstrip("="))


def parse_key(text: str) -> AccessKey | None:
    """Return a text as a key if it has the shape of one; the rest is not worth a question to the register."""
    return AccessKey(text) if _SHAPE.fullmatch(text) else None


def fingerprint(key: AccessKey) -> bytes:
    """Return what the register keeps.

    A key holds 256 random bits, so one round of SHA-256 without salt cannot be searched.
    """
    return hashlib.sha256(key.encode("ascii")).digest()


def matches(key: AccessKey, stored: bytes) -> bool:
    """Return whether a fingerprint is this key's, in a time that does not depend on where they differ."""
    return hmac.compare_digest(fingerprint(key), stored)
