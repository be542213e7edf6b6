"""The database of the stack with its roles and nothing else: what a rotation proves by logging in from its network."""

import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from pydantic import SecretStr
from pyrage import x25519

from deployments.stack.env import make_env
from pawpaw_ops.clients import rotations
from pawpaw_ops.clients.compose_project import find_project
from pawpaw_ops.clients.env_file import read_env
from pawpaw_ops.clients.postgres.connection import Postgres
from pawpaw_ops.errors import PreconditionError, Undone
from pawpaw_ops.models.database import Database
from pawpaw_ops.models.secrets import Target
from pawpaw_ops.models.stack import StackSettings
from pawpaw_ops.models.store import FolderSettings, StoreSettings
from pawpaw_ops.session import Session, open_session
from pawpaw_ops.tasks.secrets_begin import generate, let_servers_accept
from pawpaw_ops.tasks.secrets_look import check_database
from tests.e2e.support_shop import RunningStack
from tests.integration.stack.support_docker import STACK, docker, why_no_stack

HBA = "/var/lib/postgresql/data/pgdata/open_hba.conf"


@pytest.fixture(scope="module")
def running(
    docker_engine: None, postgres_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningStack]:
    """The database, made as the Compose file says, and its roles."""
    if why := why_no_stack():
        pytest.skip(f"needs Compose: {why}")
    folder, name = tmp_path_factory.mktemp("logins"), f"ppt{secrets.token_hex(4)}"
    given = {"STACK_NAME": name, "POSTGRES_IMAGE": postgres_image, "DB_CONTAINER": f"{name}-db"}
    make_env(STACK / ".env.example", folder / "stack.env", given)
    env_file = folder / "stack.env"
    made = RunningStack(find_project(STACK / "docker-compose.prod.yml", env_file), read_env(env_file))
    try:
        made.compose("up", "--detach", "postgres")
        made.wait_healthy("postgres")
        made.compose("run", "--rm", "--no-deps", "-T", "roles")
        made.sql("ALTER ROLE postgres IN DATABASE postgres SET pg_stat_statements.track_utility = on")
        yield made
    finally:
        made.compose("down", "--volumes", "--timeout", "10")


@pytest.fixture
def stack(running: RunningStack, tmp_path: Path) -> StackSettings:
    networks = running.container("postgres")["NetworkSettings"]["Networks"]
    database = Database(
        name=running.values["DB_NAME"],
        host=next(iter(networks.values()))["IPAddress"],
        password=SecretStr(running.values["POSTGRES_BOOTSTRAP_PASSWORD"]),
    )
    key = tmp_path / "rotation.key"
    key.touch(mode=0o600)
    key.write_text(f"{x25519.Identity.generate()}\n")
    return StackSettings(
        name="t",
        state_dir=tmp_path / "state",
        database=database,
        store=StoreSettings(folder=FolderSettings(path=tmp_path / "store")),
        identity_block="t",
        project=running.project,
        rotation_key=key,
    )


def session(stack: StackSettings) -> AbstractContextManager[Session]:
    return open_session(stack, verb="rotate-secrets", purpose="the test", run_id="r1")


def roles(running: RunningStack) -> str:
    return running.sql("SELECT string_agg(concat(rolname, rolcanlogin, rolpassword), ' ' ORDER BY 1) FROM pg_authid")


def restarted(running: RunningStack) -> None:
    docker("restart", str(running.container("postgres")["Id"]))
    running.wait_healthy("postgres")


@pytest.fixture
def trusting(running: RunningStack) -> Iterator[None]:
    """A `pg_hba.conf` that lets everybody in from the stack's own network."""
    name = str(running.container("postgres")["Id"])
    hba = "local all all peer\nhost all all samenet trust\n"
    docker("exec", "--interactive", name, "tee", HBA, stdin=hba)
    running.sql(f"ALTER SYSTEM SET hba_file = '{HBA}'")
    restarted(running)
    yield
    running.sql("ALTER SYSTEM RESET hba_file")
    restarted(running)


def test_rotate_ROT_09_where_any_password_is_let_in_nothing_could_be_proven(
    running: RunningStack, trusting: None, stack: StackSettings
) -> None:
    user, password = running.values["DB_USER"], SecretStr(running.values["DB_PASSWORD"])
    before = roles(running)
    with pytest.raises(PreconditionError, match=f"lets {user} in with any password"), session(stack) as do:
        check_database(do, user, password)
    assert roles(running) == before


def test_a_database_that_asks_for_passwords_is_good_to_go(running: RunningStack, stack: StackSettings) -> None:
    with session(stack) as do:
        check_database(do, running.values["DB_USER"], SecretStr(running.values["DB_PASSWORD"]))
    with pytest.raises(PreconditionError, match="refuses"), session(stack) as do:
        check_database(do, running.values["DB_USER"], SecretStr("another"))


@pytest.mark.parametrize(
    ("rule", "back"),
    [("VALID UNTIL '2000-01-01'", "VALID UNTIL 'infinity'"), ("CONNECTION LIMIT 0", "CONNECTION LIMIT -1")],
)
def test_rotate_ROT_11_a_login_that_the_server_refuses_is_given_up_at_once_and_closed_again(
    running: RunningStack, stack: StackSettings, rule: str, back: str
) -> None:
    """Not tried with another password: the server knows a verifier, and what refuses is a rule for the login."""
    env = running.project.env_file.read_bytes()
    running.sql(f"ALTER ROLE pawpaw_app_b {rule}")
    with Postgres(stack.database, "test").admin() as conn:
        conn.execute("SELECT pg_stat_statements_reset()")
        try:
            with (
                pytest.raises(Undone, match=r"told a password of pawpaw_app_b and refuses it.*VALID UNTIL"),
                session(stack) as do,
            ):
                let_servers_accept.fn(do, generate.fn(do, (Target.DATABASE,), abrupt=False, why="the test"))
        finally:
            running.sql(f"ALTER ROLE pawpaw_app_b {back}")
        said = (
            "SELECT split_part(query, ' ', 4) FROM pg_stat_statements WHERE query LIKE 'ALTER ROLE \"pawpaw_app_b\"%'"
        )
        assert sorted(conn.execute(said)) == [("LOGIN",), ("NOLOGIN",)], "once opened, once closed"
    assert running.sql("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'pawpaw_app_b'") == "f"
    assert rotations.find_open(stack) is None
    assert [turn.what for turn in rotations.turns(stack.state_dir)] == ["dropped"]
    assert running.project.env_file.read_bytes() == env
    with session(stack) as do:
        check_database(do, running.values["DB_USER"], SecretStr(running.values["DB_PASSWORD"]))
