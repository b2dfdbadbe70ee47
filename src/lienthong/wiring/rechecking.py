"""Judge everything that is stored of a dataset again, from its raw images."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lienthong.adapters.postgres.stored_rows import PostgresStoredRows
from lienthong.check.engine import Checker
from lienthong.dictionary.model import DatasetId
from lienthong.dictionary.refusals import DatasetUnknown
from lienthong.pipeline.recheck import Recheck, StoredRows, recheck
from lienthong.pipeline.transfer import Way
from lienthong.standardise.plan import build_plan
from lienthong.wiring.services import Knowledge
from lienthong.wiring.settings import Settings, password

Progress = Callable[[str], None]


def recheck_dataset(
    settings: Settings, knowledge: Knowledge, name: DatasetId, *, progress: Progress = lambda _: None
) -> Recheck:
    """Judge every stored record of a dataset with the rules of now, and compare with what is stored.

    Raises:
        DatasetUnknown: the dataset is not in the dictionary.
    """
    if name not in knowledge.rule_sets:
        raise DatasetUnknown(wanted=name, known=", ".join(sorted(knowledge.rule_sets)))
    rules, dataset = knowledge.rule_sets[name], knowledge.dictionary.datasets[name]
    ways = {
        (str(mapping.source), str(mapping.table)): Way(
            mapping=mapping,
            dataset=dataset,
            plan=build_plan(knowledge.dictionary, dataset, mapping),
            checker=Checker(knowledge.dictionary, rules),
        )
        for mapping in knowledge.mappings
        if mapping.dataset == name
    }
    stored = PostgresStoredRows(settings.centre.url, knowledge.dictionary, password=password(settings.centre))
    with stored.snapshot(rules) as (rows, counters_equal):
        found = recheck(_told(rows, name, progress), ways, rules)
    found.counters_equal = counters_equal
    return found


def _told(rows: Iterator[StoredRows], name: str, progress: Progress) -> Iterator[StoredRows]:
    done = 0
    for some in rows:
        yield some
        done += some.rows.height
        progress(f"{name}: {done:,} records judged again")
