"""Telephone numbers (số điện thoại): national digits with the leading 0, or "+" and a foreign number.

Rule: spaces, dots, dashes, brackets and slashes go; +84, 0084 and 84 become 0; a number without its 0 gets it
back where that makes it valid. A number that is not valid today and begins with a prefix of before 2017 (fixed)
or 2018 (mobile) gets the new prefix. A number valid today is not converted, although an old fixed number may look
like a mobile of today, unless its area code stands apart: "(076) 3831234", "08 38291234".
Numbers of other countries need "+" or "00" and come out as "+" and digits. Refused: what is not valid after that,
also fixed numbers without an area code. Ambiguous: several numbers in a cell.
Validity is that of the ``phonenumbers`` metadata; for Vietnam its patterns are run over the whole column.
"""

from __future__ import annotations

import functools

import phonenumbers
import polars as pl

from lienthong.dictionary.model import Datatype, Source, Text, Trust
from lienthong.standardise.cleaning import clean, put
from lienthong.standardise.kernel import BoundKernel, Kernel, KernelContext, KernelResult, settle
from lienthong.standardise.phone_prefixes import PREFIX_DIGITS_MAX, new_prefixes

REGION = "VN"
_DECORATION = r"[ .()/\-‐‑‒–—−]"
_TYPES = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "pager", "uan",
    "voicemail",
)  # fmt: skip
_AREA_APART = r"^(?:\(0[0-9]{1,3}\)|08[ .-])"  # no mobile number is written so
_SEVERAL = r"[0-9][^0-9]*[;,/|][^0-9]*[0-9]"
_WITHOUT_ZERO = r"^1[89]00"  # service numbers are dialled as they are

_DIGITS = pl.col("digits")


def _bind(_: KernelContext) -> BoundKernel:
    return _run


def _run(source: pl.Series) -> KernelResult:
    cleaned = clean(source)
    text = cleaned.text
    written = pl.col("text")
    settled = written.str.contains(f"^0{_pattern()}$") & ~written.str.starts_with("01")  # most are as they should be
    left = text.to_frame("text").select(~settled).to_series()
    if not left.any():
        return settle(source, text, refused=cleaned.refused)
    values = put(text, left, _repaired(text.filter(left)))
    several = values.is_null() & text.str.contains(_SEVERAL)
    return settle(source, values, refused=cleaned.unread(values), ambiguous=several)


def _repaired(text: pl.Series) -> pl.Series:
    number = pl.DataFrame({"text": text}).select("text", _national(pl.col("text")).alias("digits"))
    judged = number.select(_valid(_DIGITS).alias("valid"), pl.col("text").str.contains(_AREA_APART).alias("area"))
    values, with_area = judged["valid"], judged["area"]
    if with_area.any():
        renumbered_first = pl.coalesce(_valid(_renumbered()), _valid(_DIGITS))
        values = put(values, with_area, number.filter(with_area).select(renumbered_first).to_series())
    left = values.is_null()
    return put(values, left, _second_try(number.filter(left))) if left.any() else values


def _national(text: pl.Expr) -> pl.Expr:
    """Return bare digits with a leading 0; "+" and digits for other countries."""
    return (
        text.str.replace_all(_DECORATION, "")
        .str.replace(r"^(?:\+|00)840?([0-9]+)$", "0$1")
        .str.replace(r"^84([0-9]{9,10})$", "0$1")
        .str.replace(r"^00([1-9][0-9]*)$", "+$1")
    )


def _valid(digits: pl.Expr) -> pl.Expr:
    """Return the number if it is valid in Vietnam today, else null."""
    number = digits.str.strip_prefix("0")
    service = number.str.contains(_WITHOUT_ZERO)
    return pl.when(number.str.contains(f"^{_pattern()}$")).then(pl.when(service).then(number).otherwise("0" + number))


def _renumbered() -> pl.Expr:
    """Return the number under its new prefix; null where it has no old one."""
    prefixes = new_prefixes()
    return pl.coalesce(
        [
            _DIGITS.str.head(length).replace_strict(prefixes, default=None, return_dtype=pl.String)
            + _DIGITS.str.slice(length)
            for length in range(PREFIX_DIGITS_MAX, 1, -1)
        ]
    )


def _second_try(frame: pl.DataFrame) -> pl.Series:
    """Give old numbers their new prefix; ask phonenumbers about other countries, once per number."""
    values = frame.select(_valid(_renumbered())).to_series()
    foreign = frame["digits"].str.contains(r"^\+[1-9][0-9]{5,14}$") & values.is_null()
    if not foreign.any():
        return values
    numbers = frame["digits"].filter(foreign)
    known = {number: _international(number) for number in numbers.unique()}
    return put(values, foreign, numbers.replace_strict(known, return_dtype=pl.String))


def _international(number: str) -> str | None:
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
    valid = parsed.country_code != phonenumbers.country_code_for_region(REGION) and phonenumbers.is_valid_number(
        parsed
    )
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) if valid else None


@functools.cache
def _pattern() -> str:
    """Join the patterns by which ``phonenumbers.is_valid_number`` judges a Vietnamese number."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(REGION)
    assert metadata is not None, "phonenumbers knows Vietnam"
    kinds = (getattr(metadata, kind) for kind in _TYPES)
    patterns = [kind.national_number_pattern for kind in kinds if kind is not None and kind.national_number_pattern]
    return "(?:" + "|".join(patterns).replace(r"\d", "[0-9]") + ")"


KERNEL = Kernel(
    name="phone",
    version="1.0.0",
    rule=Text(
        vi="Bỏ dấu cách và ký hiệu; +84, 0084, 84 thành 0; đổi đầu số cũ (2017, 2018) sang đầu số mới khi số "
        "cũ không còn hợp lệ; số không hợp lệ bị từ chối; nhiều số trong một ô là chưa rõ.",
        en="Decoration goes; +84 becomes 0; old prefixes (2017, 2018) become new where the number is no longer"
        " valid; invalid numbers are refused; several numbers are ambiguous.",
    ),
    sources=(
        Source(document="QĐ 2036/QĐ-BTTTT", trust=Trust.SECONDARY, note="area codes, two published lists agree"),
        Source(document="package preprocessing-pgp 0.2.10", trust=Trust.SECONDARY, note="mobile prefixes of 2018"),
        Source(document="package phonenumbers", trust=Trust.SECONDARY, note="metadata of region VN"),
    ),
    datatypes=frozenset({Datatype.TEXT}),
    bind=_bind,
)
