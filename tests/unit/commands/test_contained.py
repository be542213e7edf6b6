"""The whole command line of programs in containers: what they may reach, and where the password is not."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from pawpaw_ops.commands import contained, postgres
from pawpaw_ops.commands.command import Command
from pawpaw_ops.errors import ConfigError
from pawpaw_ops.models.database import ClientTools, Database, ToolImage

IMAGE = ToolImage(
    id="sha256:1f55", container="4fa6e0", name="db", engine="unix:///run/docker.sock", owner="1000:1001", run_id="r1"
)
TOOLS = ClientTools(image=IMAGE)
APP = Database(name="app", host="172.18.0.3", user="admin", password=SecretStr("canary"), tools=TOOLS)
ENGINE: dict[str, str | SecretStr] = {"DOCKER_HOST": "unix:///run/docker.sock"}
SAFE = (
    "--read-only",
    "--tmpfs=/tmp",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--pull=never",
    "--log-driver=none",
    "--label=pawpaw.run=r1",
    "--env=HOME=/tmp",
)
LOGIN = (
    "--env=PGHOST=172.18.0.3",
    "--env=PGPORT=5432",
    "--env=PGUSER=admin",
    "--env=PGDATABASE=app",
    "--env=PGAPPNAME=pawpaw-ops/r1",
    "--env=PGCONNECT_TIMEOUT=10",
    "--env=PGPASSFILE=/nonexistent/pgpass",
    f"--env=PGOPTIONS={postgres.as_options(postgres.SESSION_SETTINGS)}",
)
RUN = ("docker", "run", "--rm", "--init")


def test_a_dump_writes_one_folder_and_joins_the_servers_network() -> None:
    """The password is typed; it is in no argument and no variable."""
    assert postgres.dump(APP, to=Path("/s/plain/dump"), snapshot="0-1", jobs=2, app="pawpaw-ops/r1") == Command(
        argv=(
            *RUN,
            "--interactive",
            "--network=container:4fa6e0",
            "--user=1000:1001",
            *SAFE,
            *LOGIN,
            "--mount=type=bind,source=/s/plain,target=/s/plain",
            "--entrypoint=pg_dump",
            "sha256:1f55",
            "--format=directory",
            "--compress=0",
            "--jobs=2",
            "--file=/s/plain/dump",
            "--snapshot=0-1",
            "--lock-wait-timeout=10s",
            "--no-subscriptions",
            "--no-sync",
            "--password",
        ),
        env=ENGINE,
        stdin=SecretStr("canary\n"),
        prompt="Password: ",
        timeout_s=None,
        inside="pg_dump",
    )


def test_a_program_that_needs_no_server_gets_no_network() -> None:
    """It reads the dump and changes nothing."""
    assert postgres.decode(TOOLS, source=Path("/s/dump")) == Command(
        argv=(
            *RUN,
            "--network=none",
            "--user=1000:1001",
            *SAFE,
            "--mount=type=bind,source=/s/dump,target=/s/dump,readonly",
            "--entrypoint=pg_restore",
            "sha256:1f55",
            "--file=/dev/null",
            "/s/dump",
        ),
        env=ENGINE,
        timeout_s=None,
        inside="pg_restore",
    )


def test_a_server_on_a_socket_is_reached_without_a_network() -> None:
    """The folder of the socket is seen at its own path."""
    argv = postgres.restore(
        APP.model_copy(update={"host": "/d/s"}), dbname="x", source=Path("/s/dump"), jobs=2, app="a"
    ).argv
    assert "--network=none" in argv
    assert "--mount=type=bind,source=/d/s,target=/d/s,readonly" in argv
    assert "--mount=type=bind,source=/s/dump,target=/s/dump,readonly" in argv
    assert "--env=PGHOST=/d/s" in argv


def test_a_disposable_server_has_a_name_for_its_user_and_no_network() -> None:
    """It sees the folder above its data, and is found again by its label."""
    made = postgres.server(
        TOOLS, data=Path("/d/x/data"), socket_folder=Path("/d/x/s"), port=5432, settings={}, run_as="65534:65534"
    )
    assert made == Command(
        argv=(
            *RUN,
            "--network=none",
            "--user=65534:65534",
            *SAFE,
            "--mount=type=bind,source=/d/x,target=/d/x",
            "--mount=type=bind,source=/d/x/passwd,target=/etc/passwd,readonly",
            "--label=pawpaw.server=x",
            "--shm-size=1g",
            "--entrypoint=postgres",
            "sha256:1f55",
            "-D",
            "/d/x/data",
            "--unix-socket-directories=/d/x/s",
            "--listen-addresses=",
            "--port=5432",
        ),
        env=ENGINE,
        timeout_s=None,
        inside="postgres",
    )
    initdb = postgres.initdb(TOOLS, data=Path("/d/x/data"), user="postgres", password_file=Path("/d/x/pw"), run_as=None)
    assert initdb.argv[4:6] == ("--network=none", "--user=1000:1001")
    assert (initdb.inside, initdb.user, initdb.cwd) == ("initdb", None, None)


@pytest.mark.parametrize(
    "made",
    [
        postgres.dump(APP, to=Path("/s/d"), snapshot="0-1", jobs=1, app="a"),
        postgres.dump_sql(APP, to=Path("/s/d"), snapshot="0-1", app="a"),
        postgres.dump_globals(APP, app="a"),
        postgres.restore(APP, dbname="x", source=Path("/s/d"), jobs=1, app="a"),
        postgres.load_sql(APP, dbname="x", source=Path("/s/d"), app="a"),
    ],
    ids=lambda made: made.inside,
)
def test_no_password_in_any_text_or_variable(made: Command) -> None:
    assert "canary" not in f"{made} {made!r} {made.argv} {made.env}"
    assert "--password" in made.argv
    assert "--no-password" not in made.argv
    assert made.stdin == SecretStr("canary\n")


def test_without_a_password_nothing_asks_for_one() -> None:
    made = postgres.dump_globals(APP.model_copy(update={"password": SecretStr("")}), app="a")
    assert "--no-password" in made.argv
    assert "--interactive" not in made.argv
    assert made.stdin is None


@pytest.mark.parametrize("password", ["two\nlines", "ends with\r"])
def test_a_password_that_cannot_be_typed_is_refused(password: str) -> None:
    database = APP.model_copy(update={"password": SecretStr(password)})
    with pytest.raises(ConfigError, match="line break"):
        postgres.dump_globals(database, app="a")


def test_a_folder_with_a_comma_or_a_quote_stays_one_field() -> None:
    """The value of `--mount` is a line of CSV."""
    argv = postgres.decode(TOOLS, source=Path('/s,"x')).argv
    assert '--mount=type=bind,"source=/s,""x","target=/s,""x",readonly' in argv


def test_leftovers_are_asked_for_and_removed_on_the_same_engine() -> None:
    asked = contained.labelled("tcp://db:2376", "pawpaw.run=r1")
    assert asked.command == Command(
        argv=("docker", "ps", "--all", "--quiet", "--no-trunc", "--filter=label=pawpaw.run=r1"),
        env={"DOCKER_HOST": "tcp://db:2376"},
    )
    assert asked.parse("a\nb\n") == ("a", "b")
    assert asked.parse("") == ()
    assert contained.remove("tcp://db:2376", ("a", "b")) == Command(
        argv=("docker", "rm", "--force", "--volumes", "a", "b"),
        env={"DOCKER_HOST": "tcp://db:2376"},
        ok_codes=(0, 1),
    )


def test_a_probe_makes_a_file_where_we_are() -> None:
    made = contained.probe(IMAGE, Path("/s/run/.probe"))
    assert "--mount=type=bind,source=/s/run,target=/s/run" in made.argv
    assert made.argv[-3:] == ("--entrypoint=touch", "sha256:1f55", "/s/run/.probe")


def test_tools_work_for_the_first_run_that_takes_them() -> None:
    """So that what a self-test starts inside a drill is found under the drill's name."""
    fresh = ClientTools(image=IMAGE.model_copy(update={"run_id": ""}))
    assert fresh.for_run("r1") == TOOLS
    assert TOOLS.for_run("r2") == TOOLS
    assert ClientTools().for_run("r1") == ClientTools()
