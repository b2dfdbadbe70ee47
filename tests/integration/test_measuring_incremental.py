"""A run of what changed comes to what a run over everything comes to, and to what one obvious program says."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import closing
from datetime import timedelta

import polars as pl
import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from measuring_rows import CARD, CARD_RULES, DICTIONARY, MEASURED_RULES, PERSON, START, WHEN_RULE, Two

from lienthong.adapters.memory_measuring import judge
from lienthong.adapters.postgres import measuring as measuring_module
from lienthong.adapters.postgres.measuring import PostgresMeasuring
from lienthong.adapters.resemblance import JaroWinkler
from lienthong.centre import near_duplicates
from lienthong.centre.measuring import Extent, ResultState
from lienthong.clock import FixedClock

EXAMPLES = int(os.environ.get("LIENTHONG_EXAMPLES", "25"))
NOW = START + timedelta(days=1)

numbers = st.sampled_from(["1", "2", "3", "4", None])
values = {
    "ten": st.sampled_from(["Trần Văn An", "TRAN VAN AN", "Trần Văn Anh", "Lê Thị Bưởi", "B", None]),
    "ngay_sinh": st.sampled_from(["1990", "1990-05", "1990-05-01", "1991", None]),
    "gioi": st.sampled_from(["1", "2", None]),
    "diem": st.sampled_from([1, 2, None]),
}
cards = st.fixed_dictionaries({"ma": st.sampled_from(["1", "2", "3"]), "so": numbers, **values})
people = st.fixed_dictionaries({"so": numbers, **values})


def rows(made):
    change = st.tuples(st.sampled_from("abc"), st.one_of(made, made, st.none()))
    return st.lists(change, min_size=1, max_size=5)


parts = st.one_of(
    st.tuples(st.just(CARD), rows(cards)), st.tuples(st.just(PERSON), rows(people)), st.tuples(st.just("empty"))
)
steps = st.lists(st.lists(parts, min_size=1, max_size=3), min_size=1, max_size=5)


def expected(two, alike):
    """Judge everything the slow way."""

    def likeness(left, right):
        keys = pl.DataFrame({"l": [left], "r": [right]}).select(
            near_duplicates.matching_key(pl.col(name)) for name in ("l", "r")
        )
        if keys["l"][0] == keys["r"][0]:
            return 1.0 if keys["l"][0] else 0.0
        return alike(keys["l"], keys["r"])[0]

    def applies(each):
        return each["gioi"] == "1" and each["ten"] is not None and "a" in each["ten"]

    return {
        rule.name: judge(
            rule,
            own=two.kept[CARD],
            other=two.kept[rule.comparison.dataset],
            partial_dates=frozenset({"ngay_sinh"}),
            alike=likeness,
            **({"applies": applies} if rule.name == WHEN_RULE else {}),
        )
        for rule in MEASURED_RULES
    }


def results(url, run):
    with psycopg.connect(url) as connection:
        counted = connection.execute(
            "SELECT rule, passed, failed, not_applicable, not_evaluated FROM lienthong.measurement_rule"
            " WHERE measurement = %s",
            [run.id],
        ).fetchall()
        found = connection.execute(
            "SELECT rule, record_id FROM lienthong.finding WHERE closed_at IS NULL AND dataset = 'the'"
        ).fetchall()
        kept = connection.execute("SELECT findings FROM lienthong.dataset_state WHERE dataset = 'the'").fetchone()
    assert kept == (len(found),)
    return {name: counts for name, *counts in counted}, set(found)


@pytest.fixture(scope="module")
def alike():
    with closing(JaroWinkler()) as resembles:
        yield resembles


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.reuse, Phase.generate, Phase.shrink],
    print_blob=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(plan=steps)
def test_a_run_of_what_changed_equals_a_run_over_everything_and_the_slow_way(make_database, alike, monkeypatch, plan):
    # However much changed, only that is looked at: the short way is what is tested here.
    monkeypatch.setattr(measuring_module, "CHANGED_SHARE_MAX", 1_000)
    two = Two(url=make_database("centre").url)
    measuring = PostgresMeasuring(two.url, DICTIONARY, resembles=alike, clock=FixedClock(NOW))
    with closing(two.store):
        measuring.run(CARD_RULES, extent=Extent.WHOLE)
        for step in plan:
            changes = [part for part in step if part[0] != "empty"]
            if len(changes) < len(step):
                two.empty(PERSON)
            if changes:
                two.change(*changes)
            changed = measuring.run(CARD_RULES, extent=Extent.CHANGED)
            assert changed.extent is Extent.CHANGED or not changed.rows_present
            assert changed.result_state in {ResultState.PASSED, ResultState.FOUND}
            incremental = results(two.url, changed)
            letters = expected(two, alike)
            assert incremental[0] == {
                name: [Counter(each.values())[letter] for letter in "pfne"] for name, each in letters.items()
            }
            assert incremental[1] == {
                (name, record) for name, each in letters.items() for record, letter in each.items() if letter == "f"
            }
        whole = measuring.run(CARD_RULES, extent=Extent.WHOLE)
        assert (whole.opened, whole.closed) == (0, 0)
        assert results(two.url, whole) == incremental
