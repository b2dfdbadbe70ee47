"""The analytical copy: many small steps say what one big one says, on every engine; no kill breaks it."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import duckdb
import polars as pl
import psycopg
import pytest
from centre_rows import DATASET, DICTIONARY, NOW, SOURCE, VALUES_SCHEMA, R, make_dictionary
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from spark_opened import NOISE, sail
from test_centre_against_memory import _CLEAR, Play, prepare, steps

from lienthong.adapters.analytical_copy import CopyFolder
from lienthong.adapters.copy_views import CURRENT
from lienthong.adapters.memory_centre import MemoryCentreStore
from lienthong.adapters.postgres.centre_store import PostgresCentreStore
from lienthong.adapters.postgres.copy_feed import opened
from lienthong.centre.copying import live
from lienthong.centre.copying_refusals import (
    CopyAhead,
    CopyDamaged,
    CopyFolderRefused,
    CopyMissing,
    CopyShapeDiffers,
    CopyUnderWay,
)
from lienthong.centre.tables import derive_table
from lienthong.dictionary.model import Datatype

EXAMPLES = int(os.environ.get("LIENTHONG_EXAMPLES", "8"))
SPEC = derive_table(DICTIONARY, DICTIONARY.datasets[DATASET])
ORDER = ["_record_id", "_valid_from", "_batch", "_ended_batch", "_valid_to", "ten", "ma_so"]


class Centre:
    def __init__(self, url):
        self.url = url
        self.store, self.memory = PostgresCentreStore(url), MemoryCentreStore()
        prepare(self.store)
        with psycopg.connect(url) as connection:
            connection.execute(_CLEAR)
        for each in (self.store, self.memory):
            prepare(each)
        self.play = Play(stores=(self.store, self.memory))
        self.play.start(new_epoch=False)
        self.play.finish()

    def apply(self, *rows):
        self.play.commit += 1
        made = [("a", [R(**{"at": self.play.commit, "number": place} | row) for place, row in enumerate(rows)])]
        self.play.commit += 1
        self.play.apply(self.play.batch(made, end=self.play.commit, snapshot=False, newer=False))

    def copy(self, folder, *, rebuild=False, **more):
        with opened(self.url, DICTIONARY, password=None) as feed:
            return CopyFolder(folder=folder, spec=SPEC, **more).run(feed, at=NOW, rebuild=rebuild)

    def query(self, question):
        with psycopg.connect(self.url) as connection:
            return connection.execute(question).fetchall()

    def close(self):
        self.store.close()


@pytest.fixture
def centre(make_database):
    made = Centre(make_database("copied").url)
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "copies"


def versions(folder, **more):
    copies = CopyFolder(folder=folder, spec=SPEC, **more)
    frames = [pl.read_parquet(path) for path in copies.paths()]
    return live(pl.concat(frames)).sort(ORDER, nulls_last=True) if frames else None


def expected(centre):
    """Return all versions from the centre's tables in one go."""
    with opened(centre.url, DICTIONARY, password=None) as feed:
        frames = list(feed.versions(DATASET, after=-1, buckets=1))
    return pl.concat(frames).drop("_bucket").sort(ORDER, nulls_last=True) if frames else None


def same(found, wanted):
    if found is None or wanted is None:
        assert [0 if each is None else each.height for each in (found, wanted)] == [0, 0]
    else:
        assert_frame_equal(found, wanted)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.reuse, Phase.generate],
    print_blob=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(plan=st.lists(st.tuples(steps, st.booleans()), min_size=1, max_size=6), limit=st.integers(1, 3))
def test_a_copy_built_in_steps_says_what_the_centre_says(make_database, tmp_path_factory, plan, limit):
    centre, folder = Centre(make_database("copied").url), tmp_path_factory.mktemp("steps", numbered=True)
    folder.chmod(0o700)
    try:
        for step, copied in plan:
            centre.play.take(step)
            if copied:
                centre.copy(folder, buckets=2, segments_max=limit)
                same(versions(folder, buckets=2), expected(centre))
        centre.copy(folder, buckets=2, segments_max=limit)
        stepwise = versions(folder, buckets=2)
        same(stepwise, expected(centre))
        centre.copy(folder, buckets=2, rebuild=True)
        same(versions(folder, buckets=2), stepwise)
        CopyFolder(folder=folder, spec=SPEC, buckets=2).verify()
    finally:
        centre.close()


def lively(centre):
    centre.apply(*({"id": f"r{n}", "key": f"k{n}", "name": "x"} for n in range(50)))
    centre.apply(*({"id": f"r{n}", "key": f"k{n}", "name": "y"} for n in range(0, 50, 2)))


def test_appending_writes_only_what_changed_and_a_run_without_changes_writes_nothing(centre, folder):
    lively(centre)
    first = centre.copy(folder)
    centre.apply({"id": "r1", "key": "k1", "name": "z"}, {"id": "r2", "key": "k2", "event": "CANCEL"})
    second = centre.copy(folder)
    fresh = [each for each in second.segments if each not in first.segments]
    assert set(first.segments) <= set(second.segments)
    assert sum(each.rows for each in fresh) == 3  # two ends and one version
    assert centre.copy(folder).segments == second.segments


def test_a_copy_of_nothing_can_be_read_and_grows(centre, folder):
    assert centre.copy(folder).watermark == 0
    assert versions(folder).height == 0
    lively(centre)
    centre.copy(folder)
    same(versions(folder), expected(centre))


STEPS = ("written", "named", "manifest written", "manifest named")


class Killed(BaseException):
    pass


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("rebuild", [False, True])
def test_a_run_killed_between_two_steps_leaves_a_copy_that_is_whole(centre, folder, step, rebuild):
    lively(centre)
    before = centre.copy(folder, segments_max=1)
    centre.apply({"id": "r1", "key": "k1", "name": "z"})

    def die(at):
        if at == step:
            raise Killed

    with pytest.raises(Killed):
        centre.copy(folder, segments_max=1, rebuild=rebuild, between=die)
    left = CopyFolder(folder=folder, spec=SPEC).verify()
    assert left == before or step == "manifest named"
    centre.copy(folder, segments_max=1)
    same(versions(folder), expected(centre))
    centre.copy(folder)
    kept = {path.name for path in (folder / DATASET).glob("bucket-*/*")}
    assert kept == {Path(path).name for path in CopyFolder(folder=folder, spec=SPEC).paths()}


def test_files_of_the_manifest_before_stay_for_its_readers_until_the_next_run(centre, folder):
    lively(centre)
    centre.copy(folder)
    old = CopyFolder(folder=folder, spec=SPEC).paths()
    centre.copy(folder, rebuild=True)
    assert all(Path(path).is_file() for path in old)
    centre.copy(folder)
    assert not any(Path(path).exists() for path in old)


@pytest.mark.filterwarnings(*NOISE)
def test_duckdb_sail_and_the_centre_give_the_same_rows(centre, folder, require):
    lively(centre)
    centre.copy(folder)
    centre.apply({"id": "r1", "key": "k1", "event": "CANCEL"}, {"id": "r4", "key": "k4", "name": "Đỗ"})
    centre.copy(folder)
    paths = CopyFolder(folder=folder, spec=SPEC).paths()
    columns = "_record_id, ma_so, ten, von, ngay_cap, so_lao_dong, hoat_dong"
    wanted = sorted(centre.query(f"SELECT {columns} FROM dataset.doanh_nghiep"))
    assert len(wanted) == 49
    with duckdb.connect() as engine:
        files = ", ".join(f"'{path}'" for path in paths)
        engine.execute(f"CREATE VIEW versions AS SELECT * FROM read_parquet([{files}])")
        assert sorted(engine.execute(f"SELECT {columns} FROM ({CURRENT})").fetchall()) == wanted
        ends = engine.execute("SELECT count(*) FROM versions WHERE _ended_batch IS NOT NULL").fetchone()
    assert ends == centre.query("SELECT count(*) FROM dataset.doanh_nghiep_history")[0]
    with sail(require) as session:
        session.read.parquet(*paths).createOrReplaceTempView("versions")
        rows = session.sql(f"SELECT {columns} FROM ({CURRENT})").collect()
        assert sorted(tuple(row) for row in rows) == wanted


def test_only_the_owner_may_open_the_folder(centre, folder):
    lively(centre)
    centre.copy(folder)
    assert (folder.stat().st_mode & 0o777, (folder / DATASET).stat().st_mode & 0o777) == (0o700, 0o700)
    folder.chmod(0o750)
    with pytest.raises(CopyFolderRefused):
        centre.copy(folder)
    with pytest.raises(CopyFolderRefused):
        centre.copy(Path("/proc/nowhere"))


def test_a_copy_that_is_not_what_was_written_is_refused_and_can_be_built_anew(centre, folder):
    lively(centre)
    with pytest.raises(CopyMissing):
        CopyFolder(folder=folder, spec=SPEC).manifest()
    centre.copy(folder)
    copies = CopyFolder(folder=folder, spec=SPEC)
    victim = Path(copies.paths()[0])
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.write_bytes(content)
    with pytest.raises(CopyDamaged):
        copies.verify()
    victim.unlink()
    with pytest.raises(CopyDamaged):
        centre.copy(folder)
    manifest = folder / DATASET / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b'"watermark": ', b'"watermark": 1'))
    with pytest.raises(CopyDamaged):
        copies.manifest()
    centre.copy(folder, rebuild=True)
    same(versions(folder), expected(centre))


def test_another_shape_another_centre_and_another_writer_are_refused(centre, folder):
    lively(centre)
    made = centre.copy(folder)
    narrow = make_dictionary(types={"ma_so": Datatype.TEXT})
    with opened(centre.url, narrow, password=None) as feed, pytest.raises(CopyShapeDiffers):
        CopyFolder(folder=folder, spec=derive_table(narrow, narrow.datasets[DATASET])).run(feed, at=NOW)
    with pytest.raises(CopyUnderWay):
        centre.copy(folder, rebuild=True, between=lambda _: centre.copy(folder))
    with psycopg.connect(centre.url) as connection:
        connection.execute("DELETE FROM dataset.doanh_nghiep WHERE _batch = %s", [made.watermark])
        connection.execute("DELETE FROM dataset.doanh_nghiep_history")
    with pytest.raises(CopyAhead):
        centre.copy(folder)


def test_the_copy_says_its_newest_batch_and_when_it_was_applied(centre, folder):
    lively(centre)
    made = centre.copy(folder)
    assert made.newest_at == centre.store.link(SOURCE).applied_at
    assert made.newest_at > NOW - timedelta(days=1)
    assert {f"{name} {dtype}" for name, dtype in VALUES_SCHEMA.items() if name == "ten"} <= set(made.columns)
