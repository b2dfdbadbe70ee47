"""COPY's CSV back into exactly the values that were written."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from lienthong.adapters.postgres.snapshot import parse

TEXTS = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=20)
ROWS = st.integers(min_value=1, max_value=4).flatmap(
    lambda width: st.lists(
        st.lists(st.one_of(st.none(), TEXTS), min_size=width, max_size=width), min_size=1, max_size=8
    )
)


def copy_csv(row: list[str | None]) -> bytes:
    """Write a row as ``COPY … (FORMAT csv)`` does: quotes where needed, nothing for NULL."""
    cells = []
    for value in row:
        if value is None:
            cells.append("")
        elif value in {"", "\\."} or any(mark in value for mark in ',"\r\n'):
            cells.append('"' + value.replace('"', '""') + '"')
        else:
            cells.append(value)
    return (",".join(cells) + "\n").encode()


@given(rows=ROWS)
@example(rows=[[None]])
@example(rows=[[""], [None], ["\ufeff"], ["\r\n"], [" x "]])
def test_every_value_comes_back_as_it_was(rows):
    names = [f"column {place}" for place in range(len(rows[0]))]
    frame, damaged = parse(names, [copy_csv(row) for row in rows])
    assert frame.columns == names
    assert [list(row) for row in frame.rows()] == rows
    assert damaged.null_count() == len(rows)


def test_a_value_larger_than_a_megabyte_between_small_ones():
    large = "ấp, " * 1_000_000
    frame, _ = parse(["a", "b"], [copy_csv(["1", "x"]), copy_csv([large, None]), copy_csv(["3", ""])])
    assert frame["a"].to_list() == ["1", large, "3"]
    assert frame["b"].to_list() == ["x", None, ""]


def test_damaged_bytes_are_escaped_in_their_row_only():
    frame, damaged = parse(["a", "b"], [b'ok,"\xff"\n', b"\xc4\x91,\n"])
    assert frame.rows() == [("ok", "\\xff"), ("đ", None)]
    assert damaged.to_list() == [["b"], None]
