"""Samples in PostgreSQL: committed, drawn and judged, only ever added to.

The records of a dataset as of a batch are found in its current table and its history. Their hash and the lot are
computed by the server, set by set: nothing of a record leaves it for that.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import resources
from typing import Any, Final, LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import DictRow, dict_row

from lienthong.adapters.postgres.centre_faults import refusals
from lienthong.centre.tables import SCHEMA, TableSpec, derive_table
from lienthong.dictionary.model import DatasetId, Dictionary
from lienthong.oversight.sampling import (
    RECORDS_MAX,
    Commitment,
    Judgement,
    JudgementNotValid,
    Opinion,
    Sample,
    SampleOutOfOrder,
    SampleSizeNotValid,
    SampleState,
    SampleUnknown,
    SnapshotDiffers,
    check_seed,
    complete,
    settle,
    tally,
)

CONNECT_S_MAX: Final = 5
STATEMENT_MS_MAX: Final = 1_800_000  # hashing all records of a large dataset takes minutes
WAIT_MS_MAX: Final = 30_000
ASSESSORS_MAX: Final = 2
SAMPLES_MAX: Final = 1_000
ANSWER_KEPT_S: Final = 15.0  # people judge slowly; the overview asks every second
_LOCK: Final = 0x6C69_7361

Connection = psycopg.Connection[DictRow]


@contextmanager
def _connected(url: str, password: str | None) -> Iterator[Connection]:
    extra = {} if password is None else {"password": password}
    # The text of values is hashed: every setting that shapes it is fixed here.
    limits = (
        f"-c statement_timeout={STATEMENT_MS_MAX} -c lock_timeout={WAIT_MS_MAX} -c timezone=UTC -c datestyle=ISO,YMD"
        " -c intervalstyle=postgres -c extra_float_digits=1 -c bytea_output=hex -c jit=off"
    )
    address = make_conninfo(
        url, connect_timeout=CONNECT_S_MAX, options=limits, application_name="lienthong:sampling", **extra
    )
    with (
        refusals(limit_s=STATEMENT_MS_MAX / 1_000),
        psycopg.Connection[DictRow].connect(address, row_factory=dict_row) as connection,
    ):
        yield connection


def install(url: str, *, password: str | None, reader_role: str | None = None) -> None:
    """Make the tables; ``reader_role`` may read them. Repeating it changes nothing."""
    with _connected(url, password) as connection:
        _create(connection)
        if reader_role is not None:
            connection.execute(
                sql.SQL(
                    "GRANT SELECT ON lienthong.sample, lienthong.sample_seed, lienthong.sample_draw,"
                    " lienthong.sample_record, lienthong.sample_judgement TO {}"
                ).format(sql.Identifier(reader_role))
            )


def _create(connection: Connection) -> None:
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    connection.execute(resources.files(__package__).joinpath("sql", "sampling.sql").read_bytes())


class PostgresSamples:
    """Keep the samples of a centre, and draw them."""

    def __init__(self, url: str, dictionary: Dictionary, *, password: str | None = None) -> None:
        self._url, self._password, self._dictionary = url, password, dictionary

    def __repr__(self) -> str:
        return "PostgresSamples()"  # the address may hold a password

    def commit(self, dataset: DatasetId, *, wanted: int, assessors: int, by: str, at: datetime) -> Commitment:
        """Publish the hash over all records of a dataset as they stand, and how many will be drawn.

        Raises:
            SampleSizeNotValid: the sample is empty, too large, or judged by too few or too many.
        """
        if not 1 <= wanted <= RECORDS_MAX or not 1 <= assessors <= ASSESSORS_MAX:
            raise SampleSizeNotValid(wanted=wanted, assessors=assessors, reason="out of its limits", most=RECORDS_MAX)
        spec = self._spec(dataset)
        with _connected(self._url, self._password) as connection:
            _create(connection)
            connection.commit()
            up_to = _newest_batch(connection, dataset)
            connection.commit()  # the dataset is written to again while its records are hashed
            root, records = _hash(connection, spec, spec.column_names, up_to)
            if records == 0:
                raise SampleSizeNotValid(
                    wanted=wanted, assessors=assessors, reason="the dataset is empty", most=RECORDS_MAX
                )
            row = connection.execute(
                _COMMIT,
                {
                    "dataset": dataset,
                    "snapshot": root,
                    "columns": list(spec.column_names),
                    "records": records,
                    "up_to": up_to,
                    "wanted": min(wanted, records),
                    "assessors": assessors,
                    "at": at,
                    "by": by,
                },
            ).fetchone()
        assert row is not None, "RETURNING gives the inserted row"
        return _commitment(row)

    def publish_seed(self, number: int, *, seed: str, origin: str, at: datetime) -> None:
        """Write the seed of a sample down, once and after its commitment.

        Raises:
            SampleUnknown, SampleOutOfOrder, SeedNotValid: nothing was written.
        """
        text = check_seed(seed)
        with _connected(self._url, self._password) as connection:
            sample = _one(connection, number)
            if sample.seed is not None:
                raise SampleOutOfOrder(sample=number, state=sample.state.value, reason="it has its seed")
            if at <= sample.commitment.committed_at:
                raise SampleOutOfOrder(
                    sample=number, state=sample.state.value, reason="the seed must be later than the commitment"
                )
            connection.execute(
                "INSERT INTO lienthong.sample_seed VALUES (%s, %s, %s, %s)", [number, text, origin.strip(), at]
            )

    def draw(self, number: int, *, at: datetime) -> tuple[str, ...]:
        """Draw the records, after proving that they are those that were committed.

        Raises:
            SampleUnknown, SampleOutOfOrder: nothing was drawn.
            SnapshotDiffers: the committed records cannot be found again as they were.
        """
        with _connected(self._url, self._password) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            sample = _one(connection, number)
            if sample.state is not SampleState.SEEDED:
                reason = "publish its seed first" if sample.seed is None else "it was drawn"
                raise SampleOutOfOrder(sample=number, state=sample.state.value, reason=reason)
            self._require_unchanged(connection, sample)
            connection.execute("INSERT INTO lienthong.sample_draw VALUES (%s, %s)", [number, at])
            spec, columns = self._spec(sample.commitment.dataset), _columns(connection, number)
            rows = connection.execute(
                _leaves(_DRAW, spec, columns),
                {
                    "up_to": sample.commitment.up_to_batch,
                    "seed": sample.seed,
                    "snapshot": sample.commitment.snapshot,
                    "wanted": sample.commitment.wanted,
                    "sample": number,
                },
            ).fetchall()
        return tuple(row["record_id"] for row in sorted(rows, key=lambda row: row["place"]))

    def verify(self, number: int) -> None:
        """Compute the committed hash anew from current records and history.

        Raises:
            SampleUnknown: there is no such sample.
            SnapshotDiffers: the committed records cannot be found again as they were.
        """
        with _connected(self._url, self._password) as connection:
            self._require_unchanged(connection, _one(connection, number))

    def judge(self, number: int, judgement: Judgement) -> None:
        """Keep what one assessor says of one drawn record, once.

        Raises:
            SampleUnknown, SampleOutOfOrder, JudgementNotValid: nothing was kept.
        """
        with _connected(self._url, self._password) as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            sample = _one(connection, number)
            if sample.drawn_at is None:
                raise SampleOutOfOrder(sample=number, state=sample.state.value, reason="draw it before it is judged")
            if judgement.record_id not in sample.drawn:
                raise JudgementNotValid(reason="the record was not drawn")
            full = complete(judgement, elements=_columns(connection, number))
            held = _judgements(connection, [number]).get(number, {}).get(judgement.record_id, [])
            if any(each.assessor == judgement.assessor for each in held):
                raise JudgementNotValid(reason="this assessor has judged this record")
            if len(held) >= sample.commitment.assessors:
                raise JudgementNotValid(reason="the record has all the opinions it needs")
            connection.execute(
                "INSERT INTO lienthong.sample_judgement VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                [
                    number,
                    full.record_id,
                    full.assessor,
                    full.opinion.value,
                    sorted(full.wrong),
                    sorted(full.undecided),
                    full.note,
                    full.judged_at,
                ],
            )

    def sheet(
        self, number: int, *, reader: str, at: datetime
    ) -> tuple[tuple[str, ...], list[tuple[str | None, ...]]]:
        """Return the committed values of the drawn records, for assessors to compare; every look is written down.

        The first row names the columns: the record id, then the technical names.

        Raises:
            SampleUnknown, SampleOutOfOrder: there is nothing to look at.
        """
        with _connected(self._url, self._password) as connection:
            sample = _one(connection, number)
            if sample.drawn_at is None:
                raise SampleOutOfOrder(sample=number, state=sample.state.value, reason="draw it before it is read")
            columns = _columns(connection, number)
            spec = self._spec(sample.commitment.dataset)
            connection.execute(
                "INSERT INTO lienthong.sample_reading (sample, reader, records, read_at) VALUES (%s, %s, %s, %s)",
                [number, reader, len(sample.drawn), at],
            )
            values = sql.SQL(", ").join(
                sql.SQL("t.{}::text AS {}").format(sql.Identifier(name), sql.Identifier(f"v{place}"))
                for place, name in enumerate(columns)
            )
            rows = connection.execute(
                sql.SQL(
                    "SELECT r.record_id, {values} FROM lienthong.sample_record r JOIN ({frame}) t"
                    " ON t._record_id = r.record_id AND t._batch = r.batch"
                    " WHERE r.sample = %(sample)s ORDER BY r.place"
                ).format(values=values, frame=_frame(spec)),
                {"sample": number, "up_to": sample.commitment.up_to_batch},
            ).fetchall()
        names = ("record_id", *columns)
        return names, [(row["record_id"], *(row[f"v{place}"] for place in range(len(columns)))) for row in rows]

    def sample(self, number: int) -> Sample:
        """Return one sample as far as it has come.

        Raises:
            SampleUnknown: there is none of this number.
        """
        with _connected(self._url, self._password) as connection:
            return _one(connection, number)

    def samples(self, dataset: DatasetId, *, limit: int) -> Sequence[Sample]:
        """Return the newest samples of a dataset, newest first; none where none was ever committed."""
        with _connected(self._url, self._password) as connection:
            return _read(connection, dataset=dataset, limit=min(limit, SAMPLES_MAX))

    def _spec(self, dataset: DatasetId) -> TableSpec:
        return derive_table(self._dictionary, self._dictionary.datasets[dataset])

    def _require_unchanged(self, connection: Connection, sample: Sample) -> None:
        committed = sample.commitment
        spec, columns = self._spec(committed.dataset), _columns(connection, committed.number)
        root, records = _hash(connection, spec, columns, committed.up_to_batch)
        if (root, records) != (committed.snapshot, committed.records):
            raise SnapshotDiffers(sample=committed.number, dataset=committed.dataset)


class PostgresSampleReader:
    """Answer the faces about samples with a role that can only read; an answer is kept for some seconds."""

    def __init__(
        self, url: str, *, password: str | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._url, self._password, self._monotonic = url, password, monotonic
        self._kept: dict[tuple[DatasetId, int], tuple[float, Sequence[Sample]]] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return "PostgresSampleReader()"  # the address may hold a password

    def samples(self, dataset: DatasetId, *, limit: int) -> Sequence[Sample]:
        """Return the newest samples of a dataset, newest first; none where none was ever committed."""
        with self._lock:
            made, kept = self._kept.get((dataset, limit), (0.0, None))
            if kept is not None and self._monotonic() - made < ANSWER_KEPT_S:
                return kept
            with _connected(self._url, self._password) as connection:
                connection.read_only = True
                found = _read(connection, dataset=dataset, limit=min(limit, SAMPLES_MAX))
            self._kept[dataset, limit] = (self._monotonic(), found)
            return found


def _newest_batch(connection: Connection, dataset: DatasetId) -> int:
    """Return the newest batch; with the dataset locked none with a smaller number can still be on its way."""
    connection.execute("SELECT FROM lienthong.dataset_state WHERE dataset = %s FOR SHARE", [dataset])
    row = connection.execute("SELECT coalesce(max(id), 0) AS newest FROM lienthong.batch").fetchone()
    assert row is not None, "an aggregate gives a row"
    return int(row["newest"])


def _frame(spec: TableSpec) -> sql.Composed:
    """Return the records of a dataset as of batch ``up_to``: those that stand, and those that ended since."""
    names = sql.SQL(", ").join(
        sql.Identifier(name)
        for name in ("_record_id", "_batch", "_valid_from", "_source", "_table", "_image", *spec.column_names)
    )
    return sql.SQL(
        "SELECT {names} FROM {current} WHERE _batch <= %(up_to)s UNION ALL"
        " SELECT {names} FROM {history} WHERE _batch <= %(up_to)s AND _ended_batch > %(up_to)s"
    ).format(names=names, current=sql.Identifier(SCHEMA, spec.table), history=sql.Identifier(SCHEMA, spec.history))


def _leaves(question: LiteralString, spec: TableSpec, columns: Sequence[str]) -> sql.Composed:
    values = sql.SQL("").join(sql.SQL(", {}").format(sql.Identifier(name)) for name in columns)
    return sql.SQL(question).format(
        leaves=sql.SQL(
            "SELECT _record_id AS record_id, _batch AS batch, sha256(convert_to(json_build_array(_record_id, _batch,"
            " _valid_from, _source, _table, _image{values})::text, 'UTF8')) AS leaf FROM ({frame}) f"
        ).format(values=values, frame=_frame(spec))
    )


def _hash(connection: Connection, spec: TableSpec, columns: Sequence[str], up_to: int) -> tuple[str, int]:
    row = connection.execute(_leaves(_HASH, spec, columns), {"up_to": up_to}).fetchone()
    assert row is not None, "an aggregate gives a row"
    return str(row["root"]), int(row["records"])


def _columns(connection: Connection, number: int) -> tuple[str, ...]:
    row = connection.execute("SELECT columns FROM lienthong.sample WHERE number = %s", [number]).fetchone()
    assert row is not None, "the sample was read before"
    return tuple(row["columns"])


def _one(connection: Connection, number: int) -> Sample:
    found = _read(connection, number=number, limit=1)
    if not found:
        raise SampleUnknown(sample=number)
    return found[0]


def _read(
    connection: Connection, *, number: int | None = None, dataset: DatasetId | None = None, limit: int
) -> list[Sample]:
    known = connection.execute("SELECT to_regclass('lienthong.sample') IS NOT NULL AS known").fetchone()
    if known is None or not known["known"]:
        return []
    rows = connection.execute(_SAMPLES, {"number": number, "dataset": dataset, "limit": limit}).fetchall()
    judged = _judgements(connection, [row["number"] for row in rows])
    return [_sample(row, judged.get(row["number"], {})) for row in rows]


def _judgements(connection: Connection, numbers: Sequence[int]) -> Mapping[int, dict[str, list[Judgement]]]:
    found: dict[int, dict[str, list[Judgement]]] = {}
    for row in connection.execute(_JUDGEMENTS, [list(numbers)]):
        judgement = Judgement(
            record_id=row["record_id"],
            assessor=row["assessor"],
            opinion=Opinion(row["opinion"]),
            wrong=frozenset(row["wrong"]),
            undecided=frozenset(row["undecided"]),
            note=row["note"],
            judged_at=_utc(row["judged_at"]),
        )
        found.setdefault(row["sample"], {}).setdefault(row["record_id"], []).append(judgement)
    return found


def _sample(row: Mapping[str, Any], judgements: Mapping[str, list[Judgement]]) -> Sample:
    committed = _commitment(row)
    settled = [
        each for held in judgements.values() if (each := settle(held, assessors=committed.assessors)) is not None
    ]
    drawn = tuple(row["drawn"] or ())
    records, elements = tally(settled, elements=row["columns"])
    finished = bool(drawn) and len(settled) == len(drawn)
    return Sample(
        commitment=committed,
        seed=row["seed"],
        seed_origin=row["origin"],
        seeded_at=None if row["published_at"] is None else _utc(row["published_at"]),
        drawn_at=None if row["drawn_at"] is None else _utc(row["drawn_at"]),
        drawn=drawn,
        settled=len(settled),
        finished_at=max(each.judged_at for each in settled) if finished else None,
        records=records,
        elements=elements,
    )


def _commitment(row: Mapping[str, Any]) -> Commitment:
    return Commitment(
        number=row["number"],
        dataset=DatasetId(row["dataset"]),
        snapshot=row["snapshot"],
        records=row["records"],
        up_to_batch=row["up_to_batch"],
        wanted=row["wanted"],
        assessors=row["assessors"],
        committed_at=_utc(row["committed_at"]),
        committed_by=row["committed_by"],
    )


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


_HASH: LiteralString = """
SELECT encode(sha256(coalesce(string_agg(hash, '' ORDER BY bucket), '')), 'hex') AS root,
    coalesce(sum(records), 0) AS records
FROM (SELECT get_byte(leaf, 0) AS bucket, sha256(string_agg(leaf, '' ORDER BY leaf)) AS hash, count(*) AS records
      FROM ({leaves}) l GROUP BY 1) b
"""
_DRAW: LiteralString = """
INSERT INTO lienthong.sample_record (sample, place, record_id, batch, leaf)
SELECT %(sample)s, row_number() OVER (ORDER BY lot, record_id), record_id, batch, leaf
FROM (SELECT record_id, batch, leaf,
          sha256(convert_to(%(seed)s::text || chr(10) || record_id || chr(10) || %(snapshot)s::text, 'UTF8')) AS lot
      FROM ({leaves}) l ORDER BY lot, record_id LIMIT %(wanted)s) d
RETURNING place, record_id
"""
_COMMIT: LiteralString = """
INSERT INTO lienthong.sample (dataset, snapshot, columns, records, up_to_batch, wanted, assessors, committed_at,
    committed_by)
VALUES (%(dataset)s, %(snapshot)s, %(columns)s, %(records)s, %(up_to)s, %(wanted)s, %(assessors)s, %(at)s, %(by)s)
RETURNING *
"""
_SAMPLES: LiteralString = """
SELECT s.*, e.seed, e.origin, e.published_at, d.drawn_at,
    (SELECT array_agg(r.record_id ORDER BY r.place) FROM lienthong.sample_record r WHERE r.sample = s.number) AS drawn
FROM lienthong.sample s LEFT JOIN lienthong.sample_seed e ON e.sample = s.number
LEFT JOIN lienthong.sample_draw d ON d.sample = s.number
WHERE s.number = coalesce(%(number)s::bigint, s.number) AND s.dataset = coalesce(%(dataset)s::text, s.dataset)
ORDER BY s.number DESC LIMIT %(limit)s
"""
_JUDGEMENTS: LiteralString = """
SELECT sample, record_id, assessor, opinion, wrong, undecided, note, judged_at FROM lienthong.sample_judgement
WHERE sample = ANY (%s) ORDER BY sample, record_id, judged_at
"""
