"""Pages for print, set by Typst with letters it carries itself: the machine needs no font, and gets no network."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any, Final, cast

import typst

from lienthong.errors import Actor, LienthongError

PICTURE_DOTS_PER_INCH: Final = 110.0


class PageNotSet(LienthongError, code="OVS-231", actor=Actor.DEVELOPER):
    """A page could not be typeset."""

    message = "the report {template} could not be typeset"
    hint = "write the report as XLSX or JSON meanwhile, and report the version of the product: lienthong --version"


def set_pdf(template: str, data: Mapping[str, Any], *, made_at: datetime) -> bytes:
    """Return a template filled with data as PDF; the same data and moment give the same bytes.

    Data enter as data, never as text of the template: nothing in them is read as a command.

    Raises:
        PageNotSet: the template and the data do not fit each other.
    """
    return _set(template, data, kind="pdf", made_at=made_at)[0]


def set_pictures(template: str, data: Mapping[str, Any], *, made_at: datetime) -> tuple[bytes, ...]:
    """Return the pages of a filled template as PNG, for looking at them."""
    return _set(template, data, kind="png", made_at=made_at)


def _set(template: str, data: Mapping[str, Any], *, kind: str, made_at: datetime) -> tuple[bytes, ...]:
    # A folder of its own, with nothing but the template, is all that can be read from.
    with tempfile.TemporaryDirectory(prefix="lienthong-page-") as folder:
        page = Path(folder) / "page.typ"
        page.write_bytes(resources.files(__package__).joinpath(f"{template}.typ").read_bytes())
        try:
            made: object = typst.compile(
                str(page),
                root=folder,
                ignore_system_fonts=True,
                format="pdf" if kind == "pdf" else "png",
                ppi=None if kind == "pdf" else PICTURE_DOTS_PER_INCH,
                sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
                package_path=folder,
                package_cache_path=folder,
                timestamp=made_at.replace(microsecond=0),  # a document has no finer time
            )
        except RuntimeError as cause:
            raise PageNotSet(template=template) from cause
    return tuple(made) if isinstance(made, list) else (cast("bytes", made),)
