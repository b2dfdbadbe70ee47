"""Numbers and signs that name a thing (số, ký hiệu): no spaces, capitals.

Rule: the rule of ``text``, then all spaces go and letters become capitals. Dots, dashes and slashes belong to many
numbers and stay. Leading zeros are never added or taken away.
"""

from __future__ import annotations

import polars as pl

from lienthong.dictionary.model import Datatype, Source, Text, Trust
from lienthong.standardise.cleaning import clean, composed, without_spaces
from lienthong.standardise.kernel import BoundKernel, Kernel, KernelContext, KernelResult, settle


def _bind(_: KernelContext) -> BoundKernel:
    return _run


def _run(source: pl.Series) -> KernelResult:
    cleaned = clean(source)
    capitals = without_spaces(cleaned.text).str.to_uppercase()
    return settle(source, composed(capitals), refused=cleaned.refused)


KERNEL = Kernel(
    name="identifier",
    version="1.0.0",
    rule=Text(
        vi="Bỏ khoảng trắng và ký tự ẩn, viết hoa chữ cái; giữ dấu chấm, gạch và các số 0 ở đầu.",
        en="Spaces and invisible characters go, letters become capitals; dots, dashes and leading zeros stay.",
    ),
    sources=(Source(document="lienthong", trust=Trust.OWN),),
    datatypes=frozenset({Datatype.TEXT}),
    bind=_bind,
)
