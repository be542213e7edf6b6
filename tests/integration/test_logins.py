"""Logins on a real PostgreSQL: passwords reach it only as verifiers, two take turns, sessions go on."""

import secrets
from collections.abc import Iterator

import psycopg
import pytest
from pydantic import SecretStr

from pawpaw_ops.clients.postgres import logins
from pawpaw_ops.disposable import DisposableServer
from pawpaw_ops.errors import PreconditionError


@pytest.fixture
def pair(pg_server: DisposableServer) -> Iterator[tuple[str, str]]:
    """Two logins that take turns over an owner, as make-roles makes them."""
    tag = secrets.token_hex(4)
    with pg_server.postgres().admin() as conn:
        conn.execute(f"CREATE ROLE own_{tag} NOLOGIN".encode())
        for side in "ab":
            conn.execute(f"CREATE ROLE app_{tag}_{side} NOLOGIN IN ROLE own_{tag}".encode())
            conn.execute(f"ALTER ROLE app_{tag}_{side} SET role = 'own_{tag}'".encode())
        conn.execute(f"CREATE DATABASE db_{tag} OWNER own_{tag}".encode())
    yield f"app_{tag}_a", f"app_{tag}_b"
    with pg_server.postgres().admin() as conn:
        conn.execute(f"DROP DATABASE db_{tag} WITH (FORCE)".encode())
        conn.execute(f"DROP ROLE app_{tag}_a, app_{tag}_b, own_{tag}".encode())


def connect(server: DisposableServer, user: str, password: SecretStr) -> psycopg.Connection[tuple[object, ...]]:
    database = f"db_{user.split('_')[1]}"
    where = server.database()
    return psycopg.connect(
        host=where.host,
        port=where.port,
        dbname=database,
        user=user,
        password=password.get_secret_value(),
        autocommit=True,
    )


def test_rotate_SEC_01_the_server_never_sees_a_password(pg_server: DisposableServer, pair: tuple[str, str]) -> None:
    user, password = pair[0], SecretStr(f"canary-{secrets.token_hex(8)}")
    with pg_server.postgres().admin(settings={"log_statement": "all"}) as conn:
        logins.open_login(conn, user, password)
        held = logins.read_login(conn, user)
    log = pg_server.log_text()
    assert f'ALTER ROLE "{user}" LOGIN PASSWORD \'SCRAM-SHA-256$' in log
    assert password.get_secret_value() not in log
    assert logins.accepts(held, password) is True
    assert logins.accepts(held, SecretStr("another")) is False


def test_rotate_ROT_11_a_policy_of_passwords_has_nothing_to_refuse(
    pg_server: DisposableServer, pair: tuple[str, str]
) -> None:
    """It would refuse the very same password in plain text: the server gets a verifier."""
    short = SecretStr("short")
    with pg_server.postgres().admin() as conn:
        conn.execute("LOAD 'passwordcheck'")
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="too short"):
            conn.execute(f"ALTER ROLE {pair[0]} PASSWORD '{short.get_secret_value()}'".encode())
        logins.open_login(conn, pair[0], short)
    connect(pg_server, pair[0], short).close()


def test_a_password_that_holds_is_not_set_again(pg_server: DisposableServer, pair: tuple[str, str]) -> None:
    with pg_server.postgres().admin() as conn:
        logins.open_login(conn, pair[0], SecretStr("one"))
        before = logins.read_login(conn, pair[0])
        logins.open_login(conn, pair[0], SecretStr("one"))
        assert logins.read_login(conn, pair[0]) == before


def test_rotate_ROT_12_what_one_login_made_the_other_can_change(
    pg_server: DisposableServer, pair: tuple[str, str]
) -> None:
    with pg_server.postgres().admin() as admin:
        for user in pair:
            logins.open_login(admin, user, SecretStr("pw"))
    with connect(pg_server, pair[0], SecretStr("pw")) as a:
        a.execute("CREATE TABLE made (id int)")
    with connect(pg_server, pair[1], SecretStr("pw")) as b:
        b.execute("ALTER TABLE made ADD COLUMN more int")
        b.execute("CREATE TABLE later (id int)")
    with connect(pg_server, pair[0], SecretStr("pw")) as a:
        a.execute("ALTER TABLE later ADD COLUMN more int")
        a.execute("DROP TABLE made, later")


def test_a_closed_login_is_refused_and_its_sessions_go_on(pg_server: DisposableServer, pair: tuple[str, str]) -> None:
    user = pair[0]
    with pg_server.postgres().admin() as admin:
        logins.open_login(admin, user, SecretStr("pw"))
        with connect(pg_server, user, SecretStr("pw")) as open_before:
            logins.close_login(admin, user)
            assert open_before.execute("SELECT 1").fetchone() == (1,)
            assert len(logins.sessions(admin, user)) == 1
            with pytest.raises(psycopg.OperationalError):
                connect(pg_server, user, SecretStr("pw"))
            logins.end_sessions(admin, user)
            assert logins.sessions(admin, user) == ()
        held = logins.read_login(admin, user)
        assert not held.open
        assert logins.accepts(held, SecretStr("pw")) is False
        logins.open_login(admin, user, SecretStr("other"))
        with pytest.raises(psycopg.OperationalError):
            connect(pg_server, user, SecretStr("pw"))


def test_a_role_that_there_is_not_is_named(pg_server: DisposableServer) -> None:
    with pg_server.postgres().admin() as conn, pytest.raises(PreconditionError, match="no role 'nobody_here'"):
        logins.read_login(conn, "nobody_here")
