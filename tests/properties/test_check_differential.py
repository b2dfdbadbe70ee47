"""The engine on any rows gives the letters that a slow plain reading of the same rules gives."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from check_samples import (
    CODE_LISTS,
    DOMAINS,
    GOOD_ROW,
    TECHNICAL,
    VIETNAM,
    batch,
    evaluate,
    sample_dataset,
    sample_dictionary,
)
from lienthong.check.columns import known_columns
from lienthong.check.engine import Checker
from lienthong.check.language import parse_predicate
from lienthong.check.rule_set import derive_rules
from lienthong.check.verdict import Letter, Severity
from lienthong.standardise.batch import Outcome

DICTIONARY = sample_dictionary()
DATASET = sample_dataset()
RULES = derive_rules(DICTIONARY, DATASET)
CHECKER = Checker(DICTIONARY, RULES)
COLUMNS = known_columns(DICTIONARY, DATASET)
TREES = {
    rule.name: tuple(parse_predicate(text, columns=COLUMNS).tree for text in (rule.when, rule.check))
    for rule in RULES.rules
    if rule.over is None
}
LISTS = {each.identity.id: each for each in CODE_LISTS}

CODES = [code.code for each in CODE_LISTS for code in each.codes]
DIGITS = st.text(alphabet="0123456789", min_size=9, max_size=13)
STRANGE = st.sampled_from(
    ["", "-", "Nguy?n", "Không có", "٣" * 12, "x" * 300, "079190012345\n", "AB-1", "Đ", "\ufffd"]
)
PARTIAL = st.sampled_from(["1990", "1890", "2005-02", "2026-03", "2026-04", "2027", "1990-07-03", "2026-03-11"])
DAYS = st.dates(date(1899, 1, 1), date(2028, 1, 1)) | st.sampled_from([date(2025, 6, 30), date(2025, 7, 1)])
TEXTS = st.one_of(DIGITS, STRANGE, st.sampled_from(CODES), st.sampled_from(["0100109106", "0100109106-001"]))
VALUES: Mapping[str, st.SearchStrategy[Any]] = {
    "ngay_sinh": PARTIAL,
    "gioi_tinh": st.sampled_from(["0", "1", "2", "9"]),
    "nganh_nghe": st.lists(TEXTS, max_size=3),
    "tu_khoa": st.lists(TEXTS, max_size=3),
    "von_dieu_le": st.decimals(-2, 1002, places=2),
    "so_nguoi": st.integers(-1, 102),
    "ngay_lap": DAYS,
}
ROW = st.fixed_dictionaries(
    {name: st.just(GOOD_ROW[name]) | st.none() | VALUES.get(name, TEXTS) for name in TECHNICAL.values()}
)
CASE = st.tuples(
    ROW,
    st.dictionaries(st.sampled_from(list(TECHNICAL.values())), st.sampled_from(list(Outcome)), max_size=2),
    st.none() | st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis wants them bare
    st.sampled_from([[], ["que"]]),
)


def facts(
    row: Mapping[str, Any], said: Mapping[str, Outcome], moment: datetime | None, damaged: list[str]
) -> dict[str, Any]:
    """Work out every column a rule may read, one value at a time."""
    known: dict[str, Any] = dict(row)
    for name in TECHNICAL.values():
        outcome = said.get(name, Outcome.EMPTY if row[name] is None else Outcome.UNCHANGED)
        known[f"{name}__outcome"] = outcome.value
    known["source_day"] = None if moment is None else moment.astimezone(VIETNAM).date()
    known["record_day"] = known["source_day"] if row["ngay_lap"] is None else row["ngay_lap"]
    known["damaged"], known["oversized"] = bool(damaged), False
    for element, domain in DOMAINS.items():
        name = TECHNICAL[element]
        value = row[name]
        items = value if isinstance(value, list) else [value]
        absent = value is None or value == []
        if "code_list" in domain:
            judged = [in_list(LISTS[domain["code_list"]], item, known["record_day"]) for item in items]
            known[f"{name}__listed"] = None if absent else all(listed for listed, _, _ in judged)
            known[f"{name}__in_force"] = None if absent else every([force for _, force, _ in judged])
            known[f"{name}__parent"] = None if absent else judged[0][2]
        if "pattern" in domain:
            shaped = [item is not None and re.fullmatch(domain["pattern"][1:-1], item) is not None for item in items]
            known[f"{name}__patterned"] = None if absent else all(shaped)
        least, most = domain.get("min_length", 0), domain.get("max_length", 10**9)
        known[f"{name}__sized"] = None if absent else all(least <= len(str(item)) <= most for item in items)
    return known


def every(answers: list[bool | None]) -> bool | None:
    return False if False in answers else None if None in answers else True


def in_list(codes: Any, value: str | None, day: date | None) -> tuple[bool, bool | None, str | None]:
    periods = [code for code in codes.codes if code.code == value]
    states: list[bool | None] = []
    for each in periods:
        dated = each.valid_from is not None or each.valid_to is not None
        if dated and day is None:
            states.append(None)
        else:
            begun = each.valid_from is None or each.valid_from <= day
            states.append(begun and (each.valid_to is None or day < each.valid_to))
    force = True if True in states else None if None in states else False
    parent = next((each.parent for each, state in zip(periods, states, strict=True) if state is True), None)
    return bool(periods), force, parent


def letter(rule: Any, known: Mapping[str, Any]) -> str:
    if rule.over == "unique":
        return Letter.NOT_APPLICABLE if known[rule.element] is None else Letter.PASS
    if rule.over is not None:
        return Letter.NOT_APPLICABLE
    when, check = TREES[rule.name]
    if evaluate(when, known) is not True:
        return Letter.NOT_APPLICABLE
    return {True: Letter.PASS, False: Letter.FAIL, None: Letter.NOT_EVALUATED}[evaluate(check, known)]


@settings(deadline=None, max_examples=60)
@given(st.lists(CASE, min_size=1, max_size=6))
def test_the_engine_agrees_with_the_slow_reading(cases: list[tuple[Any, Any, Any, Any]]) -> None:
    rows = [row for row, _, _, _ in cases]
    judged = CHECKER.judge(
        batch(
            DICTIONARY,
            DATASET,
            rows,
            outcomes=[said for _, said, _, _ in cases],
            times=[moment for _, _, moment, _ in cases],
            damaged=[damaged for _, _, _, damaged in cases],
        )
    )
    slow = [
        "".join(
            letter(rule, facts({**row, "von_dieu_le": _decimal(row)}, said, moment, damaged)) for rule in RULES.rules
        )
        for row, said, moment, damaged in cases
    ]
    assert judged.judgement.to_list() == slow
    held = [
        any(
            rule.severity is Severity.BLOCKING and sign in {Letter.FAIL, Letter.NOT_EVALUATED}
            for rule, sign in zip(RULES.rules, signs, strict=True)
        )
        for signs in slow
    ]
    assert judged.quarantined.to_list() == held
    found = {
        (row, rule.name)
        for row, signs in enumerate(slow)
        for rule, sign in zip(RULES.rules, signs, strict=True)
        if sign == Letter.FAIL or (sign == Letter.NOT_EVALUATED and rule.severity is Severity.BLOCKING)
    }
    assert set(judged.findings.select("row", "rule").rows()) == found


def _decimal(row: Mapping[str, Any]) -> Decimal | None:
    return None if row["von_dieu_le"] is None else Decimal(row["von_dieu_le"])


def test_the_days_of_the_slow_reading_are_those_of_vietnam() -> None:
    moment = datetime(2025, 6, 30, 17, tzinfo=UTC)
    assert moment.astimezone(VIETNAM).date() == date(2025, 7, 1)
    assert VIETNAM.utcoffset(None) == timedelta(hours=7)
