"""GitHub's answers, read."""

import pytest

from pawpaw_ops.plans.github_secrets import Meaning, hidden, meaning, wait_s


@pytest.mark.parametrize(
    ("status", "headers", "wanted"),
    [
        (200, {}, Meaning.GOOD),
        (201, {}, Meaning.GOOD),
        (204, {}, Meaning.GOOD),
        (500, {}, Meaning.AGAIN),
        (503, {}, Meaning.AGAIN),
        (429, {}, Meaning.AGAIN),
        (403, {"retry-after": "1"}, Meaning.AGAIN),
        (403, {"x-ratelimit-remaining": "0"}, Meaning.AGAIN),
        (403, {"x-ratelimit-remaining": "12"}, Meaning.FINAL),
        (401, {}, Meaning.FINAL),
        (404, {}, Meaning.FINAL),
        (422, {}, Meaning.OTHER_KEY),
    ],
)
def test_what_is_tried_again_and_what_is_final(status: int, headers: dict[str, str], wanted: Meaning) -> None:
    assert meaning(status, headers) is wanted


def test_rotate_GH_06_nobody_makes_us_wait_for_longer_than_a_minute() -> None:
    assert wait_s({"retry-after": "7"}, otherwise=1) == 7
    assert wait_s({"retry-after": "86400"}, otherwise=1) == 60
    assert wait_s({"retry-after": "soon"}, otherwise=1) == 1
    assert wait_s({}, otherwise=2) == 2


def test_rotate_GH_07_a_secret_that_an_environment_hides_is_named() -> None:
    there = {"": ["A", "B"], "production": ["B", "C"]}
    assert hidden({"": ["A", "B"]}, there) == ("B",)
    assert hidden({"": ["A", "B"], "production": ["B"]}, there) == ()
    assert hidden({"": ["A"]}, {"": ["A"]}) == ()
