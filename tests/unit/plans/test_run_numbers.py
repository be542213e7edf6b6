"""The audit record as numbers."""

from pawpaw_ops.plans.run_numbers import run_numbers


def entry(result: str, at: str, took_s: float, verb: str = "deploy") -> dict[str, object]:
    return {"at": at, "verb": verb, "result": result, "duration_s": took_s}


def test_deploy_M2_runs_are_counted_by_verb_and_result() -> None:
    found = run_numbers(
        [
            entry("ok", "2026-11-24T10:00:00+00:00", 40.0),
            {"at": "2026-11-24T10:01:00+00:00", "result": "recovered", "run_id": "x"},
            entry("undone", "2026-11-24T11:00:00+00:00", 9.0),
            entry("ok", "2026-11-24T12:00:00+00:00", 41.5),
            entry("ok", "2026-11-24T13:00:00+00:00", 3.0, verb="rollback"),
        ]
    )
    good = '{verb="deploy",result="ok"}'
    assert found[f"pawpaw_runs_total{good}"] == 2
    assert found[f"pawpaw_run_last_duration_seconds{good}"] == 41.5
    assert found[f"pawpaw_run_last_end_timestamp_seconds{good}"] == 1795521600.0
    assert found['pawpaw_runs_total{verb="deploy",result="undone"}'] == 1
    assert found['pawpaw_runs_total{verb="rollback",result="ok"}'] == 1
    assert len(found) == 9
