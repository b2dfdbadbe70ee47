"""Rules that compare with the same records by the same keys, judged together where only some records are looked at.

Finding a record and what it is compared with costs more than comparing them, so it is done once for all such rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from lienthong.adapters.postgres.measuring_sql import (
    Plan,
    affected_records,
    compared_records,
    composed,
    own_records,
    pair_letter,
)
from lienthong.centre.measuring import AGREEMENT, REFERENCE


@dataclass(frozen=True, kw_only=True, slots=True)
class Crew:
    """Rules judged together; the affected records stand under the place of the first."""

    plans: tuple[Plan, ...]
    affected: bytes
    now: bytes  # judges the affected records: a text with a letter for each rule, in order
    before: bytes

    @property
    def place(self) -> int:
        """Return under which place the affected records stand."""
        return self.plans[0].place

    @property
    def parameters(self) -> dict[str, object]:
        """Return what the statements name beside the bounds."""
        return self.plans[0].parameters | {"places": [plan.place for plan in self.plans]}


def crews_of(plans: Sequence[Plan]) -> list[tuple[Plan, ...]]:
    """Return the rules in groups that can be judged together, in the order of the first of each."""
    groups: dict[tuple[object, ...], list[Plan]] = {}
    for plan in plans:
        alone = plan.kind not in {REFERENCE, AGREEMENT}
        key = (plan.place,) if alone else (plan.other.dataset, plan.comparison.on)
        groups.setdefault(key, []).append(plan)
    return [tuple(group) for group in groups.values()]


def crew(plans: tuple[Plan, ...]) -> Crew:
    """Compose the statements of rules with the same keys into the same dataset."""
    return Crew(
        plans=plans,
        affected=affected_records(plans[0].sides),
        now=composed(
            "WITH l AS MATERIALIZED ({letters}), f AS (INSERT INTO pg_temp.failed (place, record_id)"
            " SELECT p.place, l.record_id FROM l CROSS JOIN unnest(%(places)s::int[]) WITH ORDINALITY p (place, nth)"
            " WHERE strpos(l.letters, 'f') > 0 AND substr(l.letters, p.nth::int, 1) = 'f')"
            " SELECT l.letters, count(*) FROM l GROUP BY l.letters",
            letters=_letters(plans, before=False),
        ),
        before=composed(
            "SELECT l.letters, count(*) FROM ({letters}) l GROUP BY l.letters", letters=_letters(plans, before=True)
        ),
    )


def _letters(plans: tuple[Plan, ...], *, before: bool) -> sql.Composed:
    letters, bounds, pairs = [], [], []
    for nth, plan in enumerate(plans):
        names = {
            "applies": sql.Identifier("o", f"applies_{nth}"),
            "least": sql.Identifier("c", f"least_{nth}"),
            "most": sql.Identifier("c", f"most_{nth}"),
        }
        if plan.kind == REFERENCE:
            letters.append(
                sql.SQL("CASE WHEN NOT {applies} THEN 'n' WHEN c.found THEN 'p' ELSE 'f' END").format(**names)
            )
            continue
        letters.append(
            sql.SQL(
                "CASE WHEN NOT {applies} OR {least} IS NULL THEN 'n' WHEN {least} = {most} THEN {least} ELSE 'e' END"
            ).format(**names)
        )
        letter = sql.Identifier(f"letter_{nth}")
        pairs.append(sql.SQL("{} AS {}").format(pair_letter(plan.sides, "c"), letter))
        bounds += [
            sql.SQL("min(s.{}) AS {}").format(letter, sql.Identifier(f"least_{nth}")),
            sql.SQL("max(s.{}) AS {}").format(letter, sql.Identifier(f"most_{nth}")),
        ]
    first = plans[0].sides
    return sql.SQL(
        "SELECT o.record_id, {letters} AS letters FROM {own} o"
        " LEFT JOIN LATERAL (SELECT {bounds} FROM ({compared}) s) c ON true"
    ).format(
        letters=sql.SQL(" || ").join(letters),
        own=own_records(first, before=before, affected=True, together=[plan.sides for plan in plans]),
        bounds=sql.SQL(", ").join([sql.SQL("count(*) > 0 AS found"), *bounds]),
        compared=compared_records(first, sql.SQL(", ").join([sql.SQL("1 AS one"), *pairs]), before=before),
    )
