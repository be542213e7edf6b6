"""When a certificate is renewed, and what a new one must be."""

from datetime import UTC, datetime, timedelta

import pytest

from pawpaw_ops.errors import ConfigError, VerificationError
from pawpaw_ops.models.certificate import Attempts, Certificate
from pawpaw_ops.plans import certificates as plan

NOW = datetime(2026, 8, 1, tzinfo=UTC)
NAMES = ("shop.example.com", "www.shop.example.com")


def certificate(
    *, life_days: float, left_days: float, names: tuple[str, ...] = NAMES, serial: str = "a"
) -> Certificate:
    end = NOW + timedelta(days=left_days)
    begin = end - timedelta(days=life_days)
    return Certificate(serial=serial, names=names, not_before=begin, not_after=end, self_signed=False)


@pytest.mark.parametrize(
    ("life_days", "left_days", "renewed"),
    [(90, 31, False), (90, 29, True), (64, 22, False), (64, 21, True), (6, 3.1, False), (6, 2.9, True), (90, -1, True)],
)
def test_certificates_TLS_05_TLS_06_it_is_time_when_a_third_is_left_or_half_of_a_short_life(
    *, life_days: float, left_days: float, renewed: bool
) -> None:
    found = certificate(life_days=life_days, left_days=left_days)
    assert bool(plan.due(found, NAMES, NOW)) is renewed


@pytest.mark.parametrize(
    ("left_days", "in_days", "renewed"),
    [(80, -0.1, True), (80, 1, False), (25, 5, False), (25, -1, True), (14, 5, True), (-1, 5, True)],
    ids=["all revoked", "young", "later than a third", "in its window", "too late for us", "over"],
)
def test_certificates_TLS_06_what_the_authority_suggests_goes_before_shares_of_a_life_within_reason(
    *, left_days: float, in_days: float, renewed: bool
) -> None:
    found = certificate(life_days=90, left_days=left_days)
    assert bool(plan.due(found, NAMES, NOW, suggested=NOW + timedelta(days=in_days))) is renewed


def test_certificates_TLS_07_the_gateways_own_and_one_for_other_names_are_always_due() -> None:
    young = certificate(life_days=365, left_days=364)
    assert "provisional" in plan.due(young.model_copy(update={"self_signed": True}), NAMES, NOW)
    assert "www.shop" in plan.due(young.model_copy(update={"names": NAMES[:1]}), NAMES, NOW)


def test_certificates_TLS_04_an_authority_that_fails_is_asked_less_and_less_often() -> None:
    waits = [plan.wait_until(Attempts(failed=failed, last_at=NOW), NOW) for failed in (1, 2, 3, 9, 99)]
    assert [(until - NOW) / timedelta(hours=1) for until in waits if until] == [1, 2, 4, 24, 24]
    assert plan.wait_until(Attempts(), NOW) is None
    assert plan.wait_until(Attempts(failed=1, last_at=NOW - timedelta(hours=1)), NOW) is None
    assert plan.wait_until(Attempts(failed=9, last_at=NOW + timedelta(days=1)), NOW) is None


def test_certificates_TLS_02_a_name_on_which_another_serial_is_served_is_told() -> None:
    new, old = (certificate(life_days=90, left_days=80, serial=serial) for serial in ("b", "a"))
    assert plan.mismatched(new, {NAMES[0]: new, NAMES[1]: old}) == NAMES[1:]


@pytest.mark.parametrize(
    "wrong",
    [
        certificate(life_days=90, left_days=80, names=NAMES[:1]),
        certificate(life_days=90, left_days=10),
        certificate(life_days=90, left_days=91),
    ],
    ids=["lacks a name", "due at once", "of tomorrow"],
)
def test_certificates_TLS_08_a_new_one_that_would_not_do_is_refused(wrong: Certificate) -> None:
    with pytest.raises(VerificationError):
        plan.check_new(wrong, NAMES, NOW)


def test_certificates_what_is_wanted_stands_in_the_env() -> None:
    env = {"SHOP_DOMAIN": "Shop.example.com", "ACME_NAMES": "www.shop.example.com,shop.example.com"}
    found = plan.wanted(env)
    assert found.names == NAMES
    assert found.directory == plan.DIRECTORIES["production"]
    assert plan.wanted(env | {"OPS_DOMAIN": "ops.example.com"}).names == (*NAMES, "ops.example.com")
    assert plan.wanted(env | {"ACME_DIRECTORY": "staging"}).directory == plan.DIRECTORIES["staging"]


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1", "shop", "shop.local"])
def test_certificates_nobody_certifies_a_name_that_only_this_network_knows(name: str) -> None:
    assert plan.wanted({"SHOP_DOMAIN": name}).names == ()


@pytest.mark.parametrize("more", [{"ACME_NAMES": "*.shop.example.com"}, {"ACME_DIRECTORY": "http://ca.example.com"}])
def test_certificates_what_cannot_be_had_is_refused(more: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        plan.wanted({"SHOP_DOMAIN": "shop.example.com"} | more)
