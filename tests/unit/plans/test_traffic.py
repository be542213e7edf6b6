"""What the access log says of a window, and what that makes of a release."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawpaw_ops.plans.traffic import FAILURES_ONLY, Budget, Judgement, Traffic, count, parse_line, percentile, verdict

AT = datetime(2026, 8, 1, 12, tzinfo=UTC)
ONE = "172.20.0.5:4000"
TWO = f"{ONE}, 172.20.0.6:4000"
GOLDEN = (
    '{"time":"2026-08-01T12:00:07+00:00","service":"gateway","request_id":"0f6c9a7e","client":"172.20.0.1",'
    '"method":"GET","uri":"/api/products","status":200,"bytes":5321,"request_time":0.012,'
    '"upstream_addr":"172.20.0.5:4000, 172.20.0.6:4000","upstream_status":"502, 200",'
    '"upstream_response_time":"0.000, 0.011","upstream_connect_time":"-, 0.001","release":"2026.11-3",'
    '"generation":"42","host":"localhost","tls":"TLSv1.3","protocol":"HTTP/1.1","user_agent":"\\u00d1 \\"x\\""}'
)


def line(status: int = 200, upstream: str = ONE, *, took_s: float = 0.01, release: str = "a", **more: object) -> str:
    fields = {"time": AT.isoformat(), "status": status, "request_time": took_s, "upstream_addr": upstream}
    return json.dumps({**fields, "release": release, **more})


def test_a_line_as_nginx_writes_it() -> None:
    seen = parse_line(GOLDEN)
    assert seen is not None
    assert (seen.at, seen.status, seen.took_s, seen.tried, seen.release) == (
        AT + timedelta(seconds=7), 200, 0.012, 2, "2026.11-3",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        (line(200), {}),
        (line(404), {}),
        (line(429, ""), {}),
        (line(500), {"failed": 1}),
        (line(502, "pawpaw_backend"), {"failed": 1}),
        (line(502, TWO), {"failed": 1, "retried": 1}),
        (line(200, f"{ONE} : 172.20.0.9:8080"), {"retried": 1}),
        (line(200, TWO), {"retried": 1}),
        (line(500, ""), {"failed": 1}),
        (line(503), {"failed": 1}),
        (line(503, ""), {"announced": 1}),
        (line(499), {"cut": 1}),
        (line(200, completion=""), {"cut": 1}),
        (line(502, completion=""), {"failed": 1}),
        (line(200, completion="OK"), {}),
        (line(0, ""), {"cut": 1}),
    ],
)
def test_each_line_counts_as_what_it_is(text: str, counted: dict[str, int]) -> None:
    """A 503 without a backend is the announced maintenance; a 503 that a backend gave is a failure."""
    seen = count([text]).model_dump(include={"failed", "retried", "announced", "cut", "unreadable"})
    assert seen == {"failed": 0, "retried": 0, "announced": 0, "cut": 0, "unreadable": 0, **counted}


@pytest.mark.parametrize(
    "text",
    [
        "2026/08/01 12:00:00 [error] 7#7: no live upstreams",
        GOLDEN[: len(GOLDEN) // 2],
        "[]",
        "7",
        "{}",
        line(upstream="x", time="soon"),
        line(upstream="x", time="2026-08-01T12:00:00"),
        line(took_s=float("nan")),
        line(upstream_addr=None),
        line().replace("200", '"often"'),
    ],
)
def test_what_is_no_line_of_the_log_is_unreadable(text: str) -> None:
    assert count([text, "\n", line()]) == count([line()]).model_copy(update={"unreadable": 1})


def test_a_window_counts_its_first_and_last_second_whole() -> None:
    lines = [line(time=(AT + timedelta(seconds=second)).isoformat()) for second in range(10)]
    since, until = AT + timedelta(seconds=2.7), AT + timedelta(seconds=5.1)
    assert count(lines, since=since, until=until).total == 4
    assert count(lines, since=since).total == 8
    assert count(lines, until=AT).total == 0
    assert count(lines).total == 10


def test_times_are_of_the_requests_that_went_well() -> None:
    """An error is quick and an aborted request takes as long as its client likes: neither says how fast the shop is."""
    lines = [line(took_s=second / 100) for second in range(1, 101)]
    seen = count([*lines, line(502, took_s=9), line(499, took_s=9), line(503, "", took_s=9)])
    assert (seen.p50_s, seen.p95_s, seen.p99_s) == (0.5, 0.95, 0.99)
    assert count([line(502)]).p95_s is None


def test_requests_are_counted_by_release() -> None:
    assert count([line(release="b"), line(release="a"), line(502, release="b")]).by_release == {"a": 1, "b": 2}


@given(st.lists(st.floats(0, 100), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_one_of_the_values_and_leaves_no_more_than_its_share_above(
    values: list[float], share: float
) -> None:
    found = percentile(sorted(values), share)
    assert found in values
    assert sum(value > found for value in values) <= (1 - share) * len(values) + 1e-9


BUDGET = Budget()
WELL = Traffic(total=1000, p50_s=0.1, p95_s=0.3, p99_s=0.4)


def well(**more: object) -> Traffic:
    return WELL.model_copy(update=more)


@pytest.mark.parametrize(
    ("before", "during", "judged", "why"),
    [
        (WELL, WELL, Judgement.OK, "p95 is 0.300 s, was 0.300 s, 0.600 s are allowed"),
        (WELL, well(failed=10), Judgement.OK, "1000 requests, 10 failed"),
        (WELL, well(failed=11), Judgement.BAD, "1.10% failed, 0.00% before, 1.00% are allowed"),
        (well(failed=50), well(failed=55), Judgement.OK, ""),
        (WELL, well(total=40, failed=2), Judgement.UNKNOWN, "fewer than 3 are no trend"),
        (WELL, well(total=3, failed=3), Judgement.BAD, "100.00% failed"),
        (WELL, well(p95_s=0.61), Judgement.BAD, "p95 is 0.610 s, was 0.300 s, 0.600 s are allowed"),
        (well(p95_s=0.01), well(p95_s=0.25), Judgement.OK, "0.250 s are good by themselves"),
        (WELL, well(total=19), Judgement.UNKNOWN, "a percentile needs 20 requests"),
        (Traffic(), well(p95_s=0.26), Judgement.UNKNOWN, "too few requests before"),
        (Traffic(), well(p95_s=0.2), Judgement.OK, ""),
        (Traffic(), well(failed=11), Judgement.BAD, ""),
        (WELL, Traffic(), Judgement.UNKNOWN, "no request was to be served"),
        (WELL, Traffic(unreadable=7), Judgement.UNKNOWN, "7 lines of the log cannot be read"),
        (WELL, Traffic(total=50, announced=50), Judgement.UNKNOWN, "no request was to be served"),
        (WELL, Traffic(lost="no log."), Judgement.UNKNOWN, "the requests are unknown: no log."),
        (Traffic(lost="no log."), WELL, Judgement.UNKNOWN, "What was usual before is unknown: no log."),
        (Traffic(lost="no log."), well(p95_s=0.2), Judgement.UNKNOWN, "What was usual before is unknown: no log."),
        (Traffic(lost="no log."), well(failed=11), Judgement.BAD, "What was usual before is unknown: no log."),
        (WELL, well(unreadable=1), Judgement.UNKNOWN, "1 lines of the log cannot be read"),
        (well(unreadable=1), WELL, Judgement.UNKNOWN, "1 lines of the log cannot be read"),
        (WELL, well(failed=500, unreadable=10), Judgement.BAD, "10 lines of the log cannot be read"),
        (WELL, well(failed=11, unreadable=500), Judgement.UNKNOWN, ""),
        (well(unreadable=30), well(failed=11), Judgement.UNKNOWN, ""),
        (WELL, well(p95_s=0.61, unreadable=1), Judgement.UNKNOWN, ""),
    ],
)
def test_verdicts_and_their_numbers(before: Traffic, during: Traffic, judged: Judgement, why: str) -> None:
    found, said = verdict(before, during, BUDGET)
    assert found is judged, said
    assert why in said


@pytest.mark.parametrize("before", [WELL, Traffic(), well(p95_s=0.0)])
def test_where_only_failures_count_slow_is_good_and_failed_is_not(before: Traffic) -> None:
    assert verdict(before, well(p95_s=60.0), FAILURES_ONLY)[0] is Judgement.OK
    assert verdict(before, well(failed=11), FAILURES_ONLY)[0] is Judgement.BAD


@st.composite
def traffics(draw: st.DrawFn) -> Traffic:
    total = draw(st.integers(0, 2000))
    failed = draw(st.integers(0, total))
    p95_s = draw(st.none() | st.floats(0, 10)) if failed < total else None
    lost = draw(st.sampled_from(["", "", "no log."]))
    return Traffic(total=total, failed=failed, unreadable=draw(st.integers(0, 3)), lost=lost, p95_s=p95_s)


@given(traffics(), traffics())
def test_what_was_not_read_in_full_is_never_ok(before: Traffic, during: Traffic) -> None:
    judged, _ = verdict(before, during, BUDGET)
    lost = before.lost or during.lost
    if lost or before.unreadable or during.unreadable or not during.total or during.p95_s is None:
        assert judged is not Judgement.OK


@given(traffics(), traffics(), st.integers(1, 500))
def test_more_failures_never_make_it_better(before: Traffic, during: Traffic, more: int) -> None:
    worse = during.model_copy(update={"failed": min(during.total, during.failed + more)})
    if verdict(before, during, BUDGET)[0] is Judgement.BAD:
        assert verdict(before, worse, BUDGET)[0] is Judgement.BAD
    elif verdict(before, during, BUDGET)[0] is Judgement.UNKNOWN:
        assert verdict(before, worse, BUDGET)[0] is not Judgement.OK


@given(traffics(), traffics(), st.integers(1, 500))
def test_unreadable_lines_make_nothing_bad_and_nothing_ok(before: Traffic, during: Traffic, lost: int) -> None:
    dim = during.model_copy(update={"unreadable": during.unreadable + lost})
    judged, now = verdict(before, during, BUDGET)[0], verdict(before, dim, BUDGET)[0]
    assert now is Judgement.UNKNOWN or now is judged is Judgement.BAD
