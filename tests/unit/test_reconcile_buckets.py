"""Digests of both sides of a comparison, buckets, and what is opened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from lienthong.centre.reconciling import (
    BUCKETS,
    Buckets,
    Difference,
    DifferenceKind,
    Reconciliation,
    compare_rows,
    digested,
    only,
    values_of,
)
from lienthong.dictionary.model import DatasetId
from lienthong.sources.change import SourceId, TableName
from lienthong.wiring.reconciling import Nights
from lienthong.wiring.settings import ReconcilingSettings, SettingNotValid, load_settings

SALT = b"\x01" * 32
COLUMNS = ("a", "b")
NOON = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)  # in Vietnam
ONE_AT_NIGHT = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)


def of_source(*rows: tuple[str, str | None, str | None], salt: bytes = SALT) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema={"id": pl.String, "a": pl.String, "b": pl.String}, orient="row")
    return digested(frame["id"], frame.select(pl.struct(COLUMNS)).to_series(), salt=salt)


def of_centre(*rows: tuple[str, str], doubtful: tuple[str, ...] = ()) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema={"id": pl.String, "image": pl.String}, orient="row")
    found = digested(frame["id"], values_of(frame["image"], COLUMNS), salt=SALT)
    return found.with_columns(pl.col("record_id").is_in(list(doubtful)).alias("doubtful"))


def side(*parts: pl.DataFrame) -> Buckets:
    made = Buckets()
    for part in parts:
        made.add(part.select(pl.exclude("doubtful")))
    return made


@pytest.mark.parametrize(
    ("values", "image"),
    [
        (("1", None), '{"a":"1","b":null}'),
        (("1", None), '{"a":"1"}'),  # made before the source had the column
        (("1", "2"), '{"b": "2", "c": "not compared", "a": "1"}'),
        (('"\\\n\t\u2028\u0000', "é"), '{"a":"\\"\\\\\\n\\t\\u2028\\u0000","b":"\\u00e9"}'),
        ((None, ""), '{"a":null,"b":""}'),
        ((None, None), "{}"),
    ],
)
def test_a_row_and_the_image_it_became_have_the_same_digest(values, image):
    assert of_source(("r", *values)).equals(of_centre(("r", image)).drop("doubtful"))


@pytest.mark.parametrize(
    "image",
    [
        '{"a":"1","b":""}',
        '{"a":"1 ","b":null}',
        '{"a":"1","b":"null"}',
        '{"a":[1],"b":null}',
        "[1]",
        "null",
        "no json",
        "",
    ],
)
def test_any_other_image_has_another_digest_also_one_that_is_no_image(image):
    rows = of_source(("r", "1", None))
    assert side(rows).differing(side(of_centre(("r", image)))) == frozenset(rows["bucket"])


def test_a_broken_image_does_not_hide_that_the_others_are_equal():
    source = of_source(("r1", "1", None), ("r2", "2", "x"))
    centre = of_centre(("r1", "no json"), ("r2", '{"a":"2","b":"x"}'))
    assert compare_rows(source, centre).differences.rows() == [("r1", "differing")]


def test_the_order_and_the_blocks_in_which_rows_come_do_not_matter():
    rows = [(f"r{place}", str(place), None) for place in range(1_000)]
    one, other = side(of_source(*rows)), side(of_source(*rows[500:]), of_source(*rows[:500][::-1]))
    assert one.differing(other) == frozenset()
    assert (one.rows, one.digest(salt=SALT)) == (1_000, other.digest(salt=SALT))


def test_values_moved_between_columns_or_records_are_seen():
    assert side(of_source(("r", "1", "2"))).differing(side(of_source(("r", "2", "1"))))
    swapped = side(of_source(("r", "1", None), ("s", "2", None)))
    assert swapped.differing(side(of_source(("r", "2", None), ("s", "1", None))))


def test_a_row_twice_is_not_a_row_once():
    row = of_source(("r", "1", None))
    assert side(row, row).differing(side(row)) == frozenset(row["bucket"])


def test_another_salt_gives_other_digests_so_nobody_can_prepare_rows_that_cancel_out():
    lanes = [of_source(("r", "1", None), salt=salt).drop("bucket").rows() for salt in (SALT, b"\x02" * 32)]
    assert lanes[0] != lanes[1]


def test_records_are_named_by_side():
    source = of_source(("both", "1", None), ("changed", "1", None), ("source", "1", None))
    centre = of_centre(("both", '{"a":"1"}'), ("changed", '{"a":"2"}'), ("centre", '{"a":"1"}'))
    assert dict(compare_rows(source, centre).differences.iter_rows()) == {
        "changed": "differing", "source": "missing", "centre": "surplus",
    }  # fmt: skip


def test_a_doubtful_row_is_decided_by_the_source():
    source = of_source(("there", "1", None), ("other", "1", None))
    centre = of_centre(
        ("there", '{"a":"1"}'), ("gone", '{"a":"1"}'), ("other", '{"a":"2"}'), doubtful=("there", "gone", "other")
    )
    opened = compare_rows(source, centre)
    assert opened.differences.rows() == [("other", "differing")]
    assert opened.present["record_id"].to_list() == ["there"]


def test_as_many_buckets_are_opened_as_fit_and_one_at_least():
    rows = of_source(*((f"r{place}", "1", None) for place in range(10_000)))
    source, centre = side(rows), Buckets()
    unlike = source.differing(centre)
    assert len(unlike) > BUCKETS * 0.8
    few = source.within(unlike, centre, rows_max=100)
    assert 0 < only(rows, few).height <= 100
    assert few == frozenset(sorted(unlike)[: len(few)])
    assert len(source.within(unlike, centre, rows_max=0)) == 1


def test_a_personal_number_in_a_key_is_masked():
    shown = Difference(record_id="ca-mau/public.nguoi/001088000123", kind=DifferenceKind.MISSING).shown
    assert shown == "ca-mau/public.nguoi/001•••••••23"


def test_no_result_is_never_equal():
    facts = {
        "link": SourceId("l"), "table": TableName(schema="s", table="t"), "dataset": DatasetId("d"),
        "began_at": NOON, "ended_at": NOON,
    }  # fmt: skip
    for wrong in ({"equal": True, "missing": 1}, {"equal": None}, {"equal": True, "error": "CEN-201"}):
        with pytest.raises(AssertionError):
            Reconciliation(**facts, **wrong)


def test_a_night_is_compared_once_and_tried_again_when_there_was_no_result():
    nights = Nights(ReconcilingSettings(at_hour=1), since=NOON)
    assert not nights.due(ONE_AT_NIGHT - timedelta(seconds=1))
    assert nights.due(ONE_AT_NIGHT)
    nights.tried(ONE_AT_NIGHT, done=False)
    assert not nights.due(ONE_AT_NIGHT + timedelta(minutes=29))
    assert nights.due(ONE_AT_NIGHT + timedelta(minutes=30))
    nights.tried(ONE_AT_NIGHT + timedelta(minutes=31), done=True)
    assert not nights.due(ONE_AT_NIGHT + timedelta(hours=23))
    assert nights.due(ONE_AT_NIGHT + timedelta(hours=24))


def test_a_clock_set_back_makes_no_comparison_come_twice_and_stops_none():
    nights = Nights(ReconcilingSettings(at_hour=1), since=NOON)
    nights.tried(ONE_AT_NIGHT, done=True)
    assert not nights.due(datetime(1970, 1, 1, tzinfo=UTC))
    nights.tried(ONE_AT_NIGHT + timedelta(days=1), done=False)
    assert nights.due(ONE_AT_NIGHT + timedelta(hours=23, minutes=59, days=1) - timedelta(hours=24)) is False
    assert nights.due(ONE_AT_NIGHT + timedelta(days=2))


@pytest.mark.parametrize(
    "text", ["at_hour = 24", "at_hour = true", 'nightly = "yes"', "wait_minutes = 0", "hour = 1"]
)
def test_a_timetable_that_makes_no_sense_is_refused(tmp_path, text):
    path = tmp_path / "lienthong.toml"
    path.write_text(
        "".join(f'[centre.{name}]\nurl = "postgresql://x@/x"\n' for name in ("writer", "reader", "gateway"))
        + f"[reconciling]\n{text}\n",
        encoding="utf-8",
    )
    with pytest.raises(SettingNotValid, match="reconciling"):
        load_settings(path, {})
