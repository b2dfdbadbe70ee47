"""Yes and no (có, không).

Rule: true, t, 1, có are yes; false, f, 0, không are no, in any case. Everything else is refused: an empty box
is empty, not no.
"""

from __future__ import annotations

import polars as pl

from lienthong.dictionary.model import Datatype, Source, Text, Trust
from lienthong.standardise.cleaning import clean
from lienthong.standardise.kernel import BoundKernel, Kernel, KernelContext, KernelResult, settle

_YES = ("true", "t", "1", "có")
_NO = ("false", "f", "0", "không")
_READINGS = {**dict.fromkeys(_YES, True), **dict.fromkeys(_NO, False)}


def _bind(_: KernelContext) -> BoundKernel:
    return _run


def _run(source: pl.Series) -> KernelResult:
    cleaned = clean(source)
    values = cleaned.text.str.to_lowercase().replace_strict(_READINGS, default=None, return_dtype=pl.Boolean)
    return settle(
        source,
        values,
        refused=cleaned.unread(values),
        same=source.is_in(["true", "false"]),
    )


KERNEL = Kernel(
    name="boolean",
    version="1.0.0",
    rule=Text(
        vi="true, t, 1, có là đúng; false, f, 0, không là sai; giá trị khác bị từ chối; để trống không có "
        "nghĩa là không.",
        en="true, t, 1, có are yes; false, f, 0, không are no; everything else is refused; empty is not no.",
    ),
    sources=(Source(document="lienthong", trust=Trust.OWN, note="true/false, t/f: as PostgreSQL writes booleans"),),
    datatypes=frozenset({Datatype.BOOLEAN}),
    bind=_bind,
)
