"""Promises the repository keeps; each is a sentence of STYLE or ARCHITECTURE that a machine can hold."""

from __future__ import annotations

import ast
import re
import sys

from repository import (
    ROOT,
    SRC,
    docstrings,
    files,
    files_ending,
    functions,
    named,
    package_of,
    source_files,
    top_level_names,
    tree,
    without_code,
)

import lienthong
from lienthong.dictionary.load import load

FUNCTION_LINES_MAX = 70
MODULE_LINES_MAX = 600
TEST_MODULE_LINES_MAX = 1_000  # a suite is read as a list, case by case
FILE_BYTES_MAX = 1_000_000
LARGE_FILES: frozenset[str] = frozenset()  # a file over the limit is named here with the reason beside it

BANNED_NAMES = frozenset(
    {"utils", "util", "helper", "helpers", "common", "misc", "base", "manager", "managers", "v2"}
)

CORE = frozenset(
    {"errors", "clock", "deadlines", "dictionary", "sources", "standardise", "check", "centre", "exchange"}
    | {"oversight", "pipeline"}
)
CORE_MAY_IMPORT = frozenset({"lienthong", "polars", "pyarrow", "sqlglot", "yaml", "orjson", "phonenumbers", "stdnum"})
# Of the standard library the core may use what neither reaches out, nor waits, nor rolls dice.
CORE_MUST_NOT = frozenset(
    {"asyncio", "concurrent", "ctypes", "ftplib", "getpass", "http", "logging", "mmap", "multiprocessing", "os"}
    | {"random", "sched", "secrets", "select", "selectors", "shelve", "shutil", "signal", "smtplib", "socket"}
    | {"socketserver", "sqlite3", "ssl", "subprocess", "tempfile", "threading", "time", "urllib", "webbrowser"}
)
CLOCK_READS = {("datetime", "now"), ("datetime", "today"), ("datetime", "utcnow"), ("date", "today")}

AMERICAN = re.compile(
    r"center|standardiz|normaliz|organiz|serializ|initializ|authoriz|recogniz|summariz|optimiz|categoriz|colou?r(?<!u.)"
    r"|behavior|analyz|favorit|canceling|canceled"
)
# Where a technical name may be written out although it belongs to the dictionary, and why.
NAMES_SPELLED: dict[str, str] = {
    "src/lienthong/exchange/lookup.py": "provenance goes out under the names of the official envelope",
    "src/lienthong/gateway/contract.py": "describes that envelope",
    "src/lienthong/check/known_elements.py": "the one place where rules name the elements they compare",
    "src/lienthong/adapters/boundaries/reading.py": "names a column of a file of maps, not of our data",
}

SQL_VERB = re.compile(r"^\s*(SELECT|INSERT|UPDATE|DELETE|COPY|CREATE|ALTER|DROP|TRUNCATE|WITH|MERGE)\b[^:]*\s")


def offenders(found: list[str]) -> str:
    return "\n" + "\n".join(found)


def test_functions_fit_on_a_screen():
    found = []
    for path in files_ending(".py"):
        for function in functions(path):
            lines = (function.end_lineno or 0) - function.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                found.append(f"{named(path)}:{function.lineno} {function.name}: {lines} lines")
    assert not found, offenders(found)


def test_modules_can_be_read_in_one_sitting():
    found = []
    for path in files_ending(".py"):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > (TEST_MODULE_LINES_MAX if path.is_relative_to(ROOT / "tests") else MODULE_LINES_MAX):
            found.append(f"{named(path)}: {lines} lines")
    assert not found, offenders(found)


def test_nothing_is_named_after_having_no_name():
    found = []
    for path in files():
        relative = path.relative_to(ROOT)
        parts = {part.lower() for part in relative.parts[:-1]}
        if path.suffix == ".py":
            parts.add(path.stem.lower())
        if parts & BANNED_NAMES:
            found.append(relative.as_posix())
    assert not found, offenders(found)


def test_the_map_names_every_package_and_nothing_else():
    mapped = re.findall(r"^\* ``(\w+)``", lienthong.__doc__ or "", flags=re.MULTILINE)
    assert sorted(mapped) == sorted(top_level_names())


def test_assertions_are_on():
    assert __debug__, "asserts are how wrong code is found: run without -O"


def _imports(path) -> list[tuple[int, str]]:
    found = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module is not None:
            found.append((node.lineno, node.module))
    return found


def test_the_core_imports_only_what_is_allowed():
    found = []
    for path in source_files():
        if package_of(path) not in CORE:
            continue
        for line, module in _imports(path):
            first = module.partition(".")[0]
            harmless = first in sys.stdlib_module_names and first not in CORE_MUST_NOT
            if not harmless and first not in CORE_MAY_IMPORT:
                found.append(f"{named(path)}:{line} imports {module}")
    assert not found, offenders(found)


def _reads_the_clock(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and (node.func.value.id, node.func.attr) in CLOCK_READS
    )


def test_the_core_asks_nobody_what_time_it_is():
    found = [
        f"{named(path)}:{node.lineno}"
        for path in source_files()
        if package_of(path) in CORE - {"clock"}
        for node in ast.walk(tree(path))
        if _reads_the_clock(node)
    ]
    assert not found, offenders(found)


def test_no_file_is_large():
    found = [
        f"{named(path)}: {path.stat().st_size:,} bytes"
        for path in files()
        if path.stat().st_size > FILE_BYTES_MAX and named(path) not in LARGE_FILES
    ]
    assert not found, offenders(found)


def _texts():
    for path in files():
        try:
            yield path, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def test_nothing_is_left_for_later_in_a_comment():
    marks = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME")) + r")\b")
    found = []
    for path, text in _texts():
        if path.name == "uv.lock":
            continue
        found += [f"{named(path)}:{n}" for n, line in enumerate(text.splitlines(), 1) if marks.search(line)]
    assert not found, offenders(found)


def test_no_path_of_somebodys_machine_is_written_down():
    places = re.compile(r"(?<![\w.~-])/(" + "|".join(("wo" + "rk", "ro" + "ot", "ho" + "me", "Us" + "ers")) + r")/\w")
    found = []
    for path, text in _texts():
        found += [f"{named(path)}:{n}" for n, line in enumerate(text.splitlines(), 1) if places.search(line)]
    assert not found, offenders(found)


def test_every_markdown_file_has_exactly_one_title():
    found = []
    for path in files_ending(".md"):
        titles = re.findall(r"^# \S", without_code(path.read_text(encoding="utf-8")), flags=re.MULTILINE)
        if len(titles) != 1:
            found.append(f"{named(path)}: {len(titles)} titles")
    assert not found, offenders(found)


def _defined(path):
    """Yield the names a file gives to things of its own."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr


def test_names_are_spelled_the_british_way():
    found = [f"{named(path)}: file name" for path in files() if AMERICAN.search(path.stem.lower())]
    for path in files_ending(".py"):
        found += [f"{named(path)}:{line} {name}" for line, name in _defined(path) if AMERICAN.search(name.lower())]
    assert not found, offenders(found)


def _is_constant_name(node: ast.expr) -> bool:
    """Say whether what is put into a text is a constant of a module: upper case, perhaps of another module."""
    if isinstance(node, ast.Attribute):
        return node.attr.isupper()
    return isinstance(node, ast.Name) and node.id.isupper()


def _built_sql(node: ast.AST) -> bool:
    """Say whether a node builds SQL out of something that is not a constant."""
    if isinstance(node, ast.JoinedStr):
        first = node.values[0] if node.values else None
        verb = isinstance(first, ast.Constant) and SQL_VERB.match(str(first.value))
        return bool(verb) and any(
            isinstance(part, ast.FormattedValue) and not _is_constant_name(part.value) for part in node.values
        )
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod | ast.Add) and isinstance(node.left, ast.Constant):
        return isinstance(node.left.value, str) and bool(SQL_VERB.match(node.left.value))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        text = node.func.value
        return isinstance(text, ast.Constant) and isinstance(text.value, str) and bool(SQL_VERB.match(text.value))
    return False


# Statements that psycopg.sql does not compose, each with the reason.
SQL_BY_HAND = {
    "src/lienthong/adapters/postgres/snapshot.py": "names come quoted from the catalogue; the row filter is the "
    "catalogue's own expression, which no composition can hold",
    "src/lienthong/adapters/postgres/readiness.py": "repairs, shown to a person and never run by us",
    "src/lienthong/adapters/mariadb/profiling.py": "names come quoted from the catalogue; the driver composes values only",
    "src/lienthong/adapters/mariadb/readiness.py": "repairs, shown to a person and never run by us",
    "src/lienthong/adapters/mariadb/snapshot.py": "names come quoted from the catalogue; the driver composes values only",
    "src/lienthong/centre/tables.py": "derives the DDL from the dictionary, whose names are checked when it is loaded; "
    "the core has no driver to compose with",
    "src/lienthong/dictionary/exports/sql_ddl.py": "writes a script for people to run; names are checked when the "
    "dictionary is loaded, every text is quoted, and PostgreSQL itself judges it in the tests",
    "src/lienthong/dictionary/exports/sql_codes.py": "part of the same script",
    "src/lienthong/dictionary/exports/odcs.py": "queries of a contract, shown and never run by us",
    "src/lienthong/check/program_sql.py": "compiles rules into queries for several engines; conditions come out of the "
    "parsed rule language, names out of the dictionary, and no value of a record is ever in them",
    "src/lienthong/adapters/duckdb/checking.py": "wraps those queries; DuckDB has nothing to compose with",
    "src/lienthong/adapters/postgres/checking.py": "wraps those queries, which no composition can hold",
    "src/lienthong/adapters/spark/checking.py": "wraps those queries; Spark has nothing to compose with",
}


def test_sql_is_never_built_out_of_values():
    found = []
    for path in source_files():
        if named(path) not in SQL_BY_HAND:
            found += [f"{named(path)}:{node.lineno}" for node in ast.walk(tree(path)) if _built_sql(node)]
    assert not found, offenders(found)


def _plain_texts(path):
    """Yield the text constants of a file that are not docstrings."""
    skip = docstrings(path)
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skip:
            yield node.lineno, node.value


def test_sql_stands_only_where_drivers_are():
    statement = re.compile(r"\s*(SELECT\b.*\bFROM|INSERT INTO|UPDATE \w+ SET|DELETE FROM|COPY \w)", re.DOTALL)
    found = [
        f"{named(path)}:{line}"
        for path in source_files()
        if package_of(path) not in {"adapters", "testing"} and named(path) not in SQL_BY_HAND
        for line, text in _plain_texts(path)
        if statement.match(text)
    ]
    assert not found, offenders(found)


def test_fields_are_named_by_the_dictionary_alone():
    dictionary = load(ROOT / "dictionary")
    ours = {one.technical_name for one in dictionary.elements.values()} | set(dictionary.elements)
    found = [
        f"{named(path)}:{line} {text!r}"
        for path in source_files()
        if package_of(path) not in {"dictionary", "testing"} and named(path) not in NAMES_SPELLED
        for line, text in _plain_texts(path)
        if text in ours
    ]
    assert not found, offenders(found)


def test_the_exceptions_still_exist():
    for name in (*NAMES_SPELLED, *SQL_BY_HAND, *LARGE_FILES):
        assert (ROOT / name).is_file(), f"{name} is excepted and is not there"


def test_every_rule_has_a_golden_file_and_a_page():
    modules = [
        path for path in source_files() if path.is_relative_to(SRC / "check" / "rules") and path.name != "__init__.py"
    ]
    assert modules, "there are no rules"
    codes = {path.stem.partition("_")[0].upper() for path in modules}
    # A declared rule carries its golden rows itself: its examples.
    declared = {path.stem for path in (ROOT / "dictionary" / "rules").rglob("*.yaml")}
    assert declared, "there are no declared rules"
    found = [
        f"{code}: no tests/golden/check/{code}.toml"
        for code in codes
        if not _exists("tests/golden/check", code, "toml")
    ]
    found += [
        f"{code}: no docs/reference/rules/{code}.md"
        for code in codes | declared
        if not _exists("docs/reference/rules", code, "md")
    ]
    for folder, suffix, rules in (
        ("tests/golden/check", "toml", codes),
        ("docs/reference/rules", "md", codes | declared),
    ):
        known = {path.stem for path in (ROOT / folder).glob(f"*.{suffix}")} - {"README"}
        found += [f"{folder}/{name}.{suffix}: no such rule" for name in known - rules]
    assert not found, offenders(sorted(found))


def _exists(folder: str, name: str, suffix: str) -> bool:
    return (ROOT / folder / f"{name}.{suffix}").is_file()


def test_planted_defects_name_rules_that_exist():
    from lienthong.testing.citizens import INVISIBLE, KINDS, STANDARDISED

    codes = {
        path.stem.partition("_")[0].upper()
        for path in source_files()
        if path.is_relative_to(SRC / "check" / "rules") and path.name != "__init__.py"
    }
    found = [
        f"{name} expects {kind.expected}"
        for name, kind in KINDS.items()
        if kind.expected not in codes | {INVISIBLE, STANDARDISED}
    ]
    assert not found, offenders(found)
