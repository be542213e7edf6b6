"""Steps that hold the stack's files, what runs, and the server that runs us against how they should be."""

import stat
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from prefect.settings import PREFECT_API_URL

from pawpaw_ops.clients.compose_project import inspections
from pawpaw_ops.clients.engine import LOCAL_ENGINE, connect
from pawpaw_ops.clients.env_file import read_env
from pawpaw_ops.clients.http import probe
from pawpaw_ops.clients.images import find_image
from pawpaw_ops.clients.listening import listener
from pawpaw_ops.clients.services import read_services
from pawpaw_ops.commands import compose, git, lint
from pawpaw_ops.errors import CommandError, PreconditionError
from pawpaw_ops.models.finding import Severity, Weakness
from pawpaw_ops.models.project import Project
from pawpaw_ops.models.stack import Workplace
from pawpaw_ops.plans import hardening as plan
from pawpaw_ops.runner import LocalRunner
from pawpaw_ops.tasks.operation import operation

PRIVATE = 0o600
PORTS = {"http": 80, "https": 443}


@operation("look at the files")
def look_at_files(place: Workplace) -> tuple[Weakness, ...]:
    """Look at the Compose file, the `.env`, what Prometheus asks, and who may read what.

    Raises:
        ConfigError: The `.env` cannot be read.

    Touches:
        Nothing.
    """
    project = place.project
    found = [
        *_lint(project),
        *plan.env_values(read_env(project.env_file)),
        plan.file_mode("file-mode", str(project.env_file), project.env_file.stat().st_mode, allowed=PRIVATE),
        *_committed(project),
        *_scrapes(project),
        *_folders(place),
    ]
    return tuple(found)


def _lint(project: Project) -> tuple[Weakness, ...]:
    try:
        return plan.parse_lint(LocalRunner().ask(lint.compose_lint(project.file)))
    except CommandError as seen:
        return (plan.unknown("compose-lint", project.file.name, Severity.HIGH, seen.message),)


def _committed(project: Project) -> tuple[Weakness, ...]:
    """No file with secrets is in the repository that the stack's folder is of."""
    try:
        names = LocalRunner().ask(git.tracked(project.file.parent))
    except CommandError:
        return (plan.holds("committed-secrets", "git", "the folder is no checkout"),)
    kept = [name for name in names if Path(name).name.startswith(".env") and not name.endswith(".example")]
    wrong = [name for name in kept if any(map(plan.SECRET.search, read_env(project.file.parent / name)))]
    if not wrong:
        return (plan.holds("committed-secrets", "git", f"{len(names)} files, none with secrets"),)
    says = "is in the repository: whoever ever cloned it has its secrets"
    fix = "Rotate them, and take the file out of the repository."
    return tuple(plan.weak("committed-secrets", name, Severity.CRITICAL, says, fix) for name in wrong)


def _scrapes(project: Project) -> tuple[Weakness, ...]:
    path = project.file.parent / "monitoring" / "prometheus" / "prometheus.yml"
    if not path.exists():
        return ()
    services = LocalRunner().ask(compose.config(project, env={}, interpolate=False))["services"]
    return plan.scrape_targets(yaml.safe_load(path.read_text()), services)


def _folders(place: Workplace) -> tuple[Weakness, ...]:
    """Look at who may read what only we should, and who may speak to the engine."""
    secret = [place.state_dir / "env.key", *(place.state_dir / "acme").glob("archive/*/privkey*.pem")]
    found = [
        plan.file_mode("file-mode", path.name, path.stat().st_mode, allowed=PRIVATE) for path in secret if path.exists()
    ]
    engine = place.project.engine or LOCAL_ENGINE
    if engine.startswith("tcp://"):
        says, fix = (
            "the engine is reached over TCP",
            "Use its socket, or ssh://; TCP without TLS is root for everybody.",
        )
        found.append(plan.weak("engine-address", engine, Severity.CRITICAL, says, fix))
    elif (socket := Path(engine.removeprefix("unix://"))).exists():
        mode = stat.S_IMODE(socket.stat().st_mode)
        found.append(plan.file_mode("engine-socket-mode", str(socket), mode, allowed=0o660))
    return tuple(found)


@operation("look at what runs")
def look_at_containers(place: Workplace) -> tuple[Weakness, ...]:
    """Look at every container of the stack as the engine shows it, and hold it against the files.

    Touches:
        Nothing.
    """
    project = place.project
    try:
        found = [one for one in inspections(lambda: connect(project.engine), project.name) if one["State"]["Running"]]
        if not found:
            return (plan.unknown("container", "stack", Severity.HIGH, "none runs, so none could be looked at"),)
        runner = LocalRunner()
        hashes = runner.ask(compose.hashes(project, env={}))
        facts = {one.name: find_image(project.engine, one.image) for one in read_services(project, runner)}
        images = {name: one.id for name, one in facts.items() if one is not None}
        each = [weakness for one in found for weakness in plan.running(one, gateway=project.gateway)]
        return (*dict.fromkeys(each), *plan.drift(found, hashes, images))
    except (CommandError, PreconditionError) as seen:
        return (plan.unknown("container", "stack", Severity.HIGH, seen.message),)


@operation("look at the control plane")
def look_at_control_plane() -> tuple[Weakness, ...]:
    """Look at the Prefect server that runs us.

    Touches:
        Nothing.
    """
    api = PREFECT_API_URL.value()
    if not api:
        return (plan.unknown("prefect-auth", "Prefect", Severity.HIGH, "this run has a server of its own only"),)
    status, _ = probe(f"{api}/admin/version")
    parts = urlsplit(api)
    return plan.control_plane(api, status, listener(parts.port or PORTS.get(parts.scheme, 0)))
