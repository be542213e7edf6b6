"""Secrets of the running stack, rotated under customers who never try again."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psycopg
import pytest

from flows.check_secrets import check_secrets
from flows.retire_secrets import retire_secrets
from flows.rotate_secrets import rotate_secrets
from pawpaw_ops.clients.env_file import change_env
from pawpaw_ops.commands import compose
from pawpaw_ops.errors import PreconditionError, Undone, VerificationError
from pawpaw_ops.testing import at_entry
from tests.e2e.fault_images import Fault
from tests.e2e.load import ledger_faults
from tests.e2e.support_deploy import Shop
from tests.e2e.support_rotate import PACE, Vault
from tests.integration.stack.support_docker import docker

pytestmark = pytest.mark.usefixtures("logs_of_failures", "prefect_api")


@pytest.fixture(scope="module")
def vault(shop: Shop) -> Vault:
    return Vault(shop)


def test_secrets_that_hold_together_are_told_so_and_one_that_does_not_by_its_name(shop: Shop, vault: Vault) -> None:
    assert check_secrets(stack=shop.name) > 20
    before = vault.text()
    try:
        change_env(shop.stack.project.env_file, {"DB_PASSWORD": "canary-" + "x" * 40, "REDIS_BACKUP_PASSWORD": "short"})
        with pytest.raises(VerificationError) as seen:
            check_secrets(stack=shop.name)
    finally:
        shop.stack.project.env_file.write_bytes(before)
    for words in (
        "DB_PASSWORD: running",
        "DB_PASSWORD: PostgreSQL: refuses it",
        "REDIS_BACKUP_PASSWORD: Redis: refuses it",
        "REDIS_BACKUP_PASSWORD: strength: has fewer",
    ):
        assert words in str(seen.value)
    assert "canary" not in str(seen.value)
    assert "EXPORTER" not in str(seen.value)


def test_rotate_ROT_01_the_database_gets_the_other_login_and_no_request_fails(shop: Shop, vault: Vault) -> None:
    old = vault.env()
    with shop.customers() as load:
        generation = rotate_secrets(stack=shop.name, which="database", **PACE)
        new = vault.env()
        assert vault.users() == {new["DB_USER"]}
        assert vault.database_takes(old["DB_USER"], old["DB_PASSWORD"]), "it holds as long as the grace lasts"
        assert retire_secrets(stack=shop.name) == "", "it is not time yet"
        assert retire_secrets(stack=shop.name, now=True) == "ended: database"
    assert load.result.failed == 0, load.result.summary
    assert ledger_faults(shop.stack.sql, load.result) == []
    assert {old["DB_USER"], new["DB_USER"]} == {"pawpaw_app_a", "pawpaw_app_b"}
    assert new["DB_PASSWORD"] != old["DB_PASSWORD"]
    assert not vault.database_takes(old["DB_USER"], old["DB_PASSWORD"])
    assert vault.turns()[-2:] == [(generation, "current"), (generation, "retired")]
    assert vault.open() is None
    assert vault.holds(new)
    assert shop.left_over() == []


@contextmanager
def the_second_time(step: str) -> Iterator[None]:
    """Fail when a step begins for the second time."""

    def fail() -> None:
        raise VerificationError("as the test wants it")

    with ExitStack() as later, at_entry("step", step, lambda: later.enter_context(at_entry("step", step, fail))):
        yield


def test_rotate_JWT_01_JWT_02_JWT_06_a_key_in_three_steps_logs_nobody_out(shop: Shop, vault: Vault) -> None:
    """Not even where the run fails between two of them, and somebody puts the `.env` of before back."""
    old, text = vault.env(), vault.text()
    with shop.customers() as load:
        with the_second_time("write secrets into the .env"), pytest.raises(Undone, match="as the test wants it"):
            vault.rotate("jwt")
        assert vault.replicas_take(vault.env()["JWT_PREVIOUS_SECRET"], vault.env()["JWT_PREVIOUS_KID"]) == {200}
        shop.stack.project.env_file.write_bytes(text)
        vault.rotate("jwt")
        new = vault.env()
        assert (new["JWT_PREVIOUS_SECRET"], new["JWT_PREVIOUS_KID"]) == (old["JWT_SECRET"], old["JWT_KID"])
        assert vault.replicas_take(old["JWT_SECRET"], old["JWT_KID"]) == {200}
    assert load.result.failed == 0, load.result.summary
    assert vault.retire() == "", "the longest session still lives"
    assert vault.replicas_take(old["JWT_SECRET"], old["JWT_KID"]) == {200}
    with pytest.raises(PreconditionError, match="jwt at "):
        vault.rotate("jwt")
    vault.retire(now=True)
    for secret, kid in (
        (old["JWT_SECRET"], old["JWT_KID"]),
        (old["JWT_SECRET"], new["JWT_KID"]),
        ("", new["JWT_KID"]),
        ("changeme_jwt_secret", new["JWT_KID"]),
    ):
        assert vault.replicas_take(secret, kid) == {401}
    assert "JWT_PREVIOUS_SECRET" not in vault.env()
    assert vault.holds(vault.env())


def test_rotate_ROT_26_redis_takes_both_passwords_until_the_old_one_is_retired(shop: Shop, vault: Vault) -> None:
    old = vault.env()["REDIS_APP_PASSWORD"]
    before = shop.stack.container("redis")["Id"]
    with shop.customers() as load:
        vault.rotate("redis")
        new = vault.env()["REDIS_APP_PASSWORD"]
        assert vault.redis_takes(old)
        vault.retire(now=True)
    assert load.result.failed == 0, load.result.summary
    assert not vault.redis_takes(old)
    assert vault.redis_takes(new)
    assert shop.stack.container("redis")["Id"] == before
    shop.stack.compose("restart", "redis")
    shop.stack.wait_healthy("redis")
    assert not vault.redis_takes(old), "its environment still has it, and what was kept goes before"
    assert vault.redis_takes(new)
    assert vault.holds(vault.env())


def test_rotate_ROT_06_JWT_03_an_application_that_knows_one_key_gets_none_unless_all_may_be_logged_out(
    shop: Shop, vault: Vault
) -> None:
    shop.deploy(shop.offer(fault=Fault.ONE_KEY, only="backend"))
    before, old, text = shop.everything(), vault.env(), vault.text()
    with pytest.raises(Undone, match="refuses a token signed with the key"):
        vault.rotate("all")
    assert shop.everything() == before
    assert vault.text() == text
    assert vault.open() is None
    assert vault.turns()[-1][1] == "dropped"
    other = "pawpaw_app_b" if old["DB_USER"].endswith("a") else "pawpaw_app_a"
    assert shop.stack.sql(f"SELECT rolcanlogin FROM pg_roles WHERE rolname = '{other}'") == "f"
    assert vault.holds(old)
    vault.rotate("jwt", accept_logout=True)
    assert vault.open() is None, "the old key is over at once"
    assert vault.replicas_take(old["JWT_SECRET"], old["JWT_KID"]) == {401}
    assert vault.holds(vault.env())
    shop.deploy(shop.offer())


def test_rotate_ROT_13_ROT_20_a_login_that_somebody_uses_is_not_closed_unless_told(shop: Shop, vault: Vault) -> None:
    old = vault.env()
    address, name = vault.address("postgres"), shop.stack.values["DB_NAME"]
    with psycopg.connect(
        host=address, dbname=name, user=old["DB_USER"], password=old["DB_PASSWORD"], application_name="pg_backup"
    ) as left:
        vault.rotate("database", grace_h=0)
        with pytest.raises(PreconditionError, match=rf"{old['DB_USER']} is still in use by pg_backup from "):
            vault.retire()
        assert vault.database_takes(old["DB_USER"], old["DB_PASSWORD"])
        assert left.execute("SELECT 1").fetchone() == (1,)
        assert vault.retire(terminate=True) == "ended: database"
        with pytest.raises(psycopg.OperationalError):
            left.execute("SELECT 1")
    assert not vault.database_takes(old["DB_USER"], old["DB_PASSWORD"])
    assert vault.holds(vault.env())


def test_an_emergency_ends_the_old_ones_in_the_same_run(shop: Shop, vault: Vault) -> None:
    old = vault.env()
    vault.rotate("all", emergency=True)
    assert vault.open() is None
    assert not vault.database_takes(old["DB_USER"], old["DB_PASSWORD"])
    assert not vault.redis_takes(old["REDIS_APP_PASSWORD"])
    assert vault.replicas_take(old["JWT_SECRET"], old["JWT_KID"]) == {401}
    assert vault.holds(vault.env())
    assert check_secrets(stack=shop.name) > 20


@pytest.mark.parametrize(
    ("host", "password", "said"),
    [
        ("postgres", "of the env", "accepted"),
        ("postgres", "wrong", "refused"),
        ("nowhere", "wrong", "unreachable"),
        ("redis", "wrong", "unreachable"),
    ],
)
def test_rotate_ROT_10_a_login_that_is_refused_is_not_one_that_got_no_answer(
    shop: Shop, vault: Vault, host: str, password: str, said: str
) -> None:
    """Told by exit codes: a server speaks the language that it was set to."""
    env = vault.env()
    words = compose.compose(shop.stack.project, "run", "--rm", "--no-deps", "-T", f"--env=PGHOST={host}", "roles").argv
    typed = env["DB_PASSWORD"] if password == "of the env" else password
    out = docker(*words[1:], "try-login", env["DB_USER"], env["DB_NAME"], stdin=f"{typed}\n")
    assert out.split() == ([said, env["DB_USER"], "pawpaw_owner"] if said == "accepted" else [said])
