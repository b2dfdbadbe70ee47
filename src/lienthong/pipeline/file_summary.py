"""What became of a file, counted while it runs by; holds masked examples and no value that could be read back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import polars as pl

from lienthong.check.dqi import rule_percent, shipped_scoring, weighted_mean
from lienthong.check.masking import mask
from lienthong.check.verdict import Criterion, Letter, Rule, RuleSet
from lienthong.dictionary.model import Dictionary, ElementId
from lienthong.pipeline.file_mapping import Decision
from lienthong.pipeline.file_run import FileWay, Processed
from lienthong.sources.file_block import FileBlock, Note
from lienthong.standardise.batch import Outcome
from lienthong.standardise.proposals import proposals
from lienthong.standardise.readings import REASON, REASONS, Reason

EXAMPLE_ROWS_MAX: Final = 300  # of one column, outcome and block
SAMPLED_ROWS_MAX: Final = 6_000  # of one column and outcome in the whole file
EXAMPLES_SHOWN_MAX: Final = 5
WORDS: Final = (Criterion.CORRECT, Criterion.COMPLETE, Criterion.CLEAN, Criterion.UNIFIED)  # a file can tell these

_SHOWN: Final = (Outcome.CHANGED, Outcome.AMBIGUOUS, Outcome.REFUSED)
_DAMAGED: Final = [Outcome.AMBIGUOUS.value, Outcome.REFUSED.value]


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """One kind of change as it may be shown: masked, and how often it stands in the sample."""

    outcome: Outcome
    before: str
    after: str | None
    times: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnSummary:
    """What the standardiser did to one column."""

    name: str
    element: ElementId
    label: str
    column: str | None  # of the file
    kernel: str | None
    outcomes: Mapping[Outcome, int]
    examples: tuple[Example, ...]
    readings: Mapping[Reason, int]  # damaged values of the sample that have a proposed reading


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleSummary:
    """How many rows a rule passed, failed, did not concern or could not judge."""

    rule: Rule
    passed: int
    failed: int
    not_applicable: int
    not_evaluated: int
    measured: bool = True

    @property
    def percent(self) -> float | None:
        """Return how much of what the rule applied to passed."""
        if not self.measured:
            return None
        return rule_percent(passed=self.passed, failed=self.failed, not_evaluated=self.not_evaluated)


@dataclass(frozen=True, kw_only=True, slots=True)
class FileSummary:
    """The whole account of one run."""

    file: str
    kind: str
    dataset: str
    dataset_label: str
    dictionary_version: str
    dictionary_digest: str
    rules_digest: str
    on: date
    read: int
    kept: int
    quarantined: int
    blank: int
    reasons: Mapping[str, int]  # rule or flaw → quarantined rows
    columns: tuple[ColumnSummary, ...]
    rules: tuple[RuleSummary, ...]
    words: Mapping[Criterion, float | None]
    colours: Mapping[Criterion, str | None]
    decisions: tuple[Decision, ...]
    proposed: bool
    notes: tuple[Note, ...]

    @property
    def kept_percent(self) -> float:
        """Return how much of what was read can be used."""
        return 100.0 * self.kept / self.read if self.read else 0.0

    def as_json(self) -> dict[str, Any]:
        """Return the account as plain values."""
        return {
            "file": self.file,
            "kind": self.kind,
            "dataset": self.dataset,
            "dictionary": {"version": self.dictionary_version, "digest": self.dictionary_digest},
            "rules_digest": self.rules_digest,
            "on": self.on.isoformat(),
            "rows": {
                "read": self.read,
                "written": self.kept,
                "quarantined": self.quarantined,
                "blank_left_out": self.blank,
                "equation": f"{self.read} = {self.kept} + {self.quarantined}",
            },
            "reasons": dict(self.reasons),
            "words": {word.value: percent for word, percent in self.words.items()},
            "columns": [
                {
                    "name": each.name,
                    "element": each.element,
                    "column": each.column,
                    "standardiser": each.kernel,
                    "outcomes": {outcome.name.lower(): count for outcome, count in each.outcomes.items()},
                    "readings": {reason.value: count for reason, count in each.readings.items()},
                }
                for each in self.columns
            ],
            "rules": [
                {
                    "rule": each.rule.name,
                    "severity": each.rule.severity.value,
                    "passed": each.passed,
                    "failed": each.failed,
                    "not_applicable": each.not_applicable,
                    "not_evaluated": each.not_evaluated,
                    "measured": each.measured,
                }
                for each in self.rules
            ],
            "mapping": {
                "proposed": self.proposed,
                "columns": [
                    {
                        "column": each.column,
                        "element": each.element,
                        "form": each.form,
                        "encoding": each.encoding,
                        "score": each.score,
                        "reason": each.reason,
                    }
                    for each in self.decisions
                ],
            },
            "notes": [{"kind": note.kind, "vi": note.text.vi, "en": note.text.en} for note in self.notes],
        }


@dataclass(kw_only=True, slots=True)
class Tally:
    """Count blocks as they run by."""

    dictionary: Dictionary
    way: FileWay
    read: int = 0
    kept: int = 0
    quarantined: int = 0
    blank: int = 0
    _letters: Counter[str] = field(default_factory=Counter)
    _reasons: Counter[str] = field(default_factory=Counter)
    _outcomes: dict[str, Counter[int]] = field(default_factory=dict)
    _examples: dict[str, Counter[tuple[int, str, str | None]]] = field(default_factory=dict)
    _sampled: Counter[tuple[str, int]] = field(default_factory=Counter)
    _readings: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, block: FileBlock, done: Processed) -> None:
        """Count one block."""
        self.read += block.read
        self.kept += done.kept.height
        self.quarantined += done.quarantined.height
        self.blank += block.blank
        self._letters.update(_counted(done.judged.judgement))
        self._reasons.update(_counted(done.quarantined["_reasons"].explode(empty_as_null=True).drop_nulls()))
        for step in self.way.plan.steps:
            outcomes = done.standardised.outcomes[step.name]
            found = _counted(outcomes)
            self._outcomes.setdefault(step.name, Counter()).update(found)
            if step.name in done.texts.columns:
                self._sample(step.name, done, set(found))

    def _sample(self, name: str, done: Processed, found: set[int]) -> None:
        element = next(
            member.element
            for member in self.way.dataset.members
            if self.dictionary.elements[member.element].technical_name == name
        )
        sensitivity = self.dictionary.elements[element].sensitivity
        outcomes = done.standardised.outcomes[name]
        for outcome in _SHOWN:
            room = SAMPLED_ROWS_MAX - self._sampled[name, outcome.value]
            if outcome.value not in found or room <= 0:
                continue
            rows = (outcomes == outcome.value).arg_true().head(min(room, EXAMPLE_ROWS_MAX))
            self._sampled[name, outcome.value] += rows.len()
            before, value = done.texts[name].gather(rows), done.standardised.values[name].gather(rows)
            after = value.list.join(", ") if isinstance(value.dtype, pl.List) else value.cast(pl.String)
            shown = pl.DataFrame({"before": before, "after": after}).select(
                mask(pl.col("before"), sensitivity), mask(pl.col("after"), sensitivity)
            )
            counter = self._examples.setdefault(name, Counter())
            counter.update((outcome.value, left or "", right) for left, right in shown.iter_rows())
            if outcome.value in _DAMAGED:
                read = proposals(before, self.dictionary.domain_of(element))
                self._readings.setdefault(name, Counter()).update(_counted(read[REASON]))

    def summary(
        self,
        *,
        file: str,
        kind: str,
        on: date,
        decisions: Sequence[Decision],
        proposed: bool,
        notes: Sequence[Note],
        shared_keys: Mapping[int, int],
        unique_measured: bool,
    ) -> FileSummary:
        """Return the account; ``shared_keys`` has, by place of the rule, how many rows share their key."""
        assert self.read == self.kept + self.quarantined, "rows read = rows written + quarantined"
        rules = _rules(self.way.rules, self._letters, shared_keys, unique_measured=unique_measured)
        words, colours = _words(rules)
        dataset = self.way.dataset
        return FileSummary(
            file=file,
            kind=kind,
            dataset=dataset.identity.id,
            dataset_label=dataset.label.vi,
            dictionary_version=self.dictionary.version,
            dictionary_digest=self.dictionary.digest,
            rules_digest=self.way.rules.digest,
            on=on,
            read=self.read,
            kept=self.kept,
            quarantined=self.quarantined,
            blank=self.blank,
            reasons=dict(self._reasons.most_common()),
            columns=tuple(self._columns()),
            rules=rules,
            words=words,
            colours=colours,
            decisions=tuple(decisions),
            proposed=proposed,
            notes=tuple(notes),
        )

    def _columns(self) -> list[ColumnSummary]:
        found = []
        for member, step in zip(self.way.dataset.members, self.way.plan.steps, strict=True):
            examples = self._examples.get(step.name, Counter())
            shown = [
                Example(outcome=Outcome(outcome), before=before, after=after, times=times)
                for wanted in _SHOWN
                for (outcome, before, after), times in _top(examples, wanted.value)
            ]
            found.append(
                ColumnSummary(
                    name=step.name,
                    element=member.element,
                    label=self.dictionary.elements[member.element].label.vi,
                    column=step.column,
                    kernel=step.version,
                    outcomes={each: self._outcomes.get(step.name, Counter())[each.value] for each in Outcome},
                    examples=tuple(shown),
                    readings={
                        Reason(name): count for name, count in self._readings.get(step.name, Counter()).most_common()
                    },
                )
            )
        return found


def reading_vi(reason: Reason) -> str:
    """Return what happened to a damaged value, for people."""
    return REASONS[reason].vi


def _top(
    examples: Counter[tuple[int, str, str | None]], outcome: int
) -> list[tuple[tuple[int, str, str | None], int]]:
    of_it = [(key, times) for key, times in examples.items() if key[0] == outcome]
    of_it.sort(key=lambda each: (-each[1], each[0][1], each[0][2] or ""))
    return of_it[:EXAMPLES_SHOWN_MAX]


def _counted(series: pl.Series) -> dict[Any, int]:
    if series.is_empty():
        return {}
    table = series.alias("value").value_counts()
    return dict(zip(table["value"].to_list(), table["count"].to_list(), strict=True))


def _rules(
    rules: RuleSet, letters: Counter[str], shared_keys: Mapping[int, int], *, unique_measured: bool
) -> tuple[RuleSummary, ...]:
    """Count the letters of each rule; what only the centre can measure is marked as not measured."""
    found = []
    for place, rule in enumerate(rules.rules):
        counts: Counter[str] = Counter()
        for judgement, times in letters.items():
            counts[judgement[place]] += times
        shared = shared_keys.get(place, 0)
        found.append(
            RuleSummary(
                rule=rule,
                passed=counts[Letter.PASS] - shared,
                failed=counts[Letter.FAIL] + shared,
                not_applicable=counts[Letter.NOT_APPLICABLE],
                not_evaluated=counts[Letter.NOT_EVALUATED],
                measured=rule.over is None or (place in shared_keys and unique_measured),
            )
        )
    return tuple(found)


def _words(
    rules: Sequence[RuleSummary],
) -> tuple[dict[Criterion, float | None], dict[Criterion, str | None]]:
    scoring = shipped_scoring()
    words: dict[Criterion, float | None] = {}
    for word in WORDS:
        parts = [
            (each.rule.weight, each.percent)
            for each in rules
            if each.rule.criterion is word and each.percent is not None
        ]
        words[word] = weighted_mean([(weight, percent) for weight, percent in parts if percent is not None])
    return words, {word: None if percent is None else scoring.colour(percent) for word, percent in words.items()}
