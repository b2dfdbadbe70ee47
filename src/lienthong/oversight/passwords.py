"""Passwords: what is taken as one, and how it is kept: as a memory-hard hash with its own parameters (mật khẩu)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final
from unicodedata import normalize

from lienthong.oversight.officer_refusals import PasswordRefused

PASSWORD_LETTERS_MIN: Final = 12
PASSWORD_LETTERS_MAX: Final = 200
DIFFERENT_LETTERS_MIN: Final = 5
NAME_LETTERS_TOLD: Final = 4  # a shorter name may stand inside a password by chance
SALT_BYTES: Final = 16
HASH_BYTES: Final = 32
# scrypt with 32 MiB a try; the parameters stand in every row, so that they can grow later.
COST, BLOCK, LANES = 2**15, 8, 3
COST_MAX: Final = 2**20
OBVIOUS: Final = ("password", "matkhau", "lienthong", "qwerty", "123456", "abcdef", "vietnam", "admin")
_OBVIOUS_SHARE: Final = 2  # an obvious word may be less than half of a password


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptPassword:
    """A password as it is kept."""

    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)
    cost: int
    block: int
    lanes: int


def keep(password: str, *, salt: bytes) -> KeptPassword:
    """Return what to keep of a password; the salt is fresh chance from outside."""
    assert len(salt) == SALT_BYTES, "a salt has its full length"
    digest = _digest(password, salt=salt, cost=COST, block=BLOCK, lanes=LANES)
    return KeptPassword(salt=salt, digest=digest, cost=COST, block=BLOCK, lanes=LANES)


def is_right(password: str, kept: KeptPassword) -> bool:
    """Return whether a password is the one that was kept, in a time that does not depend on where it differs."""
    digest = _digest(password, salt=kept.salt, cost=kept.cost, block=kept.block, lanes=kept.lanes)
    return hmac.compare_digest(digest, kept.digest)


def nobodys(salt: bytes) -> KeptPassword:
    """Return what no password fits: checking against it costs what checking a real one does."""
    return KeptPassword(salt=salt, digest=bytes(HASH_BYTES), cost=COST, block=BLOCK, lanes=LANES)


def _digest(password: str, *, salt: bytes, cost: int, block: int, lanes: int) -> bytes:
    # Composed and decomposed spellings are the same password whatever keyboard it was typed on.
    typed = normalize("NFC", password[: PASSWORD_LETTERS_MAX + 1]).encode("utf-8", "surrogatepass")
    memory = 128 * block * (cost + lanes + 2)
    return hashlib.scrypt(typed, salt=salt, n=cost, r=block, p=lanes, maxmem=memory * 2, dklen=HASH_BYTES)


def check_password(password: str, *, name: str, full_name: str = "") -> None:
    """Refuse a password that others would guess.

    Raises:
        PasswordRefused: says which rule, never the password.
    """
    if len(password) < PASSWORD_LETTERS_MIN:
        raise _refused("short", f"it has fewer than {PASSWORD_LETTERS_MIN} characters")
    if len(password) > PASSWORD_LETTERS_MAX:
        raise _refused("long", f"it has more than {PASSWORD_LETTERS_MAX} characters")
    if not password.isprintable():
        raise _refused("unprintable", "it holds characters that cannot be typed again")
    folded = _folded(password)
    if len(set(folded)) < DIFFERENT_LETTERS_MIN:
        raise _refused("monotonous", f"it has fewer than {DIFFERENT_LETTERS_MIN} different characters")
    own = {_folded(name), _folded(full_name)}
    if any(len(each) >= NAME_LETTERS_TOLD and each in folded for each in own):
        raise _refused("name", "it holds the name of the account or of the person")
    if any(each in folded and len(each) * _OBVIOUS_SHARE >= len(folded) for each in OBVIOUS) or _is_run(folded):
        raise _refused("obvious", "it is one of the first that anybody would try")


def _refused(rule: str, reason: str) -> PasswordRefused:
    return PasswordRefused(rule=rule, reason=reason, least=PASSWORD_LETTERS_MIN)


def _folded(text: str) -> str:
    plain = normalize("NFD", text.casefold().replace("đ", "d"))
    return "".join(sign for sign in plain if sign.isalnum())


def _is_run(text: str) -> bool:
    """Return whether characters only count up or down, or one piece is repeated."""
    steps = {ord(after) - ord(before) for before, after in pairwise(text)}
    # On a keyboard 0 stands behind 9.
    if text.isdecimal():
        steps = {(step + 1) % 10 - 1 for step in steps}
    if steps in ({1}, {-1}):
        return True
    return any(text == (text[:size] * len(text))[: len(text)] for size in range(1, len(text) // 3 + 1))
