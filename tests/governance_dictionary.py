"""A dictionary of four items, small enough to be proposed, approved, released and damaged in a test."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from textwrap import dedent

from lienthong.dictionary.governance import ItemKey, StatusEvent
from lienthong.dictionary.model import AgencyId, Ref, Status
from lienthong.wiring.governance import Decision, Desk, Who, approve, consult, propose, review

AN = Who(actor="Trần An", agency=AgencyId("G01"))
BINH = Who(actor="Lê Bình", agency=AgencyId("G01"))
SOURCES = "sources:\n  - document: Bài kiểm tra\n    trust: own\n"
DECISION = Decision(number="1/QĐ-TEST", effective=date(2026, 1, 1))

ELEMENT = """\
concept: xe.{name}
{conflicts}definition:
  vi: {definition}
id: {id}
label:
  vi: {label}
level: national
owner: {owner}
sensitivity: public
{sources}status: proposed
technical_name: {name}
value_domain: {domain}
version: {version}
"""
DOMAIN = """\
datatype: text
id: vd-ten-xe
label:
  vi: Tên xe
level: national
max_length: {length}
rdf_type: xsd:string
{sources}standardiser: text
status: proposed
version: {version}
"""
CODED = """\
code_list: mau-xe
datatype: code
id: vd-mau-xe
label:
  vi: Màu xe
level: national
rdf_type: xsd:string
{sources}standardiser: code
status: proposed
version: 1.0.0
"""
COLOURS = """\
id: mau-xe
label:
  vi: Màu xe
level: national
{sources}status: proposed
version: {version}
"""
CODES = """\
code,label_vi,label_en,valid_from,valid_to,parent,replaced_by,source
D,Đỏ,Red,2000-01-01,,,,
X,Xanh,Green,2000-01-01,2020-01-01,,D,
"""
DATASET = """\
definition:
  vi: Những chiếc xe được dùng trong bài kiểm tra
domain: Tài sản
id: xe
label:
  vi: Xe
level: national
members:
  - element: TenXe
    key: true
    required: true
  - element: MauXe
{sources}status: proposed
table: xe
version: 1.0.0
"""
CONFLICT = """\
conflicts:
  - descriptor: max_length
    source:
      document: Một nguồn khác
      trust: summary
    value: '50'
"""


def element(
    id_: str = "TenXe",
    *,
    version: str = "1.0.0",
    definition: str | None = None,
    label: str | None = None,
    domain: str | None = None,
    conflicts: str = CONFLICT,
    owner: str = "G01",
) -> str:
    """Return the YAML file of an element."""
    name = {"TenXe": "ten_xe", "MauXe": "mau_xe"}.get(id_, id_.lower())
    return ELEMENT.format(
        id=id_,
        name=name,
        version=version,
        label=label or f"Nhãn của {id_}",
        definition=definition or f"Điều mà {id_} nói về một chiếc xe",
        domain=domain or {"MauXe": "vd-mau-xe@1.0.0"}.get(id_, "vd-ten-xe@1.0.0"),
        conflicts=conflicts,
        owner=owner,
        sources=SOURCES,
    )


def domain(*, version: str = "1.0.0", length: int = 50) -> str:
    """Return the YAML file of the text domain."""
    return DOMAIN.format(version=version, length=length, sources=SOURCES)


def colours(*, version: str = "1.0.0") -> str:
    """Return the YAML file of the code list."""
    return COLOURS.format(version=version, sources=SOURCES)


def write_dictionary(folder: Path) -> Path:
    """Write the dictionary into a folder and return it."""
    files = {
        "release.yaml": f"{SOURCES}status: proposed\nversion: 0.1.0\n",
        "elements/tai-san/TenXe.yaml": element("TenXe"),
        "elements/tai-san/MauXe.yaml": element("MauXe"),
        "domains/vd-ten-xe.yaml": domain(),
        "domains/vd-mau-xe.yaml": CODED.format(sources=SOURCES),
        "codelists/mau-xe.yaml": colours(),
        "codelists/mau-xe.csv": CODES,
        "datasets/xe.yaml": DATASET.format(sources=SOURCES),
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(dedent(text), encoding="utf-8")
    return folder


def write(path: Path, text: str) -> Path:
    """Write a file somebody proposes and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def approved(desk: Desk, *paths: Path, decision: Decision = DECISION, with_related: bool = False) -> int:
    """Take a proposal all the way to approval and return its task."""
    task = propose(desk, paths, who=AN, reason="bài kiểm tra", with_related=with_related).task
    assert task is not None
    review(desk, str(task), who=BINH)
    consult(desk, str(task), who=BINH, outcome="mọi cơ quan đồng ý")
    approve(desk, str(task), who=BINH, decision=decision)
    return task


def event(after: Status, *, version: str = "1.0.0", before: Status | None = None, **more: object) -> StatusEvent:
    """Return an event that keeps the rules unless a fact given breaks one."""
    from datetime import UTC, datetime

    facts: dict[str, object] = {
        "key": ItemKey(kind="data-element", id="TenXe"),
        "version": version,
        "before": before,
        "after": after,
        "agency": AgencyId("G01"),
        "actor": "Trần An" if after is Status.PROPOSED else "Lê Bình",
        "content_hash": "a" * 64,
        "recorded_at": datetime(2026, 3, 1, tzinfo=UTC),
        "task": 1,
        "reason": None if after in {Status.REVIEW, Status.APPROVED} else "bài kiểm tra",
    }
    if after in {Status.APPROVED, Status.SUPERSEDED, Status.RETIRED}:
        facts |= {"decision": "1/QĐ-TEST", "effective": date(2026, 3, 1)}
    if after is Status.SUPERSEDED:
        facts["successor"] = Ref(id="MauXe", version="1.0.0")
    return StatusEvent(**{**facts, **more})  # type: ignore[arg-type] # facts by name
