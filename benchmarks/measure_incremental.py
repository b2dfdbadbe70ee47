"""Measure what a run over what changed costs beside a run over everything, and that both come to the same.

Two shipped datasets of the same size are filled in an embedded server, with the rules of the shipped dictionary:
`nhan-khau` is measured against `cong-dan` (references, agreement of three values) and for near-duplicates. Then a share
of the records changes, on the measured side, on the compared side, on both. ``just bench measure_incremental --rows
1000000`` prints one JSON document: wall seconds, CPU seconds of the server and of this process, ratios.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from lienthong.adapters.postgres.centre_store import PostgresCentreStore
from lienthong.adapters.postgres.measuring import PostgresMeasuring
from lienthong.adapters.postgres.server import PostgresServer, ServerConfig, remove
from lienthong.adapters.resemblance import JaroWinkler
from lienthong.centre.measuring import Extent, Measurement, measured_kind
from lienthong.centre.tables import ENDING_NAMES, META_NAMES, derive_table
from lienthong.check.rule_set import derive_rules
from lienthong.clock import SystemClock
from lienthong.dictionary.load import load
from lienthong.dictionary.model import DatasetId, Dictionary
from lienthong.dictionary.shipped import shipped_folder

OWN, OTHER = DatasetId("nhan-khau"), DatasetId("cong-dan")
FAMILY = ["Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Huỳnh", "Phan", "Vũ", "Võ", "Đặng", "Bùi", "Đỗ", "Hồ", "Ngô"]
MIDDLE = ["Văn", "Thị", "Hữu", "Đức", "Minh", "Thanh", "Ngọc", "Quang", "Xuân", "Kim"]
GIVEN = ["An", "Ánh", "Bình", "Cường", "Dũng", "Đào", "Giang", "Hà", "Hải", "Hạnh", "Hoa", "Hùng", "Lan", "Linh", "Long",
         "Mai", "Nam", "Nga", "Phúc", "Phương", "Quân", "Sơn", "Tâm", "Thảo", "Trang", "Tuấn", "Uyên", "Vân", "Yến"]  # fmt: skip


def source_of_row(place: str) -> dict[str, str]:
    """Return SQL of values over the row's number n; the two datasets differ in a few of a hundred."""
    wrong = f"(n % 97 = {7 if place == 'own' else 8})"
    pick = "({})[1 + (abs(hashint8(n * {})) % {})]"
    words = [
        pick.format("ARRAY['" + "','".join(each) + "']", salt, len(each))
        for salt, each in ((3, FAMILY), (5, MIDDLE), (7, GIVEN))
    ]
    return {
        "so_dinh_danh": "lpad(n::text, 12, '0')",
        "ho_va_ten": f"{words[0]} || ' ' || {words[1]} || CASE WHEN {wrong} THEN ' Thu ' ELSE ' ' END || {words[2]}",
        "ngay_sinh": f"to_char(date '1940-01-01' + (abs(hashint8(n)) % 28000)::int - {wrong}::int, 'YYYY-MM-DD')",
        "gioi_tinh": "(1 + n % 2)::text",
        "ma_xa_thuong_tru": "lpad((abs(hashint8(n * 11)) % 3321)::text, 5, '0')",
    }


def fill(connection: psycopg.Connection, dictionary: Dictionary, name: DatasetId, rows: int) -> None:
    spec = derive_table(dictionary, dictionary.datasets[name])
    values = source_of_row("own" if name == OWN else "other")
    meta = {
        "_record_id": f"'bench/{spec.table}/' || n", "_event": "'NEW'", "_epoch": "1", "_version": "1", "_number": "-1",
        "_source": "'bench'", "_table": f"'{spec.table}'", "_source_time": "now()", "_valid_from": "now()", "_batch": "1",
        "_applied_at": "now()", "_image": "json_build_object('n', n, 'text', repeat('x', 200))",
        "_judgement": "repeat('p', 40)", "_rule_set": "1", "_dictionary": "'1'",
    }  # fmt: skip
    columns = {**meta, **{column: text for column, text in values.items() if column in spec.column_names}}
    connection.execute(
        sql.SQL("INSERT INTO dataset.{} ({}) SELECT {} FROM generate_series(1, %s) n").format(
            sql.Identifier(spec.table),
            sql.SQL(", ").join(sql.Identifier(column) for column in columns),
            sql.SQL(", ".join(columns.values()).replace("%", "%%")),
        ),
        [rows],
    )
    connection.execute("UPDATE lienthong.dataset_state SET rows = %s WHERE dataset = %s", [rows, name])
    connection.execute(sql.SQL("VACUUM ANALYZE dataset.{}").format(sql.Identifier(spec.table)))


def change(
    connection: psycopg.Connection, dictionary: Dictionary, name: DatasetId, *, share: float, batch: int
) -> int:
    """Replace a share of the records, scattered over the table, as a batch does: one in sixteen breaks a rule."""
    spec = derive_table(dictionary, dictionary.datasets[name])
    columns = [*META_NAMES, *spec.column_names]
    ending = {
        "_valid_to": "now()", "_ended_by": "'UPDATE'", "_ended_epoch": "1", "_ended_version": str(batch),
        "_ended_number": "0", "_ended_batch": str(batch),
    }  # fmt: skip
    every = round(1 / share)
    chosen = sql.SQL("mod(hashtext(_record_id) & 2147483647, {}) = {}").format(every, batch % every)
    with connection.transaction():
        connection.execute(
            sql.SQL("INSERT INTO dataset.{} ({}) SELECT {} FROM dataset.{} WHERE {}").format(
                sql.Identifier(spec.history),
                sql.SQL(", ").join(sql.Identifier(each) for each in [*columns, *ENDING_NAMES]),
                sql.SQL(", ").join(
                    [*map(sql.Identifier, columns), *(sql.SQL(ending[each]) for each in ENDING_NAMES)]
                ),
                sql.Identifier(spec.table),
                chosen,
            )
        )
        return connection.execute(
            sql.SQL(
                "UPDATE dataset.{} SET _batch = {}, _version = {}, {}, ngay_sinh = CASE WHEN hashtext(_record_id || 'x') & 15 = 0"
                " THEN left(ngay_sinh, 8) || '15' ELSE ngay_sinh END WHERE {}"
            ).format(
                sql.Identifier(spec.table),
                batch,
                batch,
                sql.SQL("so_dien_thoai = '0912345678'" if name == OWN else "dan_toc = '01'"),
                chosen,
            )
        ).rowcount


def cpu_of(server: psutil.Process) -> float:
    """Return CPU seconds of the server's processes, those that ended included."""
    total = server.cpu_times()
    used = total.user + total.system + total.children_user + total.children_system
    for child in server.children(recursive=True):
        try:
            each = child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        used += each.user + each.system
    return used


def timed(measuring: PostgresMeasuring, rules, extent: Extent, server: psutil.Process) -> tuple[Measurement, dict]:
    def own() -> float:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return used.ru_utime + used.ru_stime

    steps: list[tuple[str, float]] = []
    before, mine, began = cpu_of(server), own(), time.perf_counter()
    run = measuring.run(rules, extent=extent, progress=lambda what: steps.append((what, time.perf_counter())))
    wall = time.perf_counter() - began
    time.sleep(0.5)  # the session's process ends, and its figures go to the postmaster
    ends = [moment for _, moment in steps[1:]] + [began + wall]
    return run, {
        "extent": run.extent.value,
        "result": None if run.result_state is None else run.result_state.value,
        "touched": run.rows_touched,
        "opened": run.opened,
        "closed": run.closed,
        "wall_s": round(wall, 3),
        "server_cpu_s": round(cpu_of(server) - before, 3),
        "own_cpu_s": round(own() - mine, 3),
        "steps_s": {what: round(end - start, 3) for (what, start), end in zip(steps, ends, strict=True)},
    }


def counts(connection: psycopg.Connection, run: Measurement) -> list:
    return connection.execute(
        "SELECT rule, passed, failed, not_applicable, not_evaluated FROM lienthong.measurement_rule"
        " WHERE measurement = %s ORDER BY place",
        [run.id],
    ).fetchall()


def bench(url: str, server: psutil.Process, *, rows: int, share: float) -> dict:
    dictionary = load(shipped_folder("dictionary"))
    rules = derive_rules(dictionary, dictionary.datasets[OWN])
    with closing(PostgresCentreStore(url)) as store:
        store.prepare(
            dictionary, {name: derive_rules(dictionary, dictionary.datasets[name]) for name in (OWN, OTHER)}
        )
        # The other compared dataset stays empty, as a database that is not connected.
        store.prepare(dictionary, {n: derive_rules(dictionary, each) for n, each in dictionary.datasets.items()})
    result: dict = {
        "rows": rows,
        "share": share,
        "rules": [rule.name for rule in rules.rules if measured_kind(rule) is not None],
    }
    with psycopg.connect(url, autocommit=True) as connection, closing(JaroWinkler()) as alike:
        for name in (OWN, OTHER):
            fill(connection, dictionary, name, rows)
            print(f"filled {name}", file=sys.stderr)
        measuring = PostgresMeasuring(url, dictionary, resembles=alike, clock=SystemClock(), statement_limit_s=7_200)
        timed(measuring, rules, Extent.WHOLE, server)  # makes the indexes and the first findings
        _, result["whole"] = timed(measuring, rules, Extent.WHOLE, server)
        whole = result["whole"]
        _, result["nothing changed"] = timed(measuring, rules, Extent.CHANGED, server)
        result["changed"] = {}
        batch = 1
        for what, sides in {"own side": (OWN,), "other side": (OTHER,), "both sides": (OWN, OTHER)}.items():
            batch += 1
            changed = sum(
                change(connection, dictionary, side, share=share / len(sides), batch=batch) for side in sides
            )
            run, figures = timed(measuring, rules, Extent.CHANGED, server)
            cpu = (figures["server_cpu_s"] + figures["own_cpu_s"]) / (whole["server_cpu_s"] + whole["own_cpu_s"])
            figures |= {
                "rows_changed": changed,
                "share_of_whole_wall": round(figures["wall_s"] / whole["wall_s"], 4),
                "share_of_whole_cpu": round(cpu, 4),
            }
            result["changed"][what] = figures
            if run.extent is not Extent.CHANGED:
                raise SystemExit("the run looked at everything")
        after, _ = timed(measuring, rules, Extent.WHOLE, server)
        result["equal to a whole run"] = counts(connection, run) == counts(connection, after) and not (
            after.opened or after.closed
        )
        result["counts"] = counts(connection, after)
    return result


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=1_000_000, help="records of each dataset; 5000000 takes long")
    arguments.add_argument("--share", type=float, default=0.01)
    asked = arguments.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="lienthong-bench-"))
    folder.chmod(0o711)
    server = PostgresServer.start(ServerConfig(folder=folder / "postgresql", extra={"max_wal_size": "4GB"}))
    try:
        url = server.url("postgres", server.superuser, server.password)
        with psycopg.connect(url) as connection:
            (data,) = connection.execute("SHOW data_directory").fetchone() or ("",)
        postmaster = psutil.Process(int(Path(data, "postmaster.pid").read_text().splitlines()[0]))
        print(json.dumps(bench(url, postmaster, rows=asked.rows, share=asked.share), ensure_ascii=False, indent=2))
    finally:
        server.stop()
        remove(folder / "postgresql")
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
