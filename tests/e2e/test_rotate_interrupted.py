"""Rotations that die, are cancelled, or meet another: the old secrets hold or the new ones do, and the shop sells."""

import signal
from pathlib import Path
from typing import Any

import pytest
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from blocks import Stack
from flows.recover import recover
from pawpaw_ops.errors import ConfigError, LockHeld, PreconditionError, Undone, VerificationError
from pawpaw_ops.models.secrets import State
from pawpaw_ops.session.audit import entries
from pawpaw_ops.testing import at_entry
from tests.e2e.support_deploy import Shop
from tests.e2e.support_rotate import PACE, Vault
from tests.integration.support_child import Child
from tests.integration.support_gate import gate
from tests.waiting import SOAK, wait_until

pytestmark = pytest.mark.usefixtures("logs_of_failures", "prefect_api")
LAST = 34
"""How many entries the journals of a rotation of everything have."""
ENTRIES = range(1, LAST + 2) if SOAK else (12, 28)
"""`make soak` kills it at each of them, and sees that there is no other."""


@pytest.fixture
def vault(shop: Shop) -> Vault:
    """The secrets of a stack whose rotations are over."""
    found = Vault(shop)
    if found.open() is not None:
        found.retire(now=True)
    assert found.open() is None
    return found


def start(shop: Shop, log: Path, *, which: str, **more: Any) -> Child:
    return Child("rotate-secrets", str(log), stack=shop.name, which=which, **(PACE | more))


def settle(vault: Vault, which: str) -> None:
    """Go on with what a dead run left, or find that it was over."""
    rotation = vault.open()
    if rotation is not None and rotation.state is not State.CURRENT:
        vault.rotate(which)


@pytest.mark.parametrize("entry", ENTRIES)
def test_rotate_ROT_02_ROT_03_ROT_04_ROT_05_JWT_05_killed_at_every_entry_of_its_journals_it_goes_on(
    shop: Shop, vault: Vault, tmp_path: Path, entry: int
) -> None:
    old = vault.env()
    with shop.customers() as load:
        ended = start(shop, tmp_path / "log", which="all", kill_entry=entry).wait()
        assert ended == (-signal.SIGKILL if entry <= LAST else 0)
        recover(stack=shop.name)
        between, begun = vault.env(), vault.open()
        assert vault.holds(between), "whatever the death left, the shop works, and the `.env` says what runs"
        settle(vault, "all")
    new = vault.env()
    assert load.result.failed == 0, load.result.summary
    if begun is not None:
        wanted = {name: value.get_secret_value() for name, value in begun.values_at(State.CURRENT).items() if value}
        assert {name: new[name] for name in wanted} == wanted, "no second set of secrets was made"
    assert vault.holds(new)
    if new["DB_PASSWORD"] != old["DB_PASSWORD"]:
        vault.retire(now=True)
        assert not vault.database_takes(old["DB_USER"], old["DB_PASSWORD"])
        assert not vault.redis_takes(old["REDIS_APP_PASSWORD"])
        assert vault.replicas_take(old["JWT_SECRET"], old["JWT_KID"]) == {401}
    assert vault.open() is None
    assert shop.left_over() == []
    assert not list(shop.stack.project.env_file.parent.glob(".stack.env.*"))


def test_rotate_ROT_03_what_a_dead_run_began_can_be_dropped(shop: Shop, vault: Vault, tmp_path: Path) -> None:
    old, text = vault.env(), vault.text()
    kill = ("done", "write secrets into the .env")
    assert start(shop, tmp_path / "log", which="database", kill=kill).wait() == -signal.SIGKILL
    assert vault.text() != text
    with pytest.raises(PreconditionError, match="was begun by run"):
        vault.rotate("jwt")
    assert vault.text() == text, "any verb takes it back first"
    begun = vault.open()
    assert begun is not None
    password = begun.accept["DB_PASSWORD"]
    assert password is not None
    assert vault.database_takes(begun.new_user, password.get_secret_value())
    with at_entry("step", "keep the new secrets sealed", fail), pytest.raises(Undone, match="as the test wants it"):
        vault.rotate("database", unfinished="abort")
    assert not vault.database_takes(begun.new_user, password.get_secret_value())
    assert vault.env() == old
    assert (begun.generation, "dropped") in vault.turns()
    assert vault.open() is None


def fail() -> None:
    raise VerificationError("as the test wants it")


@pytest.mark.parametrize("step", ["give the user of Redis a second password", "switch the gateway"])
def test_rotate_ROT_22_cancelled_at_a_step_it_takes_everything_back(
    shop: Shop, vault: Vault, tmp_path: Path, step: str
) -> None:
    before, old = shop.everything(), vault.env()
    assert start(shop, tmp_path / "log", which="all", cancel=("done", step)).wait() != 0
    assert shop.everything() == before
    assert vault.open() is None
    assert vault.turns()[-1][1] == "dropped"
    assert vault.holds(old)


def test_rotate_ROT_15_ROT_16_ROT_21_others_are_told_who_works_and_that_one_needs_no_prefect_server(
    shop: Shop, vault: Vault, tmp_path: Path
) -> None:
    """The server goes away in the middle and stays away; the work ends by its journal, and the record says so."""
    old, log = vault.env(), tmp_path / "log"
    with gate(PREFECT_API_URL.value() or "") as way:
        with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 1}):
            stop = ("done", "write secrets into the .env")
            child = start(shop, log, which="redis", grace_h=0, stop=stop, api=way.url)
        wait_until(child.stopped, "the first one has written the .env", deadline_s=90)
        with pytest.raises(LockHeld, match="rotate-secrets"):
            vault.rotate("redis")
        with pytest.raises(LockHeld, match="rotate-secrets"):
            shop.deploy("current")
        way.cut()
        child.go_on()
        child.wait()
        assert way.refused > 0
    ends = [one["result"] for one in entries(Stack.named(shop.name).settings()) if one.get("verb") == "rotate-secrets"]
    assert ends[-2:] == ["ok", "ok"], log.read_text()[-3000:]
    new = vault.env()
    assert new["REDIS_APP_PASSWORD"] != old["REDIS_APP_PASSWORD"]
    assert vault.holds(new)
    assert vault.retire() == "ended: redis", "what the record says is what the next verb goes on with"
    assert not vault.redis_takes(old["REDIS_APP_PASSWORD"])
    assert shop.left_over() == []


def test_rotate_SEC_03_without_the_key_nothing_is_touched_and_the_shop_sells(
    shop: Shop, vault: Vault, tmp_path: Path
) -> None:
    kill = ("done", "keep the new secrets sealed")
    assert start(shop, tmp_path / "log", which="database", kill=kill).wait() == -signal.SIGKILL
    key = shop.state_dir.parent / "keys" / "rotation.key"
    text = vault.text()
    key.rename(key.with_suffix(".away"))
    try:
        with pytest.raises(ConfigError, match=r"rotation\.key"):
            vault.rotate("database")
    finally:
        key.with_suffix(".away").rename(key)
    assert vault.text() == text
    vault.rotate("database")
    assert vault.holds(vault.env())
