"""The parts all kernels share."""

from __future__ import annotations

import polars as pl
import pytest

from lienthong.dictionary.model import Code, CodeList, Identity, Level, Status, Text
from lienthong.standardise.batch import Outcome
from lienthong.standardise.cleaning import clean
from lienthong.standardise.code_lookup import CodeLookup
from lienthong.standardise.kernel import DISTINCT_ROWS_MIN, KernelResult, over_distinct, settle
from lienthong.standardise.phone_prefixes import new_prefixes
from lienthong.standardise.registry import all_kernels

IDENTITY = Identity(id="thu", version="1.0.0", status=Status.APPROVED, level=Level.NATIONAL, valid_from=None)
NO = pl.Series([False])


def shout(source: pl.Series) -> KernelResult:
    return settle(source, source.str.to_uppercase(), refused=clean(source).refused)


class Counting:
    """A kernel that remembers how many values it was given."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def __call__(self, source: pl.Series) -> KernelResult:
        self.seen.append(source.len())
        return shout(source)


@pytest.mark.parametrize(
    ("refused", "ambiguous", "value", "outcome"),
    [
        (False, False, "a", Outcome.UNCHANGED),
        (False, False, "A", Outcome.CHANGED),
        (False, False, None, Outcome.EMPTY),
        (True, False, "a", Outcome.REFUSED),
        (False, True, "a", Outcome.AMBIGUOUS),
        (True, True, "a", Outcome.AMBIGUOUS),
        (None, None, "a", Outcome.UNCHANGED),
    ],
)
def test_an_outcome_follows_from_flags_and_value(
    refused: bool | None, ambiguous: bool | None, value: str | None, outcome: Outcome
) -> None:
    result = settle(
        pl.Series("c", ["a"]),
        pl.Series([value], dtype=pl.String),
        refused=pl.Series([refused], dtype=pl.Boolean),
        ambiguous=pl.Series([ambiguous], dtype=pl.Boolean),
    )
    assert result.outcomes.to_list() == [outcome]
    assert (result.values[0] is None) == (outcome not in (Outcome.UNCHANGED, Outcome.CHANGED))
    assert result.values.name == result.outcomes.name == "c"


def test_a_long_repeating_column_is_standardised_once_per_value() -> None:
    source = pl.Series("c", ["a", "B", None, "c"] * DISTINCT_ROWS_MIN)
    counting = Counting()
    spread = over_distinct(source, counting)
    plain = shout(source)
    assert counting.seen == [4]
    assert spread.values.to_list() == plain.values.to_list()
    assert spread.outcomes.to_list() == plain.outcomes.to_list()


@pytest.mark.parametrize("height", [DISTINCT_ROWS_MIN - 1, 2 * DISTINCT_ROWS_MIN])
def test_a_short_or_varied_column_is_standardised_as_it_is(height: int) -> None:
    counting = Counting()
    over_distinct(pl.Series([str(number) for number in range(height)]), counting)
    assert counting.seen == [height]


def test_every_kernel_says_its_rule_in_vietnamese_and_english_and_its_source() -> None:
    for kernel in all_kernels().values():
        assert kernel.rule.vi
        assert kernel.rule.en
        assert kernel.sources, kernel.name
        assert kernel.datatypes, kernel.name


def test_the_kernels_that_value_domains_name_are_all_there() -> None:
    assert set(all_kernels()) >= {
        "text", "person-name", "organisation-name", "address", "identifier", "tax-code", "personal-number", "code",
        "codes", "date", "partial-date", "integer", "decimal", "phone", "boolean", "timestamp",
    }  # fmt: skip


def test_clean_text_is_not_copied() -> None:
    source = pl.Series(["Khóm 1", None])
    assert clean(source).text is source


def lookup(codes: list[tuple[str, str]], aliases: list[tuple[str, str]] | None = None) -> CodeLookup:
    listed = tuple(Code(code=code, label=Text(vi=label), valid_from=None) for code, label in codes)
    return CodeLookup.of(
        CodeList(identity=IDENTITY, label=Text(vi="thử"), codes=listed, aliases=tuple(aliases or [])),
    )


def resolved(known: CodeLookup, text: str) -> tuple[str | None, bool]:
    found = known.resolve(pl.Series([text]))
    return found.codes[0], found.ambiguous[0]


def test_a_code_wins_over_an_alias_and_an_alias_over_a_label() -> None:
    known = lookup([("A", "B"), ("B", "x"), ("C", "y")], [("a", "C"), ("x", "A")])
    assert resolved(known, "a") == ("A", False)
    assert resolved(known, "b") == ("B", False)
    assert resolved(known, "X") == ("A", False)


def test_one_code_with_two_periods_and_the_same_label_is_one_code() -> None:
    known = lookup([("1", "Nam"), ("1", "Nam")])
    assert resolved(known, "nam") == ("1", False)


def test_an_alias_of_two_codes_is_ambiguous() -> None:
    known = lookup([("1", "Nam"), ("2", "Nữ")], [("N", "1"), ("n", "2")])
    assert resolved(known, "N") == (None, True)


def test_without_a_list_a_text_stays_and_a_named_code_loses_its_name() -> None:
    known = CodeLookup.of(None)
    assert resolved(known, "Abc") == ("Abc", False)
    assert resolved(known, "4661: Bán buôn") == ("4661", False)


def test_old_and_new_prefixes_are_digits_and_never_form_chains() -> None:
    prefixes = new_prefixes()
    assert len(prefixes) == 81
    for old, new in prefixes.items():
        assert old.isdigit(), old
        assert new.isdigit(), new
        assert old != new
