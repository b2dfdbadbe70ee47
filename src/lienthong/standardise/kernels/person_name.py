"""Names of people: plain text, first letters in capitals (họ và tên).

Rule: the rule of ``text``, then the first letter of every word is a capital and the others are small, also
after an apostrophe (H'Hen, K'Dương) and a hyphen; apostrophes and hyphens of all kinds become ' and -. "Ê ban"
stays as given.
Refused: digits and signs that no name holds ("Nguyễn Văn A2", "A@B"): no reading of them is a name.
Ambiguous: brackets, commas, slashes, quotes, "&", "+": two names, an alias or a note share the cell, and which
part is the name is for the agency to say. Lost letters ("Nguy?n") are kept and not cased: a rule reports them.
Sex is never inferred from a name, and its words are never put in another order.
"""

from __future__ import annotations

import unicodedata

import polars as pl

from lienthong.dictionary.model import Datatype, Source, Text, Trust
from lienthong.standardise.cleaning import Cleaned, clean, nowhere, put
from lienthong.standardise.kernel import BoundKernel, Kernel, KernelContext, KernelResult, settle
from lienthong.standardise.tone_marks import styled

# Letters with one capital and one small form, each a single NFC letter: Polars cases them right.
# Left out: ß ŉ ſ ĸ İ ı, whose other case is another number of letters.
_PLAIN = r"A-Za-zÀ-ÖØ-Þà-öø-ÿĀ-įĲ-ķĹ-ňŊ-žƠơƯưẠ-ỹ '.-"
_NOT_PLAIN = f"[^{_PLAIN}]|Ê ban"

_APOSTROPHES = r"[‘’‛ʼ´`′＇ʹ]"
_HYPHENS = r"[‐‑‒–—−]"
_SEVERAL = r'[()\[\]{}/\\,;:|"“”&+]'
_NO_NAME = r"""[^\p{L}\p{M} '.?\x{FFFD}()\[\]{}/\\,;:|"“”&+-]"""
_LOST = r"[?\x{FFFD}]"


def _bind(context: KernelContext) -> BoundKernel:
    return styled(_run, context.domain.tone_style)


def _run(source: pl.Series) -> KernelResult:
    cleaned = clean(source)
    odd = cleaned.text.str.contains(_NOT_PLAIN)
    if not odd.any():
        return settle(source, cleaned.text.str.to_titlecase(), refused=cleaned.refused)
    return _with_odd(source, cleaned, odd)


def _with_odd(source: pl.Series, cleaned: Cleaned, odd: pl.Series) -> KernelResult:
    text = cleaned.text.filter(odd).str.replace_all(_APOSTROPHES, "'").str.replace_all(_HYPHENS, "-")
    no_name = text.str.contains(_NO_NAME)
    several = text.str.contains(_SEVERAL)
    keep = no_name | several | text.str.contains(_LOST)
    by_hand = text.str.contains(_NOT_PLAIN) & ~keep
    cased = pl.select(pl.when(keep | by_hand).then(text).otherwise(text.str.to_titlecase())).to_series()
    if by_hand.any():
        rare = [title_case(name) for name in cased.filter(by_hand)]
        cased = put(cased, by_hand, pl.Series(rare, dtype=pl.String))
    refused = cleaned.refused | put(nowhere(source), odd, no_name)
    values = put(cleaned.text.str.to_titlecase(), odd, cased)
    return settle(source, values, refused=refused, ambiguous=put(nowhere(source), odd, several & ~no_name))


def title_case(name: str) -> str:
    """Case one name letter by letter; for the few whose letters Polars would take for word ends."""
    cased: list[str] = []
    inside = False
    for letter in name:
        wanted = letter.lower() if inside else letter.upper()
        cased.append(wanted if len(wanted) == 1 else letter)  # "ß" has no single capital
        inside = unicodedata.category(letter)[0] in "LM"
    text = unicodedata.normalize("NFC", "".join(cased))
    return " ".join(_with_e_ban(text.split(" "), name.split(" ")))


def _with_e_ban(words: list[str], given: list[str]) -> list[str]:
    pairs = zip([None, *given], given, words, strict=False)
    return ["ban" if (before, word) == ("Ê", "ban") else cased for before, word, cased in pairs]


KERNEL = Kernel(
    name="person-name",
    version="1.0.0",
    rule=Text(
        vi="Như văn bản thường; viết hoa chữ cái đầu mỗi từ, cả sau dấu nháy (H'Hen) và dấu gạch nối; không "
        "đảo thứ tự, không suy ra giới tính; từ chối chữ số và ký hiệu lạ; ô chứa nhiều tên hoặc ghi chú là"
        " chưa rõ.",
        en="As plain text, the first letter of every word a capital, also after an apostrophe and a hyphen; never "
        "reordered, sex never inferred; digits and strange signs refused; several names or a note are ambiguous.",
    ),
    sources=(
        Source(
            document="QĐ 2439/QĐ-TTg",
            trust=Trust.SUMMARY,
            note="HoVaTen: in hoa chữ cái đầu (bản tóm tắt, chưa đối chiếu phụ lục)",
        ),
        Source(
            document="Báo Lâm Đồng, 09/2013",
            trust=Trust.SECONDARY,
            address="https://baolamdong.vn/toasoan-bandoc/201309/phien-phuc-do-nham-ho-ten-gioi-tinh-2447585",
            note="names of the K'Ho and the Ê Đê: never infer sex from them",
        ),
    ),
    datatypes=frozenset({Datatype.TEXT}),
    bind=_bind,
)
