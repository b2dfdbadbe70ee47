"""From what sources write to the code of a list: one, several or none; never a silent pick."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

from lienthong.dictionary.model import CodeList
from lienthong.standardise.cleaning import nowhere, put
from lienthong.standardise.tone_marks import one_style

_CODE_AND_NAME = r"^([0-9]+) ?:"

REMEMBERED_ROWS_MAX = 5_000  # a longer column is cheaper to look up at once
REMEMBERED_MAX = 20_000  # spellings; personal values are no codes, but a wrong mapping may bring them


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """Codes, or the text itself where the list does not know it; null where several codes fit."""

    codes: pl.Series
    ambiguous: pl.Series


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeLookup:
    """All spellings of a code list, prepared once."""

    exact: pl.Series  # one list of all codes
    spellings: pl.Series  # folded, each with one code only
    meant: pl.Series  # the codes of ``spellings``
    several: pl.Series  # one list of folded spellings of more than one code
    answers: dict[str, tuple[str | None, bool]] = field(default_factory=dict)  # given before, to short columns

    @classmethod
    def of(cls, code_list: CodeList | None) -> CodeLookup:
        """Gather codes, aliases and labels; a code wins over an alias, an alias over a label."""
        codes = () if code_list is None else code_list.codes
        aliases = () if code_list is None else code_list.aliases
        tiers = (
            ((code.code, code.code) for code in codes),
            aliases,
            ((label, code.code) for code in codes for label in (code.label.vi, code.label.en) if label is not None),
        )
        spellings: dict[str, str] = {}
        several: set[str] = set()
        for tier in tiers:
            for spelling, meant in _grouped(tier).items():
                if spelling in spellings or spelling in several:
                    continue
                if len(meant) == 1:
                    spellings[spelling] = meant.pop()
                else:
                    several.add(spelling)
        known = frozenset(code.code for code in codes)
        return cls(
            exact=pl.Series(sorted(known), dtype=pl.String).implode(),
            spellings=pl.Series(list(spellings), dtype=pl.String),
            meant=pl.Series(list(spellings.values()), dtype=pl.String),
            several=pl.Series(sorted(several), dtype=pl.String).implode(),
        )

    def resolve(self, text: pl.Series) -> Found:
        """Look up cleaned texts."""
        ambiguous = nowhere(text)
        unknown = text.is_not_null() & ~text.is_in(self.exact)
        if not unknown.any():
            return Found(codes=text, ambiguous=ambiguous)
        asked = text.filter(unknown)
        found = self._remembered(asked) if asked.len() < REMEMBERED_ROWS_MAX else self._spelled(asked)
        return Found(codes=put(text, unknown, found["code"]), ambiguous=put(ambiguous, unknown, found["several"]))

    def _remembered(self, text: pl.Series) -> pl.DataFrame:
        """Look up few rows, most of which hold spellings that were asked for before."""
        asked = text.unique().to_list()
        new = [each for each in asked if each not in self.answers]
        if len(self.answers) + len(new) > REMEMBERED_MAX:
            self.answers.clear()
            new = asked
        if new:
            found = self._spelled(pl.Series(new, dtype=pl.String))
            self.answers.update(zip(new, found.iter_rows(), strict=True))
        codes, several = zip(*(self.answers[each] for each in asked), strict=True)
        said = pl.col("text")
        doubtful = [each for each, doubt in zip(asked, several, strict=True) if doubt]
        return text.to_frame("text").select(
            said.replace_strict(asked, pl.Series(codes, dtype=pl.String)).alias("code"),
            (said.is_in(doubtful) if doubtful else pl.lit(value=False)).alias("several"),
        )

    def _spelled(self, text: pl.Series) -> pl.DataFrame:
        before_colon = pl.col("text").str.extract(_CODE_AND_NAME)
        spelled = pl.DataFrame({"text": text}).with_columns(folded(pl.col("text")).alias("folded"))
        # A look-up prepares all of its spellings each time; most of a large list nobody asks for.
        asked = self.spellings.is_in(spelled["folded"].unique().implode())
        several = pl.col("folded").is_in(self.several)
        code = pl.col("folded").replace_strict(
            self.spellings.filter(asked), self.meant.filter(asked), default=None, return_dtype=pl.String
        )
        return spelled.select(
            pl.when(~several).then(pl.coalesce(code, before_colon, "text")).alias("code"), several.alias("several")
        )


def folded(text: pl.Expr) -> pl.Expr:
    """Return a cleaned text in the spelling in which look-ups compare: "Góa" and "Goá" are one."""
    return one_style(text.str.to_lowercase().str.normalize("NFC"))


def _grouped(tier: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    spellings = [(spelling, code) for spelling, code in tier]
    grouped: defaultdict[str, set[str]] = defaultdict(set)
    if not spellings:
        return grouped
    texts = pl.Series([" ".join(unicodedata.normalize("NFC", spelling).split()) for spelling, _ in spellings])
    keys = texts.to_frame("spelling").select(folded(pl.col("spelling"))).to_series()
    for key, (_, code) in zip(keys, spellings, strict=True):
        grouped[key].add(code)
    return grouped
