"""The envelope: identity, event, version and raw image of every record."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from lienthong.pipeline.envelope import RECORD_ID_CHARACTERS_MAX, wrap
from lienthong.sources.change import (
    DELETE,
    INSERT,
    META_SCHEMA,
    READ,
    UPDATE,
    ChangeBatch,
    SourceColumn,
    SourceId,
    SourceTable,
    TableName,
)

MOMENT = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
TABLE = SourceTable(
    name=TableName(schema="public", table="t"),
    columns=(
        SourceColumn(name="id", type_name="bigint"),
        SourceColumn(name="a", type_name="text"),
        SourceColumn(name="b", type_name="text"),
    ),
    key=("id",),
)


def change(operation: str, values: Sequence[str | None], **meta: object) -> dict[str, object]:
    return {"operation": operation, "values": values, **meta}


def batch(*changes: dict[str, object]) -> ChangeBatch:
    rows = pl.DataFrame(
        [list(c["values"]) for c in changes],  # type: ignore[call-overload]
        schema=dict.fromkeys(TABLE.column_names, pl.String),
        orient="row",
    )
    meta = pl.DataFrame(
        {
            "operation": [c["operation"] for c in changes],
            "commit": [c.get("commit", 100) for c in changes],
            "number": list(range(len(changes))),
            "time": [MOMENT] * len(changes),
            "unchanged": [c.get("unchanged") for c in changes],
            "damaged": [c.get("damaged") for c in changes],
            "old_key": [c.get("old_key") for c in changes],
        },
        schema=dict(META_SCHEMA),
    )
    return ChangeBatch(source=SourceId("s"), table=TABLE, rows=rows, meta=meta)


def nothing(_: Sequence[str]) -> Mapping[str, str]:
    return {}


def test_an_identity_names_the_link_the_table_and_the_key() -> None:
    _, envelope = wrap(batch(change(INSERT, ["7", "x", None])), nothing)
    assert envelope["_record_id"].to_list() == ["s/public.t/7"]


def test_separators_inside_a_key_cannot_make_two_records_one() -> None:
    _, envelope = wrap(batch(change(INSERT, ["1/2", "x", None]), change(INSERT, ["1%2F2", "x", None])), nothing)
    assert envelope["_record_id"].n_unique() == 2


def test_a_key_too_long_for_the_standard_becomes_a_digest_that_stays_unique() -> None:
    long = ["9" * 400, "9" * 399 + "8"]
    _, envelope = wrap(batch(*(change(INSERT, [key, "x", None]) for key in long)), nothing)
    assert envelope["_record_id"].n_unique() == 2
    assert envelope["_record_id"].str.len_chars().max() <= RECORD_ID_CHARACTERS_MAX  # type: ignore[operator]


def test_events_follow_the_operation() -> None:
    _, envelope = wrap(
        batch(
            change(READ, ["1", "x", None]),
            change(INSERT, ["2", "x", None]),
            change(UPDATE, ["3", "x", None]),
            change(DELETE, ["4", None, None]),
        ),
        nothing,
    )
    assert envelope["_event"].to_list() == ["NEW", "NEW", "UPDATE", "CANCEL"]


@given(st.lists(st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]))), min_size=2, max_size=2))
def test_the_image_is_the_row_as_it_came(values: list[str | None]) -> None:
    rows, envelope = wrap(batch(change(INSERT, ["1", *values])), nothing)
    assert json.loads(envelope["_image"][0]) == {"id": "1", "a": values[0], "b": values[1]}
    assert rows.row(0) == ("1", *values)


def test_a_cancelled_record_has_no_image_and_no_values() -> None:
    rows, envelope = wrap(batch(change(DELETE, ["4", "left over", None])), nothing)
    assert envelope["_image"].to_list() == [None]
    assert rows.row(0) == (None, None, None)


def test_only_the_last_change_of_a_record_in_a_batch_is_not_superseded() -> None:
    _, envelope = wrap(
        batch(change(INSERT, ["1", "x", None]), change(INSERT, ["2", "x", None]), change(UPDATE, ["1", "y", None])),
        nothing,
    )
    assert envelope["_superseded"].to_list() == [True, False, False]


def test_a_key_change_ends_the_old_record_and_begins_the_new_one_and_counts_once() -> None:
    rows, envelope = wrap(
        batch(change(INSERT, ["1", "x", "big"]), change(UPDATE, ["5", "y", "big"], old_key=["1"])), nothing
    )
    assert envelope.select("_record_id", "_event", "_counted", "_superseded").rows() == [
        ("s/public.t/1", "NEW", True, True),
        ("s/public.t/1", "CANCEL", False, False),
        ("s/public.t/5", "NEW", True, False),
    ]
    assert rows.row(2) == ("5", "y", "big")


def test_an_unchanged_value_comes_from_the_image_the_centre_holds() -> None:
    def images(ids: Sequence[str]) -> Mapping[str, str]:
        assert list(ids) == ["s/public.t/1"]
        return {"s/public.t/1": json.dumps({"id": "1", "a": "old", "b": "big"})}

    rows, envelope = wrap(batch(change(UPDATE, ["1", "new", None], unchanged=["b"])), images)
    assert rows.row(0) == ("1", "new", "big")
    assert json.loads(envelope["_image"][0])["b"] == "big"


def test_an_unchanged_value_comes_from_an_earlier_change_of_the_same_batch_first() -> None:
    rows, _ = wrap(
        batch(change(UPDATE, ["1", "x", "bigger"]), change(UPDATE, ["1", "y", None], unchanged=["b"])),
        lambda _: {"s/public.t/1": json.dumps({"id": "1", "a": "old", "b": "big"})},
    )
    assert rows.row(1) == ("1", "y", "bigger")


def test_an_unchanged_value_follows_a_key_change() -> None:
    rows, envelope = wrap(
        batch(
            change(UPDATE, ["9", "x", None], unchanged=["b"], old_key=["1"]),
            change(UPDATE, ["9", "z", None], unchanged=["b"]),
        ),
        lambda _: {"s/public.t/1": json.dumps({"id": "1", "a": "old", "b": "big"})},
    )
    kept = rows.filter(envelope["_event"] != "CANCEL")
    assert kept["b"].to_list() == ["big", "big"]


def test_a_record_deleted_and_made_anew_does_not_inherit_values() -> None:
    _, envelope = wrap(
        batch(
            change(DELETE, ["1", None, None]),
            change(UPDATE, ["1", "x", None], unchanged=["b"]),
        ),
        lambda _: {"s/public.t/1": json.dumps({"id": "1", "a": "old", "b": "big"})},
    )
    assert envelope["_damaged"].to_list() == [None, ["b"]]


def test_an_unchanged_value_nobody_knows_marks_the_row_so_that_it_is_quarantined() -> None:
    _, envelope = wrap(batch(change(UPDATE, ["1", "x", None], unchanged=["b"])), nothing)
    assert envelope["_damaged"].to_list() == [["b"]]
