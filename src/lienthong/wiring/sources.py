"""What the command line asks of a source before it is a link: survey, validation, readiness."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lienthong.dictionary.model import UNKNOWN_VI, DatasetId, Dictionary
from lienthong.errors import LienthongError
from lienthong.sources.change import SourceId, SourceTable, TableName
from lienthong.sources.drift import compare, refusal
from lienthong.sources.mapping import Mapping
from lienthong.sources.mapping_file import parse_mapping
from lienthong.sources.ports import Readiness
from lienthong.sources.profile import TableProfile, questions_of
from lienthong.sources.survey import Survey, TableProposal
from lienthong.standardise.encodings.surveying import read_sample
from lienthong.wiring.opening import live_tables, open_source, survey_tables
from lienthong.wiring.services import read_dictionary
from lienthong.wiring.settings import ENVIRONMENT_PREFIX, SETTINGS_NAME, SettingNotValid, load_settings

MAPPING_BYTES_MAX = 4_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Surveyed:
    """A table that was looked at; without a proposal when it is like no dataset."""

    profile: TableProfile
    proposal: TableProposal | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Validated:
    """A mapping file that was checked."""

    path: Path
    mapping: Mapping | None
    refusal: LienthongError | None
    unmapped: tuple[str, ...] = ()  # columns of the live table that the mapping does not name


def working_dictionary() -> Dictionary:
    """Load the dictionary of the settings when there are settings that name one, else the shipped one."""
    path = Path(os.environ.get(f"{ENVIRONMENT_PREFIX}CONFIG", SETTINGS_NAME))
    settings = load_settings(path, os.environ) if path.is_file() else None
    return read_dictionary(settings)


def read_password(path: Path | None) -> str | None:
    """Return the password kept in a file."""
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as cause:
        raise SettingNotValid(key="password_file", path=path, reason="cannot be read") from cause


def survey(
    url: str, *, password: str | None, source: str, tables: Sequence[TableName], dictionary: Dictionary
) -> Iterator[Surveyed]:
    """Look at tables, read-only, and propose a mapping for each."""
    asked = Survey(dictionary)
    profiles = survey_tables(
        source=SourceId(source),
        url=url,
        password=password,
        tables=tables,
        questions=questions_of(dictionary),
        read=read_sample,
    )
    for profile in profiles:
        yield Surveyed(profile=profile, proposal=asked.propose(profile, source=SourceId(source)))


def _read(path: Path, dictionary: Dictionary) -> Mapping:
    try:
        if path.stat().st_size > MAPPING_BYTES_MAX:
            raise SettingNotValid(key="mapping", path=path, reason=f"larger than {MAPPING_BYTES_MAX} bytes")
        text = path.read_text(encoding="utf-8")
    except OSError as cause:
        raise SettingNotValid(key="mapping", path=path, reason=cause.strerror or "cannot be read") from cause
    except UnicodeDecodeError as cause:
        raise SettingNotValid(key="mapping", path=path, reason="is not UTF-8") from cause
    return parse_mapping(text, path=path, dictionary=dictionary)


def _against(table: SourceTable, mapping: Mapping, path: Path) -> Validated:
    drift = compare(mapping, table)
    found = refusal(drift, source=mapping.source, table=table)
    return Validated(path=path, mapping=mapping, refusal=found, unmapped=drift.added)


def validate(
    paths: Sequence[Path], *, dictionary: Dictionary, url: str | None = None, password: str | None = None
) -> tuple[Validated, ...]:
    """Check mapping files against the dictionary and, with a URL, against the tables as they are now.

    Raises:
        LienthongError: the source cannot be reached; what is wrong with a file stands in its result.
    """
    results = []
    for path in paths:
        try:
            mapping = _read(path, dictionary)
        except LienthongError as error:
            results.append(Validated(path=path, mapping=None, refusal=error))
            continue
        results.append(
            Validated(path=path, mapping=mapping, refusal=None)
            if url is None
            else _against(
                live_tables(source=mapping.source, url=url, password=password, tables=[mapping.table])[mapping.table],
                mapping,
                path,
            )
        )
    return tuple(results)


def readiness(
    url: str, *, password: str | None, source: str, publication: str, slot: str, tables: Sequence[TableName]
) -> tuple[Readiness, ...]:
    """Look at everything that could stop a link to these tables, without changing anything."""
    wanted = [
        Mapping(source=SourceId(source), table=table, dataset=DatasetId("-"), owner=UNKNOWN_VI, columns=(), digest="")
        for table in tables
    ]
    link = open_source(name=source, url=url, password=password, publication=publication, slot=slot, mappings=wanted)
    try:
        return link.readiness()
    finally:
        link.close()
