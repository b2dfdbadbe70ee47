from __future__ import annotations

from contextlib import suppress

import pytest

from lienthong.adapters.memory import RECORD_SIZE, MemoryDatabase, MemorySource
from lienthong.sources.change import Position, SourceColumn, SourceId, SourceTable, TableName
from lienthong.testing.source_contract import (
    CONTRACT,
    Empty,
    Move,
    Put,
    Remove,
    Rename,
    an_adjacent_commit_at_the_resume_point_is_not_lost,
)

TABLE = SourceTable(
    name=TableName(schema="public", table="contract"),
    columns=tuple(SourceColumn(name=name, type_name="text") for name in ("key", "name", "body")),
    key=("key",),
)


class UndoneError(Exception):
    """Rolls a transaction back."""


class MemoryHarness:
    def __init__(self, adapter: type[MemorySource] = MemorySource) -> None:
        self.database = MemoryDatabase(TABLE)
        self.adapter = adapter

    @staticmethod
    def _apply(transaction, operations):
        for each in operations:
            if isinstance(each, Put):
                transaction.insert({"key": each.key, "name": each.name, "body": each.body})
            elif isinstance(each, Rename):
                transaction.update((each.key,), {"name": each.name})
            elif isinstance(each, Move):
                transaction.update((each.key,), {"key": each.to})
            elif isinstance(each, Remove):
                transaction.delete((each.key,))
            elif isinstance(each, Empty):
                transaction.truncate()

    def commit(self, *operations):
        with self.database.transaction() as transaction:
            self._apply(transaction, operations)

    def roll_back(self, *operations):
        with suppress(UndoneError), self.database.transaction() as transaction:
            self._apply(transaction, operations)
            raise UndoneError

    def commit_adjacent(self, first, second):
        self.commit(first)
        between = Position(commit=self.database.end)
        self.commit(second)
        assert self.database.commits[-1].commit == between.commit
        return between

    def commit_elsewhere(self):
        self.database.advance()

    def written(self):
        return Position(commit=self.database.end)

    def kept_from(self):
        return Position(commit=self.database.confirmed)

    def rows(self):
        return {row["key"]: (row["name"], row["body"]) for row in self.database.rows.values()}

    def open(self):
        return self.adapter(self.database, source=SourceId("memory"), heartbeat_s=0.01, delivery_changes_max=3)


@pytest.mark.parametrize("rule", CONTRACT, ids=lambda rule: rule.__name__)
def test_the_memory_source_keeps_the_contract(rule):
    rule(MemoryHarness())


class AfterInsteadOfAtOrAfter(MemorySource):
    """The mutant of case 18: resumes with ``>``."""

    def stream(self, *, epoch, after):
        yield from super().stream(epoch=epoch, after=Position(commit=after.commit + RECORD_SIZE // 2))


def test_the_contract_catches_a_source_that_resumes_after_instead_of_at_the_position():
    with pytest.raises(AssertionError):
        an_adjacent_commit_at_the_resume_point_is_not_lost(MemoryHarness(AfterInsteadOfAtOrAfter))


class ConfirmsByItself(MemorySource):
    """The mutant that tells the source to forget what it has only handed over."""

    def stream(self, *, epoch, after):
        for arrived in super().stream(epoch=epoch, after=after):
            self.confirm(arrived.end)
            yield arrived


def test_the_contract_catches_a_source_that_confirms_by_itself():
    rule = next(each for each in CONTRACT if each.__name__ == "nothing_is_confirmed_before_confirm")
    with pytest.raises(AssertionError):
        rule(MemoryHarness(ConfirmsByItself))
