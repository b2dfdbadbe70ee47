"""The bytes of a text file as UTF-8, whatever they were written in (bảng mã của tệp)."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lienthong.dictionary.model import Text
from lienthong.sources.file_block import Note
from lienthong.sources.file_refusals import EncodingNotValid, FileNotReadable, OptionNotValid

SAMPLE_BYTES: Final = 1_000_000
BAD_LINES_SHARE_MAX: Final = 0.05  # of lines; above it the whole file is in another encoding
BAD_LINES_MIN: Final = 5
NUL_SHARE_MIN: Final = 0.1  # of bytes; text in UTF-16 has nearly half

ENCODINGS: Final = ("utf-8", "utf-16", "utf-16-le", "utf-16-be", "cp1258", "cp1252", "iso8859-1")
_MARKS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Sniffed:
    """How a text file is written."""

    encoding: str
    mark: int  # bytes of the byte order mark
    carriage_returns: bool  # lines end with CR alone
    size: int
    notes: tuple[Note, ...] = ()


def sniff(path: Path, wanted: str | None) -> Sniffed:
    """Look at the beginning of a file.

    Raises:
        EncodingNotValid: the text is in another encoding than UTF-8 and nobody said in which.
    """
    try:
        with path.open("rb") as file:
            sample = file.read(SAMPLE_BYTES)
        size = path.stat().st_size
    except OSError as cause:
        raise FileNotReadable(path=path, reason=cause.strerror or "cannot be opened") from cause
    mark, marked = next(((len(mark), name) for mark, name in _MARKS if sample.startswith(mark)), (0, None))
    encoding = _chosen(wanted, marked) or marked or "utf-8"
    if marked not in (None, encoding):
        raise EncodingNotValid(
            path=path, line=1, reason=f"the byte order mark says {marked}", fix="leave --encoding out"
        )
    notes = []
    if marked is not None:
        text = Text(vi=f"tệp có dấu thứ tự byte (BOM) {marked}", en=f"the file has a {marked} byte order mark")
        notes.append(Note(kind="byte-order-mark", text=text))
    if encoding != "utf-8":
        notes.append(
            Note(kind="encoding", text=Text(vi=f"tệp được đọc theo bảng mã {encoding}", en=f"read as {encoding}"))
        )
    if wanted is None and marked is None:
        _refuse_others(path, sample, whole=len(sample) == size)
    body = sample[mark:]
    alone = b"\r" in body and b"\n" not in body
    return Sniffed(encoding=encoding, mark=mark, carriage_returns=alone, size=size, notes=tuple(notes))


def _chosen(wanted: str | None, marked: str | None) -> str | None:
    if wanted is None:
        return None
    try:
        name = codecs.lookup(wanted).name
    except LookupError as cause:
        raise _unknown() from cause
    if name == "utf-8-sig":
        name = "utf-8"
    if name not in ENCODINGS:
        raise _unknown()
    return "utf-16-le" if name == "utf-16" and marked is None else (marked if name == "utf-16" else name)


def _unknown() -> OptionNotValid:
    return OptionNotValid(
        option="--encoding", reason="not an encoding this command reads", fix=f"write one of: {', '.join(ENCODINGS)}"
    )


def _refuse_others(path: Path, sample: bytes, *, whole: bool) -> None:
    if sample and sample.count(b"\0") / len(sample) > NUL_SHARE_MIN:
        order = "utf-16-le" if sample[1::2].count(b"\0") >= sample[::2].count(b"\0") else "utf-16-be"
        raise EncodingNotValid(
            path=path,
            line=1,
            reason="every other byte is zero, as in UTF-16",
            fix=f"run again with --encoding {order}",
        )
    lines = sample.split(b"\n")
    if not whole and len(lines) > 1:
        lines.pop()  # cut in the middle
    bad = [place for place, line in enumerate(lines, start=1) if not _is_utf8(line)]
    if len(bad) >= BAD_LINES_MIN and len(bad) > BAD_LINES_SHARE_MAX * len(lines):
        raise EncodingNotValid(
            path=path,
            line=bad[0],
            reason=f"{len(bad)} of the first {len(lines)} lines are not UTF-8",
            fix="save the file as UTF-8, or name its encoding: --encoding cp1258 (Windows), "
            "--encoding cp1252 (fonts of TCVN3 and VNI)",
        )


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def utf8_blocks(
    path: Path, sniffed: Sniffed, *, block_bytes: int, position: list[int] | None = None
) -> Iterator[bytes]:
    """Yield the text as UTF-8; bytes that are no text of a one-byte encoding stay and are found later.

    ``position`` is told how many bytes of the file are read.
    """
    decoder = None
    if sniffed.encoding != "utf-8":
        errors = "strict" if sniffed.encoding.startswith("utf-16") else "surrogateescape"
        decoder = codecs.getincrementaldecoder(sniffed.encoding)(errors)
    at = sniffed.mark
    try:
        with path.open("rb") as file:
            file.seek(at)
            while True:
                # What is appended meanwhile is not read: a file that grows for ever would never end.
                block = file.read(min(block_bytes, sniffed.size - at))
                text = block if decoder is None else _transcoded(decoder, block, path=path, at=at)
                at += len(block)
                if position is not None:
                    position[0] = at
                if text:
                    yield text.replace(b"\r", b"\n") if sniffed.carriage_returns else text
                if not block:
                    return
    except OSError as cause:
        raise FileNotReadable(path=path, reason=cause.strerror or "cannot be read") from cause


def _transcoded(decoder: codecs.IncrementalDecoder, block: bytes, *, path: Path, at: int) -> bytes:
    try:
        return decoder.decode(block, not block).encode("utf-8", "surrogateescape")
    except UnicodeError as cause:
        raise EncodingNotValid(
            path=path,
            line=1,
            reason=f"not the text it should be near byte {at}",
            fix="copy the file again, or correct --encoding",
        ) from cause
