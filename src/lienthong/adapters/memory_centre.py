"""The centre's state in memory: slow and obvious, one row after another; the judge of the real store in tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from lienthong.centre.batch import Batch, BatchReceipt, Truncation
from lienthong.centre.ports import LinkState, LinkStatus, Phase
from lienthong.centre.reading import DatasetCount, RuleCount
from lienthong.centre.refusals import DatasetNotPrepared, EpochDiffers, PhaseDiffers
from lienthong.centre.staging import SNAPSHOT_NUMBER, UNIQUE
from lienthong.centre.tables import TableSpec, derive_table
from lienthong.check.masking import mask_text
from lienthong.check.verdict import JudgedBatch, Letter, Rule, RuleSet, Severity
from lienthong.dictionary.model import DatasetId, Dictionary, Sensitivity
from lienthong.sources.change import Epoch, Position, SourceId, TableName
from lienthong.standardise.batch import Event

Order = tuple[int, int, int]  # epoch, version, number


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A record as it was at one moment."""

    record_id: str
    event: str
    order: Order
    source: str
    table: str
    source_time: datetime
    valid_from: datetime
    batch: int
    applied_at: datetime
    image: str
    judgement: str
    rule_set: str
    dictionary: str
    values: Mapping[str, object]

    @property
    def content(self) -> tuple[object, ...]:
        """Return what makes two rows the same version."""
        return self.source, self.table, self.image, self.values


@dataclass(frozen=True, kw_only=True)
class Ended:
    """An earlier version and what ended it."""

    entry: Entry
    valid_to: datetime
    ended_by: str
    order: Order
    batch: int


@dataclass(frozen=True, kw_only=True)
class Case:
    """A change in quarantine."""

    record_id: str
    order: Order
    source: str
    table: str
    image: str
    judgement: str
    rule_set: str
    rules: tuple[str, ...]
    business_key: tuple[str, ...] | None
    state: str
    opened_batch: int
    closed_batch: int | None = None


@dataclass(frozen=True, kw_only=True)
class Note:
    """A finding of a record."""

    record_id: str
    rule: str
    observed: str | None
    opened_batch: int
    closed_batch: int | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """One change, taken out of its columns."""

    place: int
    kind: str  # good, bad, cancel
    entry: Entry
    counted: bool
    reasons: tuple[str, ...]


@dataclass(kw_only=True)
class Shelf:
    """Everything of one dataset."""

    spec: TableSpec
    current: dict[str, Entry] = field(default_factory=dict)
    history: list[Ended] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def open_case(self, record_id: str) -> Case | None:
        """Return the open case of a record."""
        return next((case for case in self.cases if case.record_id == record_id and case.state == "open"), None)

    def settle_case(self, case: Case, state: str, batch: int) -> None:
        """Close a case."""
        self.cases[self.cases.index(case)] = replace(case, state=state, closed_batch=batch)

    def end(self, record_id: str, *, by: Entry, event: str) -> None:
        """Move the current version to history."""
        entry = self.current.pop(record_id, None)
        if entry is not None:
            self.history.append(
                Ended(
                    entry=entry,
                    valid_to=max(by.source_time, entry.valid_from),
                    ended_by=event,
                    order=by.order,
                    batch=by.batch,
                )
            )

    def last_order(self, record_id: str) -> Order | None:
        """Return the newest position at which a record changed."""
        orders = [ended.order for ended in self.history if ended.entry.record_id == record_id]
        if record_id in self.current:
            orders.append(self.current[record_id].order)
        case = self.open_case(record_id)
        if case is not None:
            orders.append(case.order)
        return max(orders, default=None)

    def valid_from(self, entry: Entry, *, not_before: datetime) -> datetime:
        """Return from when a new version counts: never before the end of the one before it."""
        ends = [ended.valid_to for ended in self.history if ended.entry.record_id == entry.record_id]
        return max([entry.source_time, not_before, *ends])


class MemoryCentreStore:
    """Keep everything in dictionaries; same port and same effect as the PostgreSQL store."""

    def __init__(self) -> None:
        self.shelves: dict[str, Shelf] = {}
        self.receipts: dict[tuple[str, int, Position], BatchReceipt] = {}  # of the stream
        self._links: dict[str, LinkState] = {}
        self._epochs: dict[str, int] = {}
        self._rules: dict[str, RuleSet] = {}  # by digest
        self._dictionary: Dictionary | None = None
        self._batches = 0

    def prepare(self, dictionary: Dictionary, rule_sets: Mapping[DatasetId, RuleSet]) -> None:
        """Make a shelf for every dataset."""
        self._dictionary = dictionary
        for name, rules in rule_sets.items():
            spec = derive_table(dictionary, dictionary.datasets[name])
            self.shelves.setdefault(name, Shelf(spec=spec)).spec = spec
            self._rules[rules.digest] = rules

    def link(self, source: SourceId) -> LinkState | None:
        """Return what is remembered of a link."""
        return self._links.get(source)

    def begin_snapshot(
        self,
        source: SourceId,
        *,
        epoch: Epoch,
        position: Position,
        plan_digest: str,
        rows_estimated: int,
        at: datetime,
    ) -> None:
        """Note that a snapshot starts."""
        known = self._links.get(source) or _new_link(source)
        if known.epoch != epoch:
            self._epochs[source] = self._epochs.get(source, 0) + 1
        self._links[source] = replace(
            replace(known, phase=Phase.SNAPSHOT, epoch=epoch, position=position, plan_digest=plan_digest),
            status=LinkStatus.CATCHING_UP,
            reason=None,
            next_action=None,
            heartbeat_at=at,
            rows_done=0,
            rows_estimated=rows_estimated,
        )

    def finish_snapshot(
        self, source: SourceId, *, tables: Sequence[tuple[TableName, DatasetId]], position: Position, at: datetime
    ) -> int:
        """Cancel the records the snapshot did not see."""
        link = self._require_link(source)
        if link.phase is not Phase.SNAPSHOT or link.position != position:
            raise PhaseDiffers(source=source, phase=link.phase.value, needed=f"a snapshot at {position}")
        self._batches += 1
        order = (self._epochs[source], position.commit, SNAPSHOT_NUMBER)
        gone = sum(self._withdraw(dataset, source, str(table), order, at) for table, dataset in tables)
        healthy = replace(link, phase=Phase.STREAM, status=LinkStatus.HEALTHY, applied_at=at)
        self._links[source] = replace(healthy, reason=None, next_action=None)
        return gone

    def images(self, dataset: DatasetId, record_ids: Sequence[str]) -> Mapping[str, str]:
        """Return raw images; the open case's wins, it is newer."""
        shelf = self._shelf(dataset)
        kept = {record_id: shelf.current[record_id].image for record_id in record_ids if record_id in shelf.current}
        held = {record_id: case.image for record_id in record_ids if (case := shelf.open_case(record_id)) is not None}
        return kept | held

    def apply(self, batch: Batch, *, at: datetime) -> BatchReceipt:
        """Apply a batch row by row."""
        link = self._require_link(batch.source)
        if batch.epoch != link.epoch:
            raise EpochDiffers(source=batch.source, delivered=batch.epoch, stored=link.epoch)
        needed = Phase.SNAPSHOT if batch.snapshot else Phase.STREAM
        if link.phase is not needed:
            raise PhaseDiffers(source=batch.source, phase=link.phase.value, needed=needed.value)
        assert link.position is not None, "a link in either phase has a position"
        if not batch.snapshot and batch.end <= link.position:
            return self._earlier(batch, at)
        self._batches += 1
        before = self._open_and_closed()
        fates: Counter[str] = Counter()
        for part in batch.parts:
            fates += self._apply_part(batch, part, link.position, at)
        opened, closed = (new - old for new, old in zip(self._open_and_closed(), before, strict=True))
        receipt = _receipt(batch, fates, batch_id=self._batches, findings=(opened, closed), at=at)
        if not batch.snapshot:
            self.receipts[batch.source, self._epochs[batch.source], batch.end] = receipt
        self._links[batch.source] = replace(
            link,
            position=link.position if batch.snapshot else batch.end,
            applied_at=at,
            heartbeat_at=at,
            rows_done=link.rows_done + (batch.read if batch.snapshot else 0),
        )
        return receipt

    def heartbeat(self, source: SourceId, *, position: Position, at: datetime) -> None:
        """Note that the source answered."""
        link = self._require_link(source)
        assert link.position is not None, "a link in either phase has a position"
        ahead = max(link.position, position) if link.phase is Phase.STREAM else link.position
        self._links[source] = replace(link, heartbeat_at=at, position=ahead)

    def report(
        self, source: SourceId, *, status: LinkStatus, reason: str | None, next_action: str | None, at: datetime
    ) -> None:
        """Note the state of a link."""
        del at
        known = self._links.get(source) or _new_link(source)
        self._links[source] = replace(known, status=status, reason=reason, next_action=next_action)

    def ask_snapshot(self, source: SourceId) -> bool:
        """Have the next start of a link take a new snapshot; return whether the link is known."""
        link = self._links.get(source)
        if link is None:
            return False
        self._links[source] = replace(link, plan_digest="")
        return True

    def close(self) -> None:
        """Do nothing: there is no connection."""

    def rule_counts(self, dataset: DatasetId, digest: str) -> tuple[RuleCount, ...]:
        """Count every verdict made with one rule set."""
        shelf = self._shelf(dataset)
        verdicts = [judgement for rule_set, judgement in self._verdicts(shelf) if rule_set == digest]
        rules = enumerate(self._rules[digest].rules)
        return tuple(_rule_count(rule, Counter(judgement[place] for judgement in verdicts)) for place, rule in rules)

    def counts(self) -> Mapping[DatasetId, DatasetCount]:
        """Return how much each dataset holds."""
        return {
            DatasetId(name): DatasetCount(
                dataset=DatasetId(name),
                rows=len(shelf.current),
                quarantined=sum(case.state == "open" for case in shelf.cases),
                history=len(shelf.history),
                findings=sum(note.closed_batch is None for note in shelf.notes),
            )
            for name, shelf in self.shelves.items()
        }

    # -- inside ------------------------------------------------------------------------------------------------

    def _shelf(self, dataset: str) -> Shelf:
        if dataset not in self.shelves:
            raise DatasetNotPrepared(dataset=dataset)
        return self.shelves[dataset]

    def _require_link(self, source: SourceId) -> LinkState:
        link = self._links.get(source)
        if link is None or link.phase is Phase.NEW:
            raise PhaseDiffers(source=source, phase=Phase.NEW.value, needed="begin_snapshot first")
        return link

    def _earlier(self, batch: Batch, at: datetime) -> BatchReceipt:
        known = self.receipts.get((batch.source, self._epochs[batch.source], batch.end))
        fates = Counter(superseded=batch.read - batch.filtered)
        return known or _receipt(batch, fates, batch_id=0, findings=(0, 0), at=at)

    def _open_and_closed(self) -> tuple[int, int]:
        notes = [note for shelf in self.shelves.values() for note in shelf.notes]
        return len(notes), sum(note.closed_batch is not None for note in notes)

    def _apply_part(
        self, batch: Batch, part: JudgedBatch | Truncation, position: Position, at: datetime
    ) -> Counter[str]:
        epoch = self._epochs[batch.source]
        if isinstance(part, Truncation):
            if part.version < position.commit:
                return Counter(superseded=1)
            order = (epoch, part.version, part.number)
            self._withdraw(part.dataset.identity.id, batch.source, str(part.table), order, part.source_time)
            return Counter(applied=1)
        shelf = self._shelf(part.records.dataset.identity.id)
        self._rules[part.rules.digest] = part.rules
        rows = list(_rows(batch, part, shelf.spec, epoch=epoch, batch_id=self._batches, at=at))
        fresh = [row for row in rows if self._is_fresh(shelf, row, position, snapshot=batch.snapshot)]
        fates = Counter(superseded=sum(row.counted for row in rows if row not in fresh))
        for place, row in enumerate(fresh):
            later = [other for other in fresh[place + 1 :] if other.entry.record_id == row.entry.record_id]
            fates[_fate(row, later)] += row.counted
            earlier = [other for other in fresh[:place] if other.entry.record_id == row.entry.record_id]
            times = [other.entry.source_time for other in [*earlier, row] if other.kind != "bad"]
            _apply_row(shelf, row, snapshot=batch.snapshot, not_before=max(times, default=row.entry.source_time))
            lapsed = shelf.open_case(row.entry.record_id)
            if row.kind == "bad" and later and lapsed is not None:
                shelf.settle_case(lapsed, "superseded", self._batches)
        self._settle_uniqueness(shelf)
        self._note_findings(shelf, part, fresh)
        return fates

    def _is_fresh(self, shelf: Shelf, row: Row, position: Position, *, snapshot: bool) -> bool:
        last = shelf.last_order(row.entry.record_id)
        if snapshot:
            return last is None or row.entry.order >= last
        return row.entry.order[1] >= position.commit and (last is None or row.entry.order > last)

    def _withdraw(self, dataset: str, source: str, table: str, order: Order, at: datetime) -> int:
        shelf = self._shelf(dataset)
        kept = {
            e.record_id for e in shelf.current.values() if e.source == source and e.table == table and e.order < order
        }
        held = {c.record_id: c for c in shelf.cases if c.state == "open" and c.source == source and c.table == table}
        gone = {r for r in kept if r not in held or held[r].order < order}
        gone |= {record_id for record_id, case in held.items() if case.order < order}
        for record_id in gone:
            case = shelf.open_case(record_id)
            if case is not None:
                shelf.settle_case(case, "gone", self._batches)
            if record_id in shelf.current:
                by = replace(shelf.current[record_id], order=order, source_time=at, batch=self._batches)
                shelf.end(record_id, by=by, event=Event.CANCEL)
        self._settle_uniqueness(shelf)
        self._close_notes(shelf, gone, keep=set())
        self._note_uniqueness(shelf)
        return len(gone)

    def _settle_uniqueness(self, shelf: Shelf) -> None:
        for record_id, entry in list(shelf.current.items()):
            shelf.current[record_id] = replace(entry, judgement=self._relettered(shelf, entry))
        for place, case in enumerate(shelf.cases):
            if case.state == "open":
                shelf.cases[place] = replace(case, judgement=self._case_letters(shelf, case))

    def _relettered(self, shelf: Shelf, entry: Entry) -> str:
        letters = list(entry.judgement)
        for place, rule in enumerate(self._rules[entry.rule_set].rules):
            if rule.over == UNIQUE:
                letters[place] = _unique_letter(shelf, entry, rule)
        return "".join(letters)

    def _case_letters(self, shelf: Shelf, case: Case) -> str:
        letters = list(case.judgement)
        entry = shelf.current.get(case.record_id)
        for place, rule in enumerate(self._rules[case.rule_set].rules):
            if rule.over == UNIQUE:
                letters[place] = Letter.NOT_APPLICABLE if entry is None else _unique_letter(shelf, entry, rule)
        return "".join(letters)

    def _note_findings(self, shelf: Shelf, part: JudgedBatch, fresh: Sequence[Row]) -> None:
        last = {row.entry.record_id: row.place for row in fresh}
        single = {rule.name for rule in part.rules.rules if rule.over is None}
        found = {
            (record_id, rule): observed
            for row, record_id, rule, observed in reversed(part.findings.rows())
            if last.get(record_id) == row and rule in single
        }
        self._close_notes(shelf, set(last), keep=set(found))
        still_open = {
            (note.record_id, note.rule): place for place, note in enumerate(shelf.notes) if not note.closed_batch
        }
        for (record_id, rule), observed in found.items():
            if (record_id, rule) in still_open:
                place = still_open[record_id, rule]
                shelf.notes[place] = replace(shelf.notes[place], observed=observed)
            else:
                shelf.notes.append(
                    Note(record_id=record_id, rule=rule, observed=observed, opened_batch=self._batches)
                )
        self._note_uniqueness(shelf)

    def _unique_names(self) -> set[str]:
        return {rule.name for rules in self._rules.values() for rule in rules.rules if rule.over == UNIQUE}

    def _close_notes(self, shelf: Shelf, records: set[str], keep: set[tuple[str, str]]) -> None:
        unique = self._unique_names()
        for place, note in enumerate(shelf.notes):
            wanted = note.rule in unique or (note.record_id, note.rule) in keep
            if note.closed_batch is None and note.record_id in records and not wanted:
                shelf.notes[place] = replace(note, closed_batch=self._batches)

    def _note_uniqueness(self, shelf: Shelf) -> None:
        failing: dict[tuple[str, str], str | None] = {}
        for entry in shelf.current.values():
            for place, rule in enumerate(self._rules[entry.rule_set].rules):
                if rule.over == UNIQUE and entry.judgement[place] == Letter.FAIL:
                    failing[entry.record_id, rule.name] = self._masked(shelf, entry, rule)
        unique = self._unique_names()
        for place, note in enumerate(shelf.notes):
            if note.closed_batch is None and note.rule in unique:
                if (note.record_id, note.rule) in failing:
                    del failing[note.record_id, note.rule]
                else:
                    shelf.notes[place] = replace(note, closed_batch=self._batches)
        for (record_id, name), observed in failing.items():
            shelf.notes.append(Note(record_id=record_id, rule=name, observed=observed, opened_batch=self._batches))

    def _masked(self, shelf: Shelf, entry: Entry, rule: Rule) -> str | None:
        assert self._dictionary is not None, "prepare comes first"
        by_name = {e.technical_name: e.sensitivity for e in self._dictionary.elements.values()}
        sensitivity = Sensitivity.SENSITIVE_PERSONAL if rule.element is None else by_name[rule.element]
        return mask_text(" ".join(str(entry.values[name]) for name in _columns(shelf, rule)), sensitivity)

    def _verdicts(self, shelf: Shelf) -> Iterable[tuple[str, str]]:
        held = {case.record_id: case for case in shelf.cases if case.state == "open"}
        for entry in shelf.current.values():
            if entry.record_id not in held:
                yield entry.rule_set, entry.judgement
        for case in held.values():
            yield case.rule_set, case.judgement


def _receipt(
    batch: Batch, fates: Counter[str], *, batch_id: int, findings: tuple[int, int], at: datetime
) -> BatchReceipt:
    return BatchReceipt(
        batch_id=batch_id,
        source=batch.source,
        end=batch.end,
        read=batch.read,
        applied=fates["applied"],
        quarantined=fates["quarantined"],
        superseded=fates["superseded"],
        filtered=batch.filtered,
        findings_opened=findings[0],
        findings_closed=findings[1],
        applied_at=at,
    )


def _new_link(source: SourceId) -> LinkState:
    return LinkState(
        source=source,
        phase=Phase.NEW,
        epoch=None,
        position=None,
        plan_digest="",
        status=LinkStatus.CATCHING_UP,
        reason=None,
        next_action=None,
        heartbeat_at=None,
        source_time=None,
        applied_at=None,
        rows_done=0,
        rows_estimated=0,
    )


def _rows(
    batch: Batch, part: JudgedBatch, spec: TableSpec, *, epoch: int, batch_id: int, at: datetime
) -> Iterable[Row]:
    blocking = {rule.name for rule in part.rules.rules if rule.severity is Severity.BLOCKING}
    values = part.records.values.select(spec.column_names).rows(named=True)
    for place, envelope in enumerate(part.records.envelope.rows(named=True)):
        kind = "cancel" if envelope["_event"] == Event.CANCEL else "bad" if part.quarantined[place] else "good"
        number = SNAPSHOT_NUMBER if batch.snapshot else envelope["_number"]
        reasons = [rule for row, _, rule, _ in part.findings.rows() if row == place and rule in blocking]
        yield Row(
            place=place,
            kind=kind,
            counted=envelope["_counted"],
            reasons=tuple(dict.fromkeys(reasons)),
            entry=Entry(
                record_id=envelope["_record_id"],
                event=envelope["_event"],
                order=(epoch, envelope["_version"], number),
                source=batch.source,
                table=str(part.records.table),
                source_time=envelope["_source_time"],
                valid_from=envelope["_source_time"],
                batch=batch_id,
                applied_at=at,
                image=envelope["_image"] or "{}",
                judgement=_presumed(part.judgement[place] or "", part.rules),
                rule_set=part.rules.digest,
                dictionary=batch.dictionary_version,
                values=values[place],
            ),
        )


def _presumed(judgement: str, rules: RuleSet) -> str:
    """Return the letters with rules about several rows not yet evaluated."""
    pairs = zip(judgement, rules.rules, strict=bool(judgement))
    return "".join(letter if rule.over is None else Letter.NOT_APPLICABLE for letter, rule in pairs)


def _rule_count(rule: Rule, letters: Counter[str]) -> RuleCount:
    return RuleCount(
        rule=rule.name,
        passed=letters[Letter.PASS],
        failed=letters[Letter.FAIL],
        not_applicable=letters[Letter.NOT_APPLICABLE],
        not_evaluated=letters[Letter.NOT_EVALUATED],
    )


def _fate(row: Row, later: Sequence[Row]) -> str:
    if row.kind == "bad":
        return "superseded" if later else "quarantined"
    return "superseded" if any(other.kind != "bad" for other in later) else "applied"


def _apply_row(shelf: Shelf, row: Row, *, snapshot: bool, not_before: datetime) -> None:
    entry, record_id = row.entry, row.entry.record_id
    case = shelf.open_case(record_id)
    if row.kind == "bad":
        _hold(shelf, row, case, snapshot=snapshot)
        return
    if case is not None:
        shelf.settle_case(case, "gone" if row.kind == "cancel" else "closed", entry.batch)
    if row.kind == "cancel":
        shelf.end(record_id, by=replace(entry, source_time=not_before), event=Event.CANCEL)
        return
    known = shelf.current.get(record_id)
    if snapshot and known is not None and known.content == entry.content:
        verdict = {name: getattr(entry, name) for name in ("order", "judgement", "rule_set", "dictionary")}
        shelf.current[record_id] = replace(known, **verdict)
        return
    shelf.end(record_id, by=replace(entry, source_time=not_before), event=Event.UPDATE)
    shelf.current[record_id] = replace(entry, valid_from=shelf.valid_from(entry, not_before=not_before))


def _hold(shelf: Shelf, row: Row, case: Case | None, *, snapshot: bool) -> None:
    entry = row.entry
    key = [entry.values[name] for name in shelf.spec.key]
    held = Case(
        record_id=entry.record_id,
        order=entry.order,
        source=entry.source,
        table=entry.table,
        image=entry.image,
        judgement=entry.judgement,
        rule_set=entry.rule_set,
        rules=row.reasons,
        business_key=tuple(str(part) for part in key) if key and None not in key else None,
        state="open",
        opened_batch=entry.batch,
    )
    if case is not None:
        same = (case.source, case.table, case.image) == (held.source, held.table, held.image)
        if snapshot and same:
            shelf.cases[shelf.cases.index(case)] = replace(held, opened_batch=case.opened_batch)
            return
        shelf.settle_case(case, "superseded", entry.batch)
    shelf.cases.append(held)


def _columns(shelf: Shelf, rule: Rule) -> tuple[str, ...]:
    return shelf.spec.key if rule.element is None else (rule.element,)


def _unique_letter(shelf: Shelf, entry: Entry, rule: Rule) -> str:
    columns = _columns(shelf, rule)
    mine = [entry.values[name] for name in columns]
    if None in mine:
        return Letter.NOT_APPLICABLE
    claims = sum([other.values[name] for name in columns] == mine for other in shelf.current.values())
    return Letter.FAIL if claims > 1 else Letter.PASS
