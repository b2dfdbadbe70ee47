"""Rules written down as files: ``rules/<word>/<CODE>.yaml``, one rule, one code, one file.

Here the files become plain data, and what can be said without reading the rule's predicates is refused with file
and line. ``lienthong.check.declared`` reads the predicates. A folder of an operator's own rules has the same form;
they are local: they show, and never score.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from lienthong.dictionary.documents import Document, read_document
from lienthong.dictionary.fields import Fields
from lienthong.dictionary.model import (
    Dataset,
    DatasetId,
    Datatype,
    DeclaredComparison,
    DeclaredRule,
    Dictionary,
    ElementId,
    RuleExample,
    Text,
)
from lienthong.dictionary.refusals import Problem
from lienthong.errors import Actor, LienthongError

FOLDER: Final = "rules"
WORDS: Final = {"correct": "CR", "complete": "CP", "clean": "CL", "live": "LV", "unified": "UN", "shared": "SH"}
SEVERITIES: Final = ("blocking", "error", "warning")
ERROR_CLASSES: Final = ("empty", "outlier", "duplicate", "format", "referential", "logic", "stale", "mismatch")
OUTCOMES: Final = ("pass", "fail", "not-applicable", "not-evaluated")
ALWAYS: Final = "TRUE"
FILE_BYTES_MAX: Final = 200_000
RULES_MAX: Final = 2_000
SIMILARITY_PERCENT_USUAL: Final = 92
SIMILARITY_PERCENT_LEAST: Final = 50  # below it everything resembles everything

_CODE: Final = re.compile(r"[A-Z]{2}[0-9]{2,3}")
_WEIGHT: Final = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3})?")
_NEEDED: Final = frozenset(
    {"basis", "code", "error_class", "examples", "level", "owner", "remedy", "sentence", "severity", "title"}
)
_KNOWN: Final = _NEEDED | {
    "check", "comparison", "dataset", "element", "elements", "identifier", "over", "version", "weight", "when",
}  # fmt: skip
_COMPARISON: Final = frozenset({"dataset", "equal", "match", "similar", "similarity_percent"})
_EXAMPLE: Final = frozenset({"dataset", "measured_day", "name", "others", "outcome", "source_day", "values"})


class _Level(enum.Enum):
    NATIONAL = "national"
    LOCAL = "local"


class Over(enum.Enum):
    """What a rule compares a record with, when it looks at others."""

    REFERENCE = "reference"
    AGREEMENT = "agreement"
    NEAR_DUPLICATE = "near-duplicate"


class RulesNotValid(LienthongError, code="DIC-060", actor=Actor.STEWARD):
    """A folder of an operator's own rules breaks rules; the fact ``problems`` holds all of them."""

    message = "the rules in {folder} have {count} problem(s); first: {first}"
    hint = "correct the files; how a rule is written: docs/reference/rules/README.md"


def with_local_rules(dictionary: Dictionary, folder: Path) -> Dictionary:
    """Return the dictionary with an operator's own rules beside its own; all of them only show.

    Vietnamese: quy tắc của địa phương. ``folder`` has the six folders of words. A code of the dictionary cannot be
    used again.

    Raises:
        RulesNotValid: with file and line of everything wrong.
    """
    found: list[Problem] = []
    rules = _read(folder, "", dictionary, found, local=True)
    if found:
        raise RulesNotValid(folder=folder, count=len(found), first=str(min(found)), problems=tuple(sorted(found)))
    return replace(dictionary, rules=tuple(sorted((*dictionary.rules, *rules), key=lambda rule: rule.code)))


def read_rules(folder: Path, dictionary: Dictionary, found: list[Problem]) -> tuple[DeclaredRule, ...]:
    """Return the rules beside a dictionary; note problems. A dictionary without the folder has none."""
    return _read(folder, FOLDER, dictionary, found, local=False)


def _read(
    folder: Path, inside: str, dictionary: Dictionary, found: list[Problem], *, local: bool
) -> tuple[DeclaredRule, ...]:
    rules: dict[str, DeclaredRule] = {rule.code: rule for rule in dictionary.rules}
    known = len(rules)
    for path in sorted(path for path in (folder / inside).rglob("*") if path.is_file()):
        if path.name.startswith(".") or path.suffix == ".md":
            continue
        file = path.relative_to(folder).as_posix()
        word = path.relative_to(folder / inside).parent.as_posix()
        if path.suffix != ".yaml" or word not in WORDS:
            text = f"a rule is a file <CODE>.yaml in one of the folders {', '.join(WORDS)}"
            found.append(Problem(file=file, line=1, rule="file-name", text=text))
            continue
        document = _document(path, file, found)
        before = len(found)
        rule = None if document is None else _rule(document, path.stem, word, dictionary, local=local)
        if rule is None or document is None or len(found) > before:
            continue
        if rule.code in rules:
            document.refuse(("code",), "duplicate-id", f"code {rule.code} already stands in {rules[rule.code].file}")
        rules.setdefault(rule.code, rule)
    if len(rules) > RULES_MAX:
        found.append(Problem(file=inside or ".", line=1, rule="too-many", text=f"more than {RULES_MAX} rules"))
    return tuple(sorted(list(rules.values())[known:], key=lambda rule: rule.code))


def _document(path: Path, file: str, found: list[Problem]) -> Document | None:
    try:
        with path.open("rb") as stream:
            content = stream.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        found.append(Problem(file=file, line=1, rule="unreadable", text=f"the file cannot be read: {reason}"))
        return None
    if len(content) > FILE_BYTES_MAX:
        found.append(Problem(file=file, line=1, rule="too-large", text=f"over {FILE_BYTES_MAX} bytes"))
        return None
    try:
        return read_document(file, content.decode("utf-8"), found)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        found.append(Problem(file=file, line=line, rule="not-utf-8", text="the file is not UTF-8"))
        return None


def _rule(document: Document, stem: str, word: str, dictionary: Dictionary, *, local: bool) -> DeclaredRule | None:
    fields = Fields(document, document.value)
    fields.only(_KNOWN, _NEEDED)
    if any(problem.file == document.file for problem in document.problems):
        return None
    over = fields.choice("over", Over).value if "over" in fields.value else None
    rule = DeclaredRule(
        code=_code(fields, stem, word),
        criterion=word,
        severity=_one_of(fields, "severity", SEVERITIES),
        error_class=_one_of(fields, "error_class", ERROR_CLASSES),
        local=fields.choice("level", _Level) is _Level.LOCAL or local,
        datasets=_datasets(fields, dictionary),
        element=_element(fields, "element", dictionary),
        title=_both(fields, "title"),
        sentence=_both(fields, "sentence"),
        remedy=_both(fields, "remedy"),
        when=fields.text("when") or ALWAYS,
        check=fields.text("check") or "",
        over=over,
        comparison=_comparison(fields),
        weight=_weight(fields),
        identifier=fields.truth("identifier"),
        basis=fields.needed("basis"),
        owner=fields.needed("owner"),
        version=fields.integer("version") or 1,
        examples=tuple(_example(inside) for inside in fields.mappings("examples")),
        file=document.file,
        line=_line_of(document.text, "check:" if over is None else "comparison:"),
    )
    _check_shape(document, rule)
    if not any(problem.file == document.file for problem in document.problems):
        _check_places(document, rule, dictionary)
    return rule


def _line_of(text: str, key: str) -> int:
    """Return the line of a key of the outermost mapping, by a search: a second parse would cost ten times as much."""
    return next((number for number, line in enumerate(text.split("\n"), start=1) if line.startswith(key)), 1)


def _code(fields: Fields, stem: str, word: str) -> str:
    code = fields.needed("code")
    if code and not (_CODE.fullmatch(code) and code.startswith(WORDS[word])):
        text = f"code {code} must be {WORDS[word]} and two or three digits: it stands in the folder {word}"
        fields.refuse("code", "not-an-id", text)
    elif code and code != stem:
        fields.refuse("code", "file-name", f"code {code} must be the name of the file, {stem}")
    return code


def _one_of(fields: Fields, key: str, known: tuple[str, ...]) -> str:
    value = fields.needed(key)
    if value and value not in known:
        fields.refuse(key, "unknown-value", f"{key} must be one of: {', '.join(known)}")
    return value


def _both(fields: Fields, key: str) -> Text:
    text = fields.translated(key) or Text(vi="")
    if text.vi and not text.en:
        fields.refuse(key, "missing-key", f"{key} needs a text in English (en) too")
    return text


def _weight(fields: Fields) -> str:
    weight = fields.text("weight") or "1"
    if not _WEIGHT.fullmatch(weight) or float(weight) == 0:
        fields.refuse("weight", "wrong-type", "weight must be a number above 0 in quotes, such as '0.5'")
    return weight


def _datasets(fields: Fields, dictionary: Dictionary) -> tuple[DatasetId, ...]:
    """Return the datasets named, or those that have all the elements named."""
    given = fields.value.get("dataset")
    if (given is None) == (fields.value.get("elements") is None):
        fields.refuse("dataset", "missing-key", "name the dataset, or the elements that its datasets must have")
        return ()
    if given is not None:
        named = (fields.needed("dataset"),) if type(given) is str else fields.texts("dataset")
        for name in named:
            if name not in dictionary.datasets:
                fields.refuse("dataset", "unknown-reference", f"there is no dataset {name}")
        return tuple(sorted(DatasetId(name) for name in named if name in dictionary.datasets))
    wanted = {ElementId(name) for name in fields.texts("elements")}
    for name in sorted(wanted - set(dictionary.elements)):
        fields.refuse("elements", "unknown-reference", f"there is no element {name}")
    return tuple(
        sorted(
            name
            for name, dataset in dictionary.datasets.items()
            if wanted <= {member.element for member in dataset.members}
        )
    )


def _element(fields: Fields, key: str, dictionary: Dictionary) -> ElementId | None:
    name = fields.text(key)
    if name is not None and name not in dictionary.elements:
        fields.refuse(key, "unknown-reference", f"there is no element {name}")
    return None if name is None else ElementId(name)


def _comparison(fields: Fields) -> DeclaredComparison | None:
    inside = fields.mapping("comparison")
    if inside is None:
        return None
    inside.only(_COMPARISON, frozenset({"match"}))
    percent = inside.integer("similarity_percent")
    other = inside.text("dataset")
    return DeclaredComparison(
        dataset=None if other is None else DatasetId(other),
        match=tuple(sorted(inside.pairs("match").items())),
        equal=tuple(sorted(inside.pairs("equal").items())),
        similar=inside.texts("similar"),
        similarity_percent=SIMILARITY_PERCENT_USUAL if percent is None else percent,
    )


def _example(fields: Fields) -> RuleExample:
    fields.only(_EXAMPLE, frozenset({"name", "outcome", "values"}))
    inside = fields.mapping("values")
    dataset = fields.text("dataset")
    return RuleExample(
        name=fields.needed("name"),
        outcome=_one_of(fields, "outcome", OUTCOMES),
        values={} if inside is None else inside.value,
        others=tuple(other.value for other in fields.mappings("others")),
        dataset=None if dataset is None else DatasetId(dataset),
        source_day=fields.day("source_day"),
        measured_day=fields.day("measured_day"),
    )


def _check_shape(document: Document, rule: DeclaredRule) -> None:
    """Note parts that do not go together, and examples that prove nothing."""
    if (rule.over is None) == (not rule.check):
        document.refuse(("check",), "rule-shape", "a rule has a check, or says with over what it compares, not both")
    if (rule.over is None) != (rule.comparison is None):
        document.refuse(("comparison",), "rule-shape", "over and comparison go together")
    if rule.over is not None and rule.severity == "blocking":
        text = "a rule about other records cannot be blocking: it is measured when the record is in"
        document.refuse(("severity",), "rule-shape", text)
    outcomes = {example.outcome for example in rule.examples}
    if not {"pass", "fail"} <= outcomes:
        document.refuse(("examples",), "no-example", "examples must show a row that passes and one that fails")
    names = [example.name for example in rule.examples]
    if len(set(names)) != len(names):
        document.refuse(("examples",), "duplicate-value", "two examples have one name")


def _check_places(document: Document, rule: DeclaredRule, dictionary: Dictionary) -> None:
    """Note datasets, elements and columns that do not exist, and pairs of different types."""
    if not rule.datasets:
        document.refuse(("elements",), "matches-nothing", "no dataset has these elements: nothing would be checked")
    for name in rule.datasets:
        dataset = dictionary.datasets[name]
        if rule.element is not None and rule.element not in {member.element for member in dataset.members}:
            document.refuse(("element",), "unknown-reference", f"dataset {name} has no element {rule.element}")
        if rule.comparison is not None:
            _check_comparison(document, rule, rule.comparison, dataset, dictionary)
    for number, example in enumerate(rule.examples):
        _check_example(document, number, example, rule, dictionary)


def _check_comparison(
    document: Document, rule: DeclaredRule, comparison: DeclaredComparison, dataset: Dataset, dictionary: Dictionary
) -> None:
    other = dataset if comparison.dataset is None else dictionary.datasets.get(comparison.dataset)
    path = ("comparison",)
    if other is None:
        document.refuse((*path, "dataset"), "unknown-reference", f"there is no dataset {comparison.dataset}")
        return
    near = rule.over == Over.NEAR_DUPLICATE.value
    if near != (comparison.dataset is None) or (not near and other is dataset):
        text = "near-duplicates are sought in the rule's own dataset (name none), references and agreement in another"
        document.refuse((*path, "dataset"), "rule-shape", text)
    if not comparison.match:
        document.refuse((*path, "match"), "rule-shape", "match must pair at least one column")
    if bool(comparison.equal) != (rule.over == Over.AGREEMENT.value):
        document.refuse((*path, "equal"), "rule-shape", "equal belongs to agreement, and agreement needs it")
    if comparison.similar and not near:
        document.refuse((*path, "similar"), "rule-shape", "similar belongs to near-duplicates")
    if not SIMILARITY_PERCENT_LEAST <= comparison.similarity_percent <= 100:  # noqa: PLR2004 - percent
        text = f"similarity_percent must be {SIMILARITY_PERCENT_LEAST} to 100"
        document.refuse((*path, "similarity_percent"), "unknown-value", text)
    _check_compared(document, comparison, _columns(dictionary, dataset), _columns(dictionary, other))


def _check_compared(
    document: Document,
    comparison: DeclaredComparison,
    own: Mapping[str, Datatype],
    others: Mapping[str, Datatype],
) -> None:
    path = ("comparison",)
    for key, pairs in (("match", comparison.match), ("equal", comparison.equal)):
        for mine, theirs in pairs:
            _check_pair(document, (*path, key, mine), (own.get(mine), others.get(theirs)), f"{mine} and {theirs}")
    for name in comparison.similar:
        _check_pair(document, (*path, "similar"), (own.get(name), own.get(name)), name)
        if own.get(name) not in {None, Datatype.TEXT}:
            document.refuse((*path, "similar"), "wrong-type", f"{name} is no text: only texts resemble each other")


def _check_pair(
    document: Document, path: tuple[str, ...], types: tuple[Datatype | None, Datatype | None], names: str
) -> None:
    if None in types:
        document.refuse(path, "unknown-reference", f"the datasets do not have the columns {names}")
    elif types[0] is not types[1]:
        document.refuse(path, "wrong-type", f"the columns {names} have different types and are never equal")
    elif types[0] is Datatype.CODES:
        document.refuse(path, "wrong-type", f"the columns {names} hold several codes each and are not compared")


def _check_example(
    document: Document, number: int, example: RuleExample, rule: DeclaredRule, dictionary: Dictionary
) -> None:
    path = ("examples", number)
    name = example.dataset or next(iter(rule.datasets), None)
    if example.dataset is not None and example.dataset not in rule.datasets:
        document.refuse((*path, "dataset"), "unknown-reference", f"the rule is not for dataset {example.dataset}")
    elif name is not None:
        own = _columns(dictionary, dictionary.datasets[name])
        for column in sorted(set(example.values) - set(own)):
            document.refuse((*path, "values", column), "unknown-reference", f"dataset {name} has no column {column}")
    compared = None if rule.comparison is None else rule.comparison.dataset or name
    other = None if compared is None else dictionary.datasets.get(compared)
    columns: Iterable[str] = () if other is None else _columns(dictionary, other)
    for place, values in enumerate(example.others):
        for column in sorted(set(values) - set(columns)):
            document.refuse((*path, "others", place, column), "unknown-reference", f"there is no column {column}")


def _columns(dictionary: Dictionary, dataset: Dataset) -> Mapping[str, Datatype]:
    return {
        dictionary.elements[member.element].technical_name: dictionary.domain_of(member.element).datatype
        for member in dataset.members
    }
