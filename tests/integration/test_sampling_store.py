"""Samples at the centre: committed before the seed, drawn by the server as anybody would, judged once, never rewritten."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta

import psycopg
import pytest
from centre_opened import Centre, open_centre
from centre_rows import DATASET, DICTIONARY, NOW, R, make_batch

from lienthong.adapters.postgres.sampling import PostgresSampleReader, PostgresSamples, install
from lienthong.centre.refusals import RightsMissing
from lienthong.oversight.sampling import (
    Judgement,
    JudgementNotValid,
    Opinion,
    SampleOutOfOrder,
    SampleSizeNotValid,
    SampleState,
    SampleUnknown,
    SeedNotValid,
    SnapshotDiffers,
    draw,
    lot,
)

SEED = "kết quả xổ số 23/11/2026: 12345"
LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def centre(make_database) -> Iterator[Centre]:
    with open_centre(make_database("sampling").url) as opened:
        opened.apply(
            [R(id=f"r{n:02}", at=101, number=n, key=f"01{n:02}", name=f"Công ty {n}") for n in range(40)], end=101
        )
        yield opened


@pytest.fixture
def samples(centre: Centre) -> PostgresSamples:
    return PostgresSamples(centre.url, DICTIONARY)


def commit(samples: PostgresSamples, *, wanted: int = 10, assessors: int = 1) -> int:
    return samples.commit(DATASET, wanted=wanted, assessors=assessors, by="Trung tâm", at=NOW).number


def drawn(samples: PostgresSamples, **facts: int) -> tuple[int, tuple[str, ...]]:
    number = commit(samples, **facts)
    samples.publish_seed(number, seed=SEED, origin="xổ số", at=LATER)
    return number, samples.draw(number, at=LATER)


def opinion(
    record: str, *, said: Opinion = Opinion.RIGHT, by: str = "an", at: datetime = LATER, **elements
) -> Judgement:
    named = {name: frozenset(given) for name, given in elements.items()}
    return Judgement(record_id=record, assessor=by, opinion=said, judged_at=at, **named)


def test_a_sample_goes_from_commitment_to_result(samples: PostgresSamples) -> None:
    number, records = drawn(samples)
    for record in records[:8]:
        samples.judge(number, opinion(record))
    samples.judge(number, opinion(records[8], said=Opinion.WRONG, wrong=["ten"]))
    assert samples.sample(number).state is SampleState.DRAWN
    samples.judge(number, opinion(records[9], said=Opinion.UNDECIDED))
    found = samples.sample(number)
    assert found.state is SampleState.JUDGED
    assert (found.records.right, found.records.wrong, found.records.undecided) == (8, 1, 1)
    assert (found.elements["ten"].right, found.elements["ten"].wrong, found.elements["ten"].undecided) == (8, 1, 1)
    assert (found.elements["von"].right, found.elements["von"].undecided) == (9, 1)
    assert found.finished_at == LATER


def test_the_server_draws_what_anybody_would_draw_with_the_published_numbers(samples: PostgresSamples) -> None:
    number, records = drawn(samples)
    published = samples.sample(number).commitment
    everybody = [f"r{n:02}" for n in range(40)]
    assert records == draw(everybody, seed=SEED, snapshot=published.snapshot, wanted=10)
    first = min(everybody, key=lambda each: hashlib.sha256(f"{SEED}\n{each}\n{published.snapshot}".encode()).digest())
    assert records[0] == first
    assert lot(SEED, first, published.snapshot) == min(lot(SEED, each, published.snapshot) for each in everybody)


def test_the_same_records_have_the_same_hash_whatever_order_they_are_stored_in(
    samples: PostgresSamples, centre: Centre
) -> None:
    first = samples.sample(commit(samples)).commitment.snapshot
    centre.execute("CREATE TABLE shuffled AS SELECT * FROM dataset.doanh_nghiep ORDER BY _record_id DESC")
    centre.execute("DELETE FROM dataset.doanh_nghiep")
    centre.execute("INSERT INTO dataset.doanh_nghiep SELECT * FROM shuffled")
    assert samples.sample(commit(samples)).commitment.snapshot == first


def test_records_changed_ended_and_added_after_the_commitment_are_drawn_as_they_were_committed(
    samples: PostgresSamples, centre: Centre
) -> None:
    number = commit(samples, wanted=40)
    centre.apply(
        [
            R(id="r03", at=105, key="0103", name="Tên đã sửa cho đẹp"),
            R(id="r07", at=105, number=1, event="CANCEL"),
            R(id="r99", at=105, number=2, key="0199", name="Công ty mới"),
        ],
        end=105,
    )
    samples.publish_seed(number, seed=SEED, origin="xổ số", at=LATER)
    records = samples.draw(number, at=LATER)
    assert set(records) == {f"r{n:02}" for n in range(40)}
    names, rows = samples.sheet(number, reader="an", at=LATER)
    by_record = {row[0]: dict(zip(names, row, strict=True)) for row in rows}
    assert by_record["r03"]["ten"] == "Công ty 3"
    assert by_record["r07"]["ten"] == "Công ty 7"


def test_a_row_read_again_that_says_the_same_is_the_committed_row(samples: PostgresSamples, centre: Centre) -> None:
    number = commit(samples)
    centre.apply([R(id="r03", at=106, key="0103", name="Công ty 3")], end=106)
    samples.verify(number)


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE dataset.doanh_nghiep SET ten = 'khác' WHERE _record_id = 'r05'",
        "UPDATE dataset.doanh_nghiep SET _image = '{}' WHERE _record_id = 'r05'",
        "DELETE FROM dataset.doanh_nghiep WHERE _record_id = 'r05'",
        "UPDATE dataset.doanh_nghiep SET _record_id = 'r77' WHERE _record_id = 'r05'",
    ],
)
def test_rewriting_records_past_the_product_is_detected_and_nothing_is_drawn(
    samples: PostgresSamples, centre: Centre, tampering: str
) -> None:
    number = commit(samples)
    samples.publish_seed(number, seed=SEED, origin="xổ số", at=LATER)
    centre.execute(tampering)
    for step in (lambda: samples.draw(number, at=LATER), lambda: samples.verify(number)):
        with pytest.raises(SnapshotDiffers):
            step()
    assert samples.sample(number).drawn == ()


def test_a_seed_is_published_once_and_after_the_commitment(samples: PostgresSamples) -> None:
    number = commit(samples)
    with pytest.raises(SampleOutOfOrder, match="later than the commitment"):
        samples.publish_seed(number, seed=SEED, origin="xổ số", at=NOW)
    samples.publish_seed(number, seed=SEED, origin="xổ số", at=LATER)
    with pytest.raises(SampleOutOfOrder, match="has its seed"):
        samples.publish_seed(number, seed="một hạt giống khác", origin="xổ số", at=LATER)
    assert samples.sample(number).seed == SEED


@pytest.mark.parametrize("seed", ["", "ngắn", "hai\ndòng cách nhau", "x" * 1_001])
def test_a_seed_that_is_no_seed_is_refused(samples: PostgresSamples, seed: str) -> None:
    with pytest.raises(SeedNotValid):
        samples.publish_seed(commit(samples), seed=seed, origin="xổ số", at=LATER)


def test_no_step_comes_before_the_one_it_rests_on_or_twice(samples: PostgresSamples) -> None:
    number = commit(samples)
    for step in (
        lambda: samples.draw(number, at=LATER),
        lambda: samples.judge(number, opinion("r01")),
        lambda: samples.sheet(number, reader="an", at=LATER),
    ):
        with pytest.raises(SampleOutOfOrder):
            step()
    samples.publish_seed(number, seed=SEED, origin="xổ số", at=LATER)
    samples.draw(number, at=LATER)
    with pytest.raises(SampleOutOfOrder, match="it was drawn"):
        samples.draw(number, at=LATER)


def test_only_drawn_records_are_judged_and_each_once_by_a_person(samples: PostgresSamples) -> None:
    number, records = drawn(samples)
    other = next(f"r{n:02}" for n in range(40) if f"r{n:02}" not in records)
    with pytest.raises(JudgementNotValid, match="not drawn"):
        samples.judge(number, opinion(other))
    samples.judge(number, opinion(records[0], said=Opinion.WRONG, wrong=["ten"]))
    with pytest.raises(JudgementNotValid):
        samples.judge(number, opinion(records[0]))
    with pytest.raises(JudgementNotValid, match="all the opinions"):
        samples.judge(number, opinion(records[0], by="bình"))


@pytest.mark.parametrize(
    ("said", "elements"),
    [
        (Opinion.RIGHT, {"wrong": ["ten"]}),
        (Opinion.WRONG, {}),
        (Opinion.UNDECIDED, {"wrong": ["ten"]}),
        (Opinion.WRONG, {"wrong": ["ten"], "undecided": ["ten"]}),
        (Opinion.WRONG, {"wrong": ["khong_co"]}),
    ],
)
def test_a_judgement_that_says_two_things_at_once_is_refused(samples: PostgresSamples, said, elements) -> None:
    number, records = drawn(samples)
    with pytest.raises(JudgementNotValid):
        samples.judge(number, opinion(records[0], said=said, **elements))


def test_two_people_who_differ_decide_nothing(samples: PostgresSamples) -> None:
    number, records = drawn(samples, wanted=1, assessors=2)
    samples.judge(number, opinion(records[0]))
    assert samples.sample(number).settled == 0
    with pytest.raises(JudgementNotValid, match="this assessor"):
        samples.judge(number, opinion(records[0]))
    samples.judge(number, opinion(records[0], by="bình", said=Opinion.WRONG, wrong=["ten"]))
    found = samples.sample(number)
    assert (found.records.undecided, found.elements["ten"].undecided, found.elements["von"].right) == (1, 1, 1)


@pytest.mark.parametrize("table", ["sample", "sample_seed", "sample_draw", "sample_record", "sample_judgement"])
@pytest.mark.parametrize("deed", ["DELETE FROM lienthong.{}", "TRUNCATE lienthong.{} CASCADE"])
def test_nothing_about_samples_can_be_taken_back_even_by_their_owner(
    samples: PostgresSamples, centre: Centre, table: str, deed: str
) -> None:
    number, records = drawn(samples)
    samples.judge(number, opinion(records[0]))
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="never rewritten"):
        centre.execute(deed.format(table))


def test_every_look_at_unmasked_values_is_written_down(samples: PostgresSamples, centre: Centre) -> None:
    number, _ = drawn(samples)
    samples.sheet(number, reader="an", at=LATER)
    looks = centre.rows("SELECT sample, reader, records FROM lienthong.sample_reading")
    assert looks == [{"sample": number, "reader": "an", "records": 10}]


@pytest.mark.parametrize(("wanted", "assessors"), [(0, 1), (10_001, 1), (10, 0), (10, 3)])
def test_a_sample_of_a_size_that_says_nothing_is_refused(
    samples: PostgresSamples, wanted: int, assessors: int
) -> None:
    with pytest.raises(SampleSizeNotValid):
        samples.commit(DATASET, wanted=wanted, assessors=assessors, by="Trung tâm", at=NOW)


def test_an_empty_dataset_cannot_be_committed(make_database) -> None:
    with open_centre(make_database("sampling").url) as opened, pytest.raises(SampleSizeNotValid, match="empty"):
        PostgresSamples(opened.url, DICTIONARY).commit(DATASET, wanted=5, assessors=1, by="Trung tâm", at=NOW)


def test_a_sample_that_does_not_exist_is_refused(samples: PostgresSamples) -> None:
    with pytest.raises(SampleUnknown):
        samples.sample(7)


def test_batches_go_on_while_the_records_of_a_dataset_are_hashed(samples: PostgresSamples, centre: Centre) -> None:
    number = commit(samples)
    receipt = centre.store.apply(make_batch([R(id="r50", at=110, key="0150")], end=110), at=NOW)
    assert receipt.batch_id > samples.sample(number).commitment.up_to_batch
    samples.verify(number)


def test_the_faces_role_reads_samples_and_no_values_and_writes_nothing(make_database) -> None:
    database = make_database("sampling")
    with open_centre(database.url) as opened:
        opened.apply([R(id="r1", at=101)], end=101)
        guest = database.role("reader")
        reader = PostgresSampleReader(guest)
        with psycopg.connect(database.url) as connection:
            connection.execute(f'GRANT USAGE ON SCHEMA lienthong TO "{database.user_of(guest)}"')
        assert reader.samples(DATASET, limit=5) == []
        install(database.url, password=None, reader_role=database.user_of(guest))
        number = (
            PostgresSamples(database.url, DICTIONARY).commit(DATASET, wanted=1, assessors=1, by="x", at=NOW).number
        )
        assert [each.commitment.number for each in PostgresSampleReader(guest).samples(DATASET, limit=5)] == [number]
        assert reader.samples(DATASET, limit=5) == [], "an answer is kept for some seconds"
        with pytest.raises(RightsMissing):
            PostgresSamples(guest, DICTIONARY).publish_seed(number, seed=SEED, origin="x", at=LATER)
