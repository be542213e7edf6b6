"""Programs in containers of their own, from the image of the database server's container, by Docker's CLI.

Such a container reads and writes folders of this host under the same paths, runs as this process's user, can change
nothing else, and is gone when its program ends.
"""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from pawpaw_ops.commands.command import Command, Query
from pawpaw_ops.errors import ConfigError
from pawpaw_ops.models.database import ToolImage

RUN_LABEL = "pawpaw.run"
"""The run on whose behalf a container works."""
SERVER_LABEL = "pawpaw.server"
"""The name of the disposable server that a container is."""
PROMPT = "Password: "
"""What a program writes to its standard error when it asks for the password: its standard input answers, so that the
password is in no argument, no environment, no file, and nothing that `docker inspect` shows."""
SAFE = (
    "--read-only",
    "--tmpfs=/tmp",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--pull=never",
    "--log-driver=none",
)
"""No more than a program needs; and the engine keeps no copy of its output, which may quote rows."""


def contained(
    image: ToolImage,
    program: str,
    words: tuple[str, ...],
    *,
    env: Mapping[str, str | SecretStr] | None = None,
    typed: SecretStr | None = None,
    network: bool = False,
    reads: tuple[Path, ...] = (),
    writes: tuple[Path, ...] = (),
    more: tuple[str, ...] = (),
    owner: str = "",
    timeout_s: float | None = 60.0,
) -> Command:
    """Run a program in a container of its own.

    Args:
        image: Which image, whose network, on which engine.
        program: Its name; the image's own entry point is left out.
        words: Its arguments. One with a password is told `--password`, and answered.
        env: libpq's variables. A server on a Unix socket needs no network; one without a host, no server.
        typed: Password that is typed, of a program that is not libpq's.
        network: Whether such a program joins the network of the server's container.
        reads: Folders that it may read, at the same paths.
        writes: Folders that it may change, at the same paths.
        more: Further options of `docker run`.
        owner: `uid:gid` that it runs as; empty means the image's settings, which are this process's.
        timeout_s: As in `Command`.

    Raises:
        ConfigError: The password cannot be typed in one line.

    Touches:
        One container, which is removed when the program ends.

    Source: docs.docker.com/reference/cli/docker/container/run; `src/common/sprompt.c` of PostgreSQL for the prompt.
    """
    shown = dict(env or {})
    password = shown.pop("PGPASSWORD", typed or SecretStr(""))
    host = str(shown.get("PGHOST", ""))
    stdin = _typed(password if isinstance(password, SecretStr) else SecretStr(password))
    sockets = (Path(host),) if host.startswith("/") else ()
    joins = network or bool(host and not sockets)
    argv = (
        *("docker", "run", "--rm", "--init"),
        *(("--interactive",) if stdin else ()),
        f"--network={f'container:{image.container}' if joins else 'none'}",
        f"--user={owner or image.owner}",
        *SAFE,
        f"--label={RUN_LABEL}={image.run_id}",
        "--env=HOME=/tmp",
        *(f"--env={name}={value}" for name, value in shown.items()),
        *(_mount(path, path, readonly=True) for path in (*reads, *sockets)),
        *(_mount(path, path) for path in writes),
        *more,
        f"--entrypoint={program}",
        image.id,
        *words,
    )
    prompt = PROMPT if stdin else ""
    return Command(
        argv=argv, env=at_engine(image.engine), stdin=stdin, prompt=prompt, timeout_s=timeout_s, inside=program
    )


def disposable_options(root: Path, *, shm: str = "1g") -> tuple[str, ...]:
    """Return what a server in a container needs over its clients: its user's name, its own, and room to share memory.

    Source: `initdb` refuses a user id without a name; Docker's default of 64 MB is too small for parallel queries.
    """
    return (
        _mount(root / "passwd", Path("/etc/passwd"), readonly=True),
        f"--label={SERVER_LABEL}={root.name}",
        f"--shm-size={shm}",
    )


def probe(image: ToolImage, file: Path) -> Command:
    """Make an empty file from inside a container.

    Touches:
        Makes *file*.
    """
    return contained(image, "touch", (str(file),), writes=(file.parent,))


def labelled(engine: str, label: str) -> Query[tuple[str, ...]]:
    """Ask which containers have a label, running or not.

    Args:
        engine: Address of the Docker engine.
        label: `name=value`.

    Returns:
        Their ids.
    """
    argv = ("docker", "ps", "--all", "--quiet", "--no-trunc", f"--filter=label={label}")
    return Query(command=Command(argv=argv, env=at_engine(engine)), parse=lambda text: tuple(text.split()))


def remove(engine: str, ids: tuple[str, ...]) -> Command:
    """End and remove containers with their anonymous volumes; one that is on its way out by itself is no error.

    Touches:
        Those containers.
    """
    argv = ("docker", "rm", "--force", "--volumes", *ids)
    return Command(argv=argv, env=at_engine(engine), ok_codes=(0, 1))


def at_engine(address: str) -> dict[str, str | SecretStr]:
    """Return what makes the CLI speak to that engine, whatever its own context says; nothing for an empty address."""
    return {"DOCKER_HOST": address} if address else {}


def _typed(password: SecretStr) -> SecretStr | None:
    plain = password.get_secret_value()
    if not plain:
        return None
    if "\n" in plain or plain.endswith("\r"):
        raise ConfigError(
            "the database's password has a line break, which cannot be typed at a prompt.",
            hint="Change it, or set tools_folder in the PostgresDatabase block.",
        )
    return SecretStr(f"{plain}\n")


def _mount(source: Path, target: Path, *, readonly: bool = False) -> str:
    """Spell a bind mount; unlike `--volume` it is refused where the engine's host has no such folder."""
    line = io.StringIO()
    fields = ["type=bind", f"source={source}", f"target={target}", *(["readonly"] if readonly else [])]
    csv.writer(line, lineterminator="").writerow(fields)
    return f"--mount={line.getvalue()}"
