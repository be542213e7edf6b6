"""The client tools come out of the server's own container: no port is published, and this host has no PostgreSQL."""

import json
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from flows.backup import backup_db
from flows.drill_restore import drill_restore
from flows.restore import restore_db
from flows.undo_restore import undo_restore
from pawpaw_ops import corpus
from pawpaw_ops.commands import contained
from pawpaw_ops.commands import postgres as command
from pawpaw_ops.containers import end_containers
from pawpaw_ops.errors import (
    CommandNotFound,
    CommandTimedOut,
    ConfigError,
    IdentityMismatch,
    PreconditionError,
    Unreachable,
)
from pawpaw_ops.models.database import ClientTools, ToolImage
from pawpaw_ops.runner import LocalRunner
from pawpaw_ops.tasks import drill
from tests.integration.stack.support_docker import docker
from tests.integration.support_canaries import files
from tests.integration.support_containers import (
    TEST_LABEL,
    ContainerKit,
    ContainerServer,
    Witness,
    engine_at,
    inspect,
    no_postgres_here,
    role_with,
)

HOURS_S = "600"


@pytest.fixture
def bare_host(inside: ContainerKit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Docker's CLI is the only program on the `PATH`."""
    monkeypatch.setenv("PATH", no_postgres_here(inside.folder / "bin"))
    assert shutil.which("pg_dump") is None
    with pytest.raises(CommandNotFound, match="pg_dump"):
        LocalRunner().ask(command.version(ClientTools(), "pg_dump"))


def image_of(kit: ContainerKit) -> ToolImage:
    """The image that the flows take the tools from."""
    found = kit.settings().database.tools.image
    assert found is not None
    return found


@pytest.mark.usefixtures("bare_host")
def test_A16_backup_wreck_restore_undo_drill_without_postgres_on_the_host(inside: ContainerKit) -> None:
    """The main job, with nothing but Docker's CLI; what did the work is the image of the running server, by its id."""
    seen = inspect(inside.server.name)
    assert seen["HostConfig"]["PortBindings"] in ({}, None)
    assert json.loads(docker("network", "inspect", inside.server.name))[0]["Internal"] is True
    assert image_of(inside).id == seen["Image"]
    assert image_of(inside).container == seen["Id"]
    before = inside.prints()

    backup_id = backup_db(stack=inside.name, export_sql=True)
    inside.sql('TRUNCATE dos; DROP TABLE "un o" CASCADE')
    wrecked = inside.prints()
    retired = restore_db(stack=inside.name, approve=True)
    assert inside.prints().tables == before.tables
    assert inside.databases() == [inside.database, retired]
    undo_restore(stack=inside.name, approve=True)
    assert inside.prints().tables == wrecked.tables
    [exported] = inside.store_folder.glob("backup_*.sql.gz")
    restore_db(stack=inside.name, backup=str(exported), approve=True)
    assert inside.prints().tables == before.tables
    assert "verified up to rung 8" in drill_restore(stack=inside.name)

    [entry] = inside.catalog().entries()
    assert entry.manifest is not None
    contents = entry.manifest.contents
    assert (entry.backup_id, contents.server.major) == (backup_id, 15)
    assert contents.client_version == inside.sql("SHOW server_version")[0][0].split()[0]
    inside.assert_clean()


@pytest.mark.usefixtures("bare_host")
def test_E1_a_broken_backup_is_found_out_in_a_container_too(
    inside: ContainerKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its log comes out of the container a moment later, and its SQLSTATEs are read all the same."""
    some = ("healthy", "killed", "missing role", "altered content", "search_path function")
    monkeypatch.setattr(corpus, "KINDS", {kind: corpus.KINDS[kind] for kind in some})
    told = drill.self_test.fn(inside.settings().database.tools)
    assert told[0] == "healthy: nothing found, as it must be"
    assert len(told) == len(some)


def test_no_canary_is_found_on_the_host_or_in_the_engine(
    inside: ContainerKit, caplog: pytest.LogCaptureFixture
) -> None:
    """C6: the password is in no argument, environment, inspection, log or file, of whichever process or container."""
    word = f"canary-{secrets.token_hex(8)}"
    role = role_with(inside, word)
    with Witness(inside) as seen:
        backup_db(stack=inside.name, export_sql=True)
        inside.sql("TRUNCATE dos")
        restore_db(stack=inside.name, approve=True)
        undo_restore(stack=inside.name, approve=True)
        drill_restore(stack=inside.name)
    inside.save_blocks()
    inside.sql(f"REASSIGN OWNED BY {role} TO postgres; DROP OWNED BY {role}; DROP ROLE {role}")

    places = {"arguments": seen.argv, "environments": seen.environments, "inspections": seen.inspected}
    places |= {"logs": {caplog.text}} | {
        str(path): {path.read_bytes().decode("latin-1")} for path in files(inside.state_dir, inside.store_folder)
    }
    assert [where for where, held in places.items() if any(word in text for text in held)] == []
    for program in ("pg_dump", "pg_restore", "postgres"):
        assert any(f"--entrypoint={program}" in line for line in seen.argv), program
        assert any(f'"{program}"' in text for text in seen.inspected), program
    assert any("PGHOST" in text for text in seen.inspected)


def test_C6_the_password_of_a_disposable_server_is_no_exception(inside: ContainerKit) -> None:
    """A rejected password is told as the server tells it, without the word itself."""
    word = f"canary-{secrets.token_hex(8)}"
    database = inside.settings().database.model_copy(update={"password": SecretStr(word)})
    with pytest.raises(Exception, match="password authentication failed") as caught:
        LocalRunner().run(command.dump_globals(database, app="test"))
    assert word not in f"{caught.value!r} {caught.value}"


def test_DOCKER_HOST_leads_the_sdk_and_the_cli_to_the_same_engine(
    inside: ContainerKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = inside.folder / "engine.sock"
    with engine_at(path) as asked:
        monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
        backup_db(stack=inside.name)
    lines = b"\n".join(asked).decode()
    assert f"/containers/{inside.server.name}/json" in lines
    assert re.search(r"^POST \S+/containers/\w{64}/(start|attach|wait)", lines, re.MULTILINE)
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")
    with pytest.raises(Unreachable, match="Docker engine did not answer"):
        backup_db(stack=inside.name)


def test_A20_the_servers_identity_is_asked_through_the_container(inside: ContainerKit) -> None:
    inside.save_blocks(database={"system_identifier": "42"})
    with pytest.raises(IdentityMismatch, match="the block says 42"):
        backup_db(stack=inside.name)
    [(identifier,)] = inside.sql("SELECT system_identifier::text FROM pg_control_system()")
    inside.save_blocks(database={"system_identifier": identifier})
    backup_db(stack=inside.name)
    inside.assert_clean()


def test_a_program_that_outlives_its_deadline_leaves_no_container(inside: ContainerKit) -> None:
    """SIGTERM goes through Docker's CLI to the program inside."""
    image = image_of(inside).model_copy(update={"run_id": f"late-{inside.name}"})
    with pytest.raises(CommandTimedOut, match="sleep did not end within 1 s"):
        LocalRunner().run(contained.contained(image, "sleep", (HOURS_S,), timeout_s=1.0))
    assert end_containers(image.engine, f"{contained.RUN_LABEL}={image.run_id}") == 0


def test_a_wrong_name_and_a_stopped_container_are_told_apart(inside: ContainerKit, postgres_15_image: str) -> None:
    inside.save_blocks(database={"container": "nobody-is-called-so"})
    with pytest.raises(ConfigError, match="nobody-is-called-so"):
        backup_db(stack=inside.name)
    name = f"stopped-{inside.name}"
    docker("create", f"--name={name}", f"--label={TEST_LABEL}", postgres_15_image)
    inside.save_blocks(database={"container": name})
    with pytest.raises(PreconditionError, match=f"'{name}' is created, not running"):
        backup_db(stack=inside.name)
    docker("rm", "--volumes", name)


@pytest.fixture
def toolless(postgres_15_image: str, prefect_api: None, tmp_path: Path) -> Iterator[ContainerKit]:
    """A server whose image has no pg_dump."""
    name, tag = f"toolless-{secrets.token_hex(4)}", f"pawpaw-test/toolless:{secrets.token_hex(4)}"
    gone = "rm /usr/bin/pg_dump /usr/lib/postgresql/*/bin/pg_dump"
    docker(
        "run", f"--name={name}", f"--label={TEST_LABEL}", "--user=0", "--entrypoint=sh", postgres_15_image, "-c", gone
    )
    restored = ['--change=ENTRYPOINT ["docker-entrypoint.sh"]', "--change=USER postgres"]
    docker("commit", *restored, name, tag)
    docker("rm", "--volumes", name)
    server = ContainerServer(tag)
    try:
        server.start()
        kit = ContainerKit(server, tmp_path)
        kit.create(template="template1")
        yield kit
    finally:
        server.remove()
        docker("rmi", tag)


def test_an_image_without_the_tools_is_named(toolless: ContainerKit) -> None:
    with pytest.raises(CommandNotFound, match="pg_dump is not in the container's image") as caught:
        backup_db(stack=toolless.name)
    assert "the server's own container" in caught.value.hint
    assert toolless.catalog().location.root.exists() is False  # type: ignore[attr-defined]
    toolless.assert_clean()
