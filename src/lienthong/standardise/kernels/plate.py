"""Vehicle plates (biển số xe): local code and series, a dash, four or five digits: "29A-12345", "59X1-2345".

Rule: the rule of ``text``, capitals; the dash stands before the number and nowhere else, the point in it goes.
Where nothing separates series and number, five digits after the letters have two readings ("29A12345" is 29A-12345
or 29A1-2345, two vehicles): ambiguous, both are proposed. A point inside the number ("29A123.45") or another count
of digits decides. Plates of other forms (army, diplomats) stay as written, in capitals.
"""

from __future__ import annotations

import polars as pl

from lienthong.dictionary.model import Datatype, Source, Text, Trust
from lienthong.standardise.cleaning import composed
from lienthong.standardise.identifiers import DASHES, bound
from lienthong.standardise.kernel import Kernel
from lienthong.standardise.readings import Reason, rewritten

_APART = r"^([0-9]{2})[ .-]*([A-Z]{1,2}[0-9]?)[ .-]+([0-9]{3}[ .-]?[0-9]{2}|[0-9]{2}[ .-]?[0-9]{2})$"
_POINTED = r"^([0-9]{2})[ .-]*([A-Z]{1,2}[0-9]?)([0-9]{3}[.][0-9]{2})$"
_COUNTED = (r"^([0-9]{2})[ .-]*([A-Z]{1,2})([0-9]{4})$", r"^([0-9]{2})[ .-]*([A-Z]{1,2}[0-9])([0-9]{5})$")
_RUN_ON = r"^([0-9]{2})[ .-]*([A-Z]{1,2})([0-9])([0-9]{4})$"
_CIVIL = r"^[0-9]{2}[A-Z]{1,2}[0-9]?-[0-9]"

_READINGS = (
    rewritten(_RUN_ON, "${1}${2}-${3}${4}", Reason.SEPARATOR_LOST),
    rewritten(_RUN_ON, "${1}${2}${3}-${4}", Reason.SEPARATOR_LOST),
)


def _tidy(text: pl.Series) -> pl.Series:
    plate = pl.col("plate")
    for pattern in (_APART, _POINTED, *_COUNTED):
        plate = plate.str.replace(pattern, "${1}${2}-${3}")
    number = plate.str.slice(plate.str.find("-", literal=True) + 1)
    front = plate.str.head(plate.str.find("-", literal=True) + 1)
    plate = pl.when(plate.str.contains(_CIVIL)).then(front + number.str.replace_all("[ .-]", "")).otherwise(plate)
    written = composed(text.str.to_uppercase().str.replace_all(DASHES, "-"))
    return composed(written.to_frame("plate").select(plate.str.replace_all(" ", "", literal=True)).to_series())


KERNEL = Kernel(
    name="plate",
    version="1.0.0",
    rule=Text(
        vi="Viết hoa; mã địa phương và sê-ri viết liền, gạch ngang, rồi số; bỏ dấu chấm trong số. Không có dấu ngăn "
        "và có 5 chữ số sau chữ cái thì chưa rõ (hai cách đọc).",
        en="Capitals; local code and series together, a dash, the number without its point. Without a separator five "
        "digits after the letters have two readings: ambiguous.",
    ),
    sources=(
        Source(document="poohoh/regex_license_plate", trust=Trust.VENDOR),
        Source(document="PyPI biensoxe 0.8.5", trust=Trust.VENDOR),
    ),
    datatypes=frozenset({Datatype.TEXT}),
    bind=bound(_tidy, _READINGS),
    readings=_READINGS,
    tidy=_tidy,
    doubts=True,
)
