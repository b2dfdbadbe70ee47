"""The line reader of the dictionary's YAML never differs from the YAML parser: it agrees, or leaves it to the parser."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from lienthong.dictionary.documents import parse_document
from lienthong.dictionary.load import FOLDERS
from lienthong.dictionary.plain_yaml import read_plain
from lienthong.dictionary.shipped import shipped_folder

SHIPPED = [path for name in FOLDERS for path in sorted((shipped_folder("dictionary") / name).rglob("*.yaml"))]
SAMPLE = next(path for path in SHIPPED if path.stem == "HoVaTen").read_text(encoding="utf-8")
LINES = SAMPLE.splitlines()

pieces = st.sampled_from(
    [
        "", " ", "  ", "- ", "-", "a", "b:", "b: ", "b: c", ": ", " #", "# x", "'", "''", "'x'", '"', "true", "True", "yes",
        "null", "~", "0", "050", "1.0", "1.0.0", "2025-02-30", "2025-03-01", "1e3", "0x1", "{", "}", "[a]", "&a", "*a", "|",
        ">", "?", "%", "@", "!", "---", "...", "<<", "=", "\t", "\u2028", "\x85", "\u00a0", "\ufeff", "\x07", ":", "Đ",
        "x: y: z", "on", "n", "http://x", "key:value",
    ]
)  # fmt: skip
values = st.lists(pieces, max_size=3).map("".join)
lines = st.builds(
    lambda indent, dash, key, value: " " * indent + dash + key + value,
    st.integers(0, 6),
    st.sampled_from(["", "", "- "]),
    st.sampled_from(["", "a: ", "b: ", "c:", "d: ", "on: "]),
    values,
)


def agrees(text: str) -> bool:
    """Return whether the line reader read the text, after comparing it with the parser."""
    read = read_plain(text)
    if read is None:
        return False
    problems: list[object] = []
    document = parse_document("x.yaml", text, problems)  # type: ignore[arg-type] # collects whatever is noted
    assert document is not None
    assert problems == []
    assert repr(document.value) == repr(read)  # repr: 1 and True are equal, and order counts
    return True


def test_every_shipped_file_is_read_alike_and_hardly_one_needs_the_parser() -> None:
    read = [agrees(path.read_text(encoding="utf-8")) for path in SHIPPED]
    assert sum(read) > 0.9 * len(read)


@given(st.lists(lines, min_size=1, max_size=8))
@example(["a:", "  - b: x", "    c: y", "  - b: z"])
@example(["a:", "  b:", "    - x", "  c: y", "d: z"])
@example(["a: x", "# why", "b: 'y'"])
@example(["a: x", "  y"])
@example(["a:", "- x"])
@example(["a: 'x", "# y'", "b: z"])
@example(["a: |", "# x", "b: y"])
@example(["a:", "b: x"])
def test_any_lines_are_read_alike_or_left_to_the_parser(written: list[str]) -> None:
    agrees("\n".join(written) + "\n")


@given(at=st.integers(0, len(LINES) - 1), line=lines, replace=st.booleans())
def test_a_file_with_one_odd_line_is_read_alike_or_left_to_the_parser(*, at: int, line: str, replace: bool) -> None:
    changed = [*LINES[:at], line, *LINES[at + replace :]]
    agrees("\n".join(changed) + "\n")


@given(st.integers(0, len(LINES) - 1), values)
def test_a_file_with_one_odd_value_is_read_alike_or_left_to_the_parser(at: int, value: str) -> None:
    head, colon, _ = LINES[at].partition(": ")
    changed = [*LINES[:at], head + colon + value, *LINES[at + 1 :]]
    agrees("\n".join(changed) + "\n")


@given(st.lists(st.sampled_from("abcđ:-#'\" \n0{[&|"), max_size=60).map("".join))
def test_any_text_is_read_alike_or_left_to_the_parser(text: str) -> None:
    agrees(text + "\n")
