"""A password against what PostgreSQL keeps of it."""

import pytest

from pawpaw_ops.plans.scram import matches

PENCIL = (
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
    ":wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
)
"""Of `pencil`, with the salt of RFC 7677's example; the keys are those that its exchange proves."""


def test_only_the_right_password_fits() -> None:
    assert matches(PENCIL, "pencil") is True
    assert matches(PENCIL, "pencils") is False


@pytest.mark.parametrize(
    ("verifier", "password"),
    [("md5aaaa", "pencil"), (PENCIL, "lápiz"), (PENCIL.replace("W22", "???"), "pencil"), ("", "")],
)
def test_what_cannot_be_told_is_unknown(verifier: str, password: str) -> None:
    assert matches(verifier, password) is None
