"""Which words are Vietnamese syllables, by the spelling rules (âm tiết tiếng Việt: âm đầu, vần, thanh).

A syllable is an onset, a rhyme and one of six tones; a rhyme that ends in p, t, c or ch takes only sắc or nặng. The
grammar knows no dictionary: it accepts every syllable that could be written, and refuses names of other languages of
Vietnam (Đăk, Krông, H'Leo). So it judges columns, never a single name.
"""

from __future__ import annotations

import functools
from collections.abc import Container
from dataclasses import dataclass
from unicodedata import normalize

import polars as pl

# ── the grammar ─────────────────────────────────────────────────────────────────────────────────────────────

_ONSETS = "b c ch d đ g gh gi h k kh l m n ng ngh nh p ph qu r s t th tr v x"
_RHYMES = (
    "a ac ach ai am an ang anh ao ap at au ay "
    "ăc ăm ăn ăng ăp ăt "
    "âc âm ân âng âp ât âu ây "
    "e ec em en eng eo ep et "
    "ê êch êm ên êng ênh êp êt êu "
    "i ia ich iêc iêm iên iêng iêp iêt iêu im in inh ip it iu "
    "o oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt oc oe oen oeo oet oi om on ong "
    "ooc oong op ot "
    "ô ôc ôi ôm ôn ông ôp ôt "
    "ơ ơi ơm ơn ơp ơt "
    "u ua uân uâng uât uây uc uê uêch uênh ui um un ung uơ uôc uôi uôm uôn uông uôt up ut uy uya uych uyên uyêt "
    "uynh uyp uyt uyu "
    "ư ưa ưc ưi ưng ươc ươi ươm ươn ương ươp ươt ươu ưt ưu ưm "
    "y yêm yên yêng yêt yêu ych yn ynh yp yt"
)
ONSETS = tuple(_ONSETS.split())
RHYMES = tuple(_RHYMES.split())
STOPS = ("p", "t", "c", "ch")
LEVEL, GRAVE, ACUTE, HOOK, TILDE, DOT = "", "\u0300", "\u0301", "\u0309", "\u0303", "\u0323"
TONES = (LEVEL, GRAVE, ACUTE, HOOK, TILDE, DOT)  # ngang, huyền, sắc, hỏi, ngã, nặng
STOP_TONES = frozenset({ACUTE, DOT})

_FRONT = tuple("eêi")  # before them c, g, ng are written k or q, gh, ngh
_NEED_FRONT = frozenset({"gh", "ngh"})
_BAR_FRONT = frozenset({"c", "g", "ng"})
_ONLY_AFTER_QU = frozenset({"ych", "yn", "ynh", "yp", "yt"})
_ONLY_ALONE = frozenset({"yêm", "yên", "yêng", "yêt", "yêu"})  # elsewhere written with i; qu keeps the y
_QUALITY = "ăâêôơư"
_VOWELS = frozenset("aăâeêioôơuưy")
_OPEN_PAIRS = frozenset({"oa", "oe", "uy"})  # where the two styles of the tone mark differ


@dataclass(frozen=True, kw_only=True, slots=True)
class Syllable:
    """A syllable taken apart, in small letters without its tone mark."""

    onset: str
    rhyme: str
    tone: str  # a combining mark, or nothing

    def spelled(self, *, new_style: bool) -> str:
        """Write it with the tone mark where the style wants it, in small letters, NFC."""
        at = len(self.onset) + _mark_place(self.onset, self.rhyme, new_style=new_style)
        bare = self.onset + self.rhyme
        if not self.tone:
            return bare
        return normalize("NFC", bare[: at + 1] + self.tone + bare[at + 1 :])


def _mark_place(onset: str, rhyme: str, *, new_style: bool) -> int:
    """Return at which letter of the rhyme the tone mark stands."""
    vowels = 0
    while vowels < len(rhyme) and rhyme[vowels] in _VOWELS:
        vowels += 1
    if onset == "gi" and not vowels:
        return -1  # gì, gìn: the i of the onset carries the mark
    for quality in reversed(range(vowels)):
        if rhyme[quality] in _QUALITY:
            return quality  # ươ carries it on the ơ, iê and yê on the ê
    if vowels == 1:
        return 0
    if rhyme in _OPEN_PAIRS:
        return 1 if new_style else 0
    if vowels < len(rhyme):
        return vowels - 1  # oan, uynh, oong: the vowel before the final consonant
    return 1 if vowels == 3 or rhyme.startswith(("oa", "oe")) else 0  # noqa: PLR2004 - oai, uya; ai, ia, ưa


def _fits(onset: str, rhyme: str) -> bool:
    """Say whether an onset is written before a rhyme."""
    if onset == "qu":
        return rhyme not in {"u", "ư"} and rhyme[0] not in "uư" and not rhyme.startswith(("oa", "oe", "oo"))
    if rhyme in _ONLY_AFTER_QU or (rhyme in _ONLY_ALONE and onset):
        return False
    front = rhyme[0] in _FRONT
    if onset in _NEED_FRONT:
        return front
    if onset in _BAR_FRONT:
        return not front and not (rhyme[0] == "y" and onset != "g")
    return not (onset == "gi" and rhyme[0] == "i")


def _parts() -> list[tuple[str, str]]:
    """Return every onset with every rhyme it is written before."""
    # gi before i loses one of the two: gì, gìn, giếng are g and i in letters.
    shortened = [("gi", rest) for rest in ("", "n", "m", "êc", "êm", "ên", "êng", "êt", "êu")]
    pairs = [(onset, rhyme) for onset in ("", *ONSETS) for rhyme in RHYMES if _fits(onset, rhyme)]
    seen = set(pairs)
    return pairs + [pair for pair in shortened if pair not in seen]


@functools.cache
def spellings() -> dict[str, Syllable]:
    """Return every syllable by its spelling in small letters, NFC, in both styles of the tone mark."""
    found: dict[str, Syllable] = {}
    for onset, rhyme in _parts():
        stopped = rhyme.endswith(STOPS)
        for tone in TONES:
            if stopped and tone not in STOP_TONES:
                continue
            syllable = Syllable(onset=onset, rhyme=rhyme, tone=tone)
            for new_style in (False, True):
                found.setdefault(syllable.spelled(new_style=new_style), syllable)
    return found


# ── words ───────────────────────────────────────────────────────────────────────────────────────────────────


def is_syllable(word: str) -> bool:
    """Say whether a word is a Vietnamese syllable in small letters, with a first capital, or in capitals.

    Composed and decomposed spellings are the same word; the tone mark may stand by the old or the new style.
    """
    composed = normalize("NFC", word)
    return has_legal_case(composed) and composed.lower() in spellings()


def has_legal_case(word: str) -> bool:
    """Say whether a word is small, capital, or begins with a capital."""
    return word in {word.lower(), word.upper(), word[:1].upper() + word[1:].lower()}


def parse(word: str) -> Syllable | None:
    """Take a word apart wherever its tone mark stands ("hòan", "qúy"); None where it is no syllable."""
    decomposed = normalize("NFD", word.lower())
    marks = [each for each in decomposed if each in TONES]
    if len(marks) > 1:
        return None
    bare = normalize("NFC", "".join(each for each in decomposed if each not in TONES))
    found = _bare().get(bare)
    if found is None:
        return None
    tone = marks[0] if marks else LEVEL
    if found[1].endswith(STOPS) and tone not in STOP_TONES:
        return None
    return Syllable(onset=found[0], rhyme=found[1], tone=tone)


@functools.cache
def _bare() -> dict[str, tuple[str, str]]:
    """Return onset and rhyme of every spelling without a tone."""
    found: dict[str, tuple[str, str]] = {}
    for onset, rhyme in _parts():
        found.setdefault(onset + rhyme, (onset, rhyme))
    return found


# ── columns ─────────────────────────────────────────────────────────────────────────────────────────────────


def are_syllables(words: pl.Series, *, any_case: bool = False) -> pl.Series:
    """Say of each word (NFC) whether it is a syllable; ``any_case`` forgives small letters among capitals.

    Give it distinct words: a column has few, and each is looked up on its own.
    """
    small = words.str.to_lowercase()
    legal = found_in(small, spellings())
    return legal if any_case else legal & are_well_cased(words, small)


def are_well_cased(words: pl.Series, small: pl.Series) -> pl.Series:
    """Say of each word whether it is small, capital, or begins with a capital; ``small`` are the words so."""
    return (words.str.slice(1) == small.str.slice(1)) | (words == words.str.to_uppercase())


def found_in(words: pl.Series, known: Container[str]) -> pl.Series:
    """Say of each word whether it is known; null is not."""
    return pl.Series(words.name, [word in known for word in words.to_list()], dtype=pl.Boolean)
