"""The 26 rules about the register, in the language of rules, and the dictionary they are bound to."""

from __future__ import annotations

from lienthong.check.language import literal
from lienthong.check.program import RuleProgram, compile_program
from lienthong.check.verdict import Criterion, Rule, RuleSet, Severity
from lienthong.dictionary.model import (
    Code,
    CodeList,
    CodeListId,
    Dataset,
    DatasetId,
    Datatype,
    Dictionary,
    DomainId,
    Element,
    ElementId,
    Identity,
    Level,
    Member,
    Ref,
    Sensitivity,
    Status,
    Text,
    ValueDomain,
)
from register_rows import COLUMNS, PROVINCES, REGISTRIES, STALE_BEFORE, WEIGHTS, communes

NUMBER, NAME, BIRTH, SEX = "so_dinh_danh", "ho_va_ten", "ngay_sinh", "gioi_tinh"
PROVINCE, COMMUNE, PHONE, TAX = "ma_tinh_thuong_tru", "ma_xa_thuong_tru", "so_dien_thoai", "ma_so_thue"
MARRIED, SPOUSE, STATUS, DEATH = "hon_nhan", "so_vo_chong", "tinh_trang", "ngay_mat"
VALUES = [name for name in COLUMNS if name not in {"_record_id", "record_day"}]
DATES = {BIRTH, DEATH}
LISTS = {PROVINCE: "tinh", COMMUNE: "xa"}

_DIGITS = f"regexp_like({NUMBER}, '^[0-9]{{12}}$')"
_TAX = f"regexp_like({TAX}, '^[0-9]{{10}}$')"
_DIGIT = f"substr({NUMBER}, 4, 1)"


def _sum() -> str:
    terms = " + ".join(
        f"{weight} * TRY_CAST(substr({TAX}, {place}, 1) AS BIGINT)" for place, weight in enumerate(WEIGHTS, start=1)
    )
    return f"10 - ({terms}) % 11 = TRY_CAST(substr({TAX}, 10, 1) AS BIGINT)"


def _century() -> str:
    cases = " ".join(f"WHEN {_DIGIT} IN ('{2 * at}', '{2 * at + 1}') THEN '{19 + at}'" for at in range(3))
    return f"CASE {cases} ELSE '' END"


_YEAR = f"CAST({BIRTH} AS VARCHAR)"

RULES: tuple[tuple[str, str | None, str, str], ...] = (
    ("R01", NUMBER, "TRUE", f"{NUMBER} IS NOT NULL"),
    ("R02", NAME, "TRUE", f"{NAME} IS NOT NULL"),
    ("R03", BIRTH, "TRUE", f"{BIRTH} IS NOT NULL"),
    ("R04", SEX, "TRUE", f"{SEX} IS NOT NULL"),
    ("R05", COMMUNE, "TRUE", f"{COMMUNE} IS NOT NULL"),
    ("R06", PROVINCE, "TRUE", f"{PROVINCE} IS NOT NULL"),
    ("R07", NUMBER, f"{NUMBER} IS NOT NULL", _DIGITS),
    ("R08", NAME, f"{NAME} IS NOT NULL", f"length({NAME}) >= 2"),
    ("R09", NAME, f"{NAME} IS NOT NULL", f"regexp_like({NAME}, '^[^0-9]{{1,100}}$')"),
    ("R10", SEX, f"{SEX} IS NOT NULL", f"{SEX} IN ('1', '2')"),
    ("R11", NUMBER, _DIGITS, f"substr({NUMBER}, 1, 3) IN ({', '.join(map(literal, REGISTRIES))})"),
    (
        "R12",
        SEX,
        f"{_DIGITS} AND {SEX} IN ('1', '2')",
        (
            f"CASE WHEN {SEX} = '1' THEN {_DIGIT} IN ('0', '2', '4', '6', '8')"
            f" ELSE {_DIGIT} IN ('1', '3', '5', '7', '9') END"
        ),
    ),
    (
        "R13",
        BIRTH,
        f"{_DIGITS} AND {BIRTH} IS NOT NULL",
        f"substr({NUMBER}, 5, 2) = substr({_YEAR}, 3, 2) AND substr({_YEAR}, 1, 2) = {_century()}",
    ),
    ("R14", BIRTH, f"{BIRTH} IS NOT NULL", f"{BIRTH} <= record_day"),
    ("R15", BIRTH, f"{BIRTH} IS NOT NULL", f"{BIRTH} >= DATE '1900-01-01'"),
    ("R16", COMMUNE, f"{COMMUNE} IS NOT NULL", f"{COMMUNE}__listed"),
    ("R17", COMMUNE, f"{COMMUNE}__parent IS NOT NULL AND {PROVINCE} IS NOT NULL", f"{COMMUNE}__parent = {PROVINCE}"),
    ("R18", PROVINCE, f"{PROVINCE} IS NOT NULL", f"{PROVINCE}__listed"),
    ("R19", TAX, f"{TAX} IS NOT NULL", _TAX),
    ("R20", TAX, f"{TAX} IS NOT NULL AND {_TAX}", f"CASE WHEN {_TAX} THEN {_sum()} END"),
    ("R21", PHONE, f"{PHONE} IS NOT NULL", f"regexp_like({PHONE}, '^0[35789][0-9]{{8}}$')"),
    ("R22", NUMBER, "", ""),  # unique
    ("R23", None, "TRUE", f"record_day >= DATE '{STALE_BEFORE.isoformat()}'"),
    ("R24", SPOUSE, f"{MARRIED} = '2'", f"{SPOUSE} IS NOT NULL"),
    ("R25", STATUS, f"{STATUS} IS NOT NULL", f"{STATUS} IN ('1', '2', '3', '4')"),
    (
        "R26",
        DEATH,
        f"{STATUS} = '4' OR {DEATH} IS NOT NULL",
        f"{STATUS} = '4' AND {DEATH} IS NOT NULL AND {DEATH} >= {BIRTH}",
    ),
)


def program() -> RuleProgram:
    """Return the rules ready for any engine."""
    dictionary = _dictionary()
    dataset = dictionary.datasets[DatasetId("so-bo")]
    rules = tuple(_rule(*each) for each in RULES)
    return compile_program(dictionary, RuleSet(dataset=dataset, rules=rules, digest=""))


def _rule(code: str, element: str | None, when: str, check: str) -> Rule:
    text = Text(vi=code)
    return Rule(
        code=code,
        criterion=Criterion.CLEAN,
        severity=Severity.ERROR,
        element=element,
        title=text,
        sentence=text,
        when=when,
        check=check,
        over=None if check else "unique",
    )


def _identity(name: str) -> Identity:
    return Identity(id=name, version="1.0.0", status=Status.PROPOSED, level=Level.NATIONAL, valid_from=None)


def _dictionary() -> Dictionary:
    codes, parents = communes()
    lists = {
        "tinh": [(code, None) for code in PROVINCES],
        "xa": list(zip(codes, parents, strict=True)),
    }
    dataset = Dataset(
        identity=_identity("so-bo"),
        label=Text(vi="Sổ bộ"),
        definition=Text(vi="Sổ bộ để đo"),
        table="so_bo",
        domain="Con người",
        members=tuple(Member(element=ElementId(name), key=name == NUMBER) for name in VALUES),
    )
    return Dictionary(
        version="1.0.0",
        digest="0" * 64,
        elements={ElementId(name): _element(name) for name in VALUES},
        domains={DomainId(name): _domain(name) for name in VALUES},
        code_lists={
            CodeListId(name): CodeList(
                identity=_identity(name),
                label=Text(vi=name),
                codes=tuple(
                    Code(code=code, label=Text(vi=code), valid_from=None, parent=parent) for code, parent in rows
                ),
            )
            for name, rows in lists.items()
        },
        datasets={DatasetId("so-bo"): dataset},
    )


def _element(name: str) -> Element:
    return Element(
        identity=_identity(name),
        label=Text(vi=name),
        definition=Text(vi=name),
        concept=name,
        value_domain=Ref(id=name, version="1.0.0"),
        technical_name=name,
        business_attributes={},
        technical_attributes={},
        sensitivity=Sensitivity.BASIC_PERSONAL,
        identifier=name == NUMBER,
    )


def _domain(name: str) -> ValueDomain:
    datatype = Datatype.DATE if name in DATES else Datatype.CODE if name in LISTS else Datatype.TEXT
    return ValueDomain(
        identity=_identity(name),
        label=Text(vi=name),
        datatype=datatype,
        standardiser={Datatype.DATE: "date", Datatype.CODE: "code"}.get(datatype, "text"),
        rdf_type="xsd:string",
        code_list=CodeListId(LISTS[name]) if name in LISTS else None,
    )
