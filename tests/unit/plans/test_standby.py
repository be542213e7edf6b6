import pytest

from pawpaw_ops.models.base import Verdict
from pawpaw_ops.plans.standby import BEHIND_BYTES, Seen, Sender, Standby, judge

ONE = Sender(name="walreceiver", address="172.18.0.5", behind_bytes=0)
GOOD = Standby(recovering=True, same_server=True)


def test_no_standby_anywhere_is_nothing_to_say() -> None:
    assert judge(Seen(named=False)) is None


def test_a_standby_that_the_block_does_not_name_is_not_verified_and_stops_nothing() -> None:
    outlook = judge(Seen(named=False, senders=(ONE,)))
    assert outlook is not None
    assert (outlook.verdict, outlook.stops) == (Verdict.NOT_VERIFIED, False)
    assert "walreceiver 172.18.0.5 (0.0 MiB behind) streams" in outlook.says
    assert outlook.line.startswith("standby not verified: ")


@pytest.mark.parametrize(
    ("changed", "verdict", "late", "says"),
    [
        ({}, Verdict.VERIFIED, False, "it streams, 0.0 MiB behind"),
        ({"behind_bytes": BEHIND_BYTES}, Verdict.VERIFIED, False, "16.0 MiB behind"),
        ({"behind_bytes": BEHIND_BYTES + 1, "replayed_s": 71.4}, Verdict.FAILED, True, "replayed is 71 s old"),
        ({"paused": True, "behind_bytes": 3 << 20}, Verdict.FAILED, False, "paused, 3.0 MiB behind"),
        ({"receiving": False}, Verdict.FAILED, False, "streams from nobody"),
        ({"recovering": False}, Verdict.FAILED, False, "no standby"),
        ({"same_server": False}, Verdict.FAILED, False, "another primary"),
    ],
)
def test_F7_what_a_standby_says_is_judged(
    changed: dict[str, object], verdict: Verdict, says: str, *, late: bool
) -> None:
    senders = (ONE,) if changed.get("receiving", True) else ()
    outlook = judge(Seen(named=True, senders=senders, standby=GOOD.model_copy(update=changed)))
    assert outlook is not None
    assert (outlook.verdict, outlook.late) == (verdict, late)
    assert outlook.stops == (verdict is not Verdict.VERIFIED)
    assert says in outlook.says


@pytest.mark.parametrize("senders", [(), (ONE,)])
def test_F7_one_that_does_not_answer_is_not_verified(senders: tuple[Sender, ...]) -> None:
    """Its primary may believe for a while that it still streams; that is no second one."""
    outlook = judge(Seen(named=True, senders=senders, away="refused"))
    assert outlook is not None
    assert (outlook.verdict, outlook.stops, outlook.says) == (
        Verdict.NOT_VERIFIED,
        True,
        "it does not answer: refused",
    )


@pytest.mark.parametrize(
    ("receiving", "senders", "verdict"),
    [(True, 2, Verdict.NOT_VERIFIED), (False, 1, Verdict.FAILED)],
)
def test_another_one_beside_the_named_one_is_told(senders: int, verdict: Verdict, *, receiving: bool) -> None:
    found = GOOD.model_copy(update={"receiving": receiving})
    outlook = judge(Seen(named=True, senders=(ONE,) * senders, standby=found))
    assert outlook is not None
    assert outlook.verdict is verdict
    assert "1 of" in outlook.says
    assert "does not name" in outlook.says
