"""Every acceptance scenario has a test that carries its id, or a reason to be left out."""

from tests import scenarios


def test_every_scenario_is_held_or_left_out() -> None:
    missing = {*scenarios.wanted()} - {*scenarios.held()} - {*scenarios.LEFT_OUT}
    assert [name for name in missing if not name.startswith(scenarios.NOT_YET)] == []


def test_nothing_is_left_out_that_has_a_test() -> None:
    assert [name for name in scenarios.LEFT_OUT if name in scenarios.held()] == []


def test_the_page_is_fresh() -> None:
    """Write it anew with `python -m tests.scenarios`."""
    assert scenarios.PAGE.read_text() == scenarios.page()
