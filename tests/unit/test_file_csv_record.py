"""A record is taken apart as RFC 4180 says; a quote that is not closed properly is found where it was opened."""

from __future__ import annotations

import pytest

from lienthong.adapters.files.csv_record import QUOTED_LINES_MAX, State, read_record


def read(data: bytes, *, final: bool = True, width: int | None = None):
    return read_record(data, 0, delimiter=b",", final=final, width=width)


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        (b"a,b,c\n", (b"a", b"b", b"c")),
        (b"a,b,c\r\n", (b"a", b"b", b"c")),
        (b"a,,\n", (b"a", b"", b"")),
        (b"", (b"",)),
        (b'"a,b",c\n', (b"a,b", b"c")),
        (b'"a ""b"" c"\n', (b'a "b" c',)),
        (b'"a\nb",c\nd\n', (b"a\nb", b"c")),
        (b'5" pipe,c\n', (b'5" pipe', b"c")),
        (b'"",""\r\n', (b"", b"")),
        (b'a,"b"', (b"a", b"b")),
    ],
)
def test_a_record_is_taken_apart(data: bytes, fields: tuple[bytes, ...]):
    record = read(data)
    assert (record.state, record.fields) == (State.WHOLE, fields)


def test_the_end_of_a_record_is_after_its_line_end():
    assert read(b'"a\nb",c\nd\n').end == len(b'"a\nb",c\n')
    assert read(b"a").end == 1


@pytest.mark.parametrize("data", [b'"a"b,c\n', b'"a\nb,"c",d\n', b'x,"open\n', b'"a" ,b\n'])
def test_a_quote_not_closed_where_a_field_ends_is_broken(data: bytes):
    assert read(data).state is State.BROKEN


@pytest.mark.parametrize("data", [b'x,"open\n', b'x,"open"'])
def test_a_quote_that_may_still_be_closed_is_open(data: bytes):
    assert read(data, final=False).state is State.OPEN


def test_a_value_over_too_many_lines_is_a_broken_quote():
    inside = b"\n" * (QUOTED_LINES_MAX + 1)
    assert read(b'"' + inside + b'",b\n').state is State.BROKEN
    assert read(b'"' + inside + b'",b\n', final=False).state is State.BROKEN
    assert read(b'"' + inside[2:] + b'",b\n').state is State.WHOLE


def test_a_value_of_nothing_but_quotes_is_read_once():
    record = read(b'"' + b'""' * 4_000_000 + b'"\n')
    assert record.state is State.WHOLE
    assert len(record.fields[0]) == 4_000_000


def test_a_value_that_hides_whole_rows_is_a_broken_quote():
    data = b'1,"bro,8\n2,b,9\n3,"",10\n'
    assert read(b'1,"x\n2,b,9\n3,y",10\n', width=3).state is State.BROKEN
    assert read(b'1,"x\n2 b 9\n3 y",10\n', width=3).state is State.WHOLE
    assert read(data, width=3).state is State.BROKEN
