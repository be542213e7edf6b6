"""The gateway's certificate: the one in its folder, the one that it serves, the ones that certbot keeps for us."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import SecretStr, ValidationError

from pawpaw_ops.clients import tls
from pawpaw_ops.clients.files import write_whole
from pawpaw_ops.clients.gateway import running
from pawpaw_ops.commands import docker as command
from pawpaw_ops.models.base import Noun
from pawpaw_ops.models.certificate import Attempts, Certificate
from pawpaw_ops.models.project import Project
from pawpaw_ops.runner import Runner

TLS_PORT = 8443


class InUse(Noun):
    """The certificate that the gateway's folder says to be in use, what the folder calls it, and its chain as text."""

    name: str
    certificate: Certificate
    chain: str


def in_use(project: Project, runner: Runner) -> InUse:
    """Look at the gateway's folder.

    Raises:
        PreconditionError: The gateway is not running.
        CommandError: It has no certificate.
        VerificationError: What it has is none.
    """
    said = runner.run(command.inside(project.engine, running(project).name, "gateway-certificate", "show"))
    name, _, chain = said.partition("\n")
    return InUse(name=name, certificate=tls.parse_chain(chain), chain=chain)


def served(project: Project, names: Sequence[str]) -> dict[str, Certificate]:
    """Return name -> what the gateway shows to those who ask for it; `localhost` stands for nobody in particular.

    Raises:
        PreconditionError: The gateway is not running.
        Unreachable: It does not answer.
    """
    address = running(project).address
    return {name: tls.served(address, TLS_PORT, name) for name in names or ("localhost",)}


def install(project: Project, name: str, pem: SecretStr, runner: Runner) -> None:
    """Put a chain and its key into the gateway's folder and make them the ones in use at the next reload.

    Raises:
        CommandError: The gateway refuses them; its words say why.
        PreconditionError: It is not running.

    Touches:
        The gateway's volume of certificates.
    """
    words = ("gateway-certificate", "install", name)
    runner.run(command.inside(project.engine, running(project).name, *words, stdin=pem))


def use(project: Project, name: str, runner: Runner) -> None:
    """Make a certificate that is there the one in use at the next reload; errors as in `install`.

    Touches:
        A link in the gateway's volume of certificates.
    """
    runner.run(command.inside(project.engine, running(project).name, "gateway-certificate", "use", name))


def tidy(project: Project, keep: Sequence[str], runner: Runner) -> None:
    """Remove the certificates that are neither in use nor to be kept; errors as in `install`.

    Touches:
        The gateway's volume of certificates.
    """
    runner.run(command.inside(project.engine, running(project).name, "gateway-certificate", "tidy", *keep))


def folder(state_dir: Path) -> Path:
    """Return where certbot keeps its account, keys and certificates, mode 0700; made when it is not there.

    Touches:
        `acme/` in the stack's folder.
    """
    path = state_dir / "acme"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def obtained(state_dir: Path, name: str) -> Certificate | None:
    """Return the newest certificate that certbot obtained; None where it never did."""
    path = _live(state_dir, name) / "fullchain.pem"
    return tls.parse_chain(path.read_text()) if path.exists() else None


def with_key(state_dir: Path, name: str) -> SecretStr:
    """Return its chain and its key."""
    live = _live(state_dir, name)
    return SecretStr((live / "fullchain.pem").read_text() + (live / "privkey.pem").read_text())


def read_attempts(state_dir: Path) -> Attempts:
    """Return the tries in a row that failed; what cannot be read is none."""
    path = folder(state_dir) / "attempts.json"
    try:
        return Attempts.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return Attempts()


def write_attempts(state_dir: Path, attempts: Attempts) -> None:
    """Remember them.

    Touches:
        `acme/attempts.json`.
    """
    write_whole(folder(state_dir) / "attempts.json", attempts.model_dump_json())


def _live(state_dir: Path, name: str) -> Path:
    return folder(state_dir) / "live" / name
