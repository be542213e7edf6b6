"""The table of verbs is whole."""

from pawpaw_ops.models.lifecycle import VERBS


def test_names_and_flows_are_unique() -> None:
    """One verb, one flow."""
    assert len({verb.name for verb in VERBS}) == len({verb.flow for verb in VERBS}) == len(VERBS)


def test_no_cell_is_empty() -> None:
    """Each says what it does, touches, how it is undone and when it runs; none breaks a table of the README."""
    cells = [cell for verb in VERBS for cell in (verb.does, verb.touches, verb.undone_by, verb.when)]
    assert all(cell and "|" not in cell and "\n" not in cell for cell in cells)


def test_what_asks_for_approval_takes_the_lock() -> None:
    """Nothing that needs a person's word may run beside another change."""
    assert [verb.name for verb in VERBS if verb.approval and not verb.locks] == []
