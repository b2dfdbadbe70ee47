"""How a run of a measurement is said to programs."""

from __future__ import annotations

from lienthong.centre.measuring import Measurement


def run_as_json(run: Measurement) -> dict[str, object]:
    """Return a run as plain values: names, counts and codes."""
    return {
        "measurement": run.id,
        "dataset": run.dataset,
        "extent": run.extent.value,
        "engine": run.engine,
        "rule_set": run.rule_set,
        "dictionary_version": run.dictionary_version,
        "began_at": run.began_at,
        "ended_at": run.ended_at,
        "run_state": run.run_state.value,
        "result_state": None if run.result_state is None else run.result_state.value,
        "error": run.error,
        "rows_present": run.rows_present,
        "rows_examined": run.rows_examined,
        "rows_touched": run.rows_touched,
        "up_to_batch": run.up_to_batch,
        "opened": run.opened,
        "closed": run.closed,
    }
