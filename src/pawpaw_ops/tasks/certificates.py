"""Steps that keep the gateway's certificate young, and prove what is served."""

from dataclasses import dataclass
from datetime import datetime

from pawpaw_ops.clients import authority, certificates, gateway
from pawpaw_ops.clients.certificates import InUse
from pawpaw_ops.clients.env_file import read_env
from pawpaw_ops.commands.certbot import certonly
from pawpaw_ops.errors import CommandError, PreconditionError, Unreachable, VerificationError
from pawpaw_ops.models.base import utc_now
from pawpaw_ops.models.certificate import Attempts, Certificate, WantedCertificate
from pawpaw_ops.models.project import Project
from pawpaw_ops.models.stack import StackSettings
from pawpaw_ops.plans import certificates as plan
from pawpaw_ops.runner import LocalRunner
from pawpaw_ops.session import Session, undo_services
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.metrics import tell_prometheus
from pawpaw_ops.tasks.operation import operation


@dataclass(frozen=True)
class Looked:
    """What is wanted, what lies in the gateway's folder, and what it serves on each name."""

    wanted: WantedCertificate
    file: InUse
    served: dict[str, Certificate]
    why: str

    @property
    def stale(self) -> tuple[str, ...]:
        """Names on which something else is served than what the folder has."""
        return plan.mismatched(self.file.certificate, self.served)


@operation("look at the certificate")
def look(stack: StackSettings, *, force: bool) -> Looked:
    """Look at what the gateway has and at what it serves, and say whether it is time.

    Raises:
        ConfigError: The `.env` asks for what cannot be had.
        PreconditionError: The gateway is not running.
        Unreachable: It does not answer.

    Touches:
        Nothing; the authority is asked, and Prometheus is told until when what is served is valid.
    """
    project = stack.its_project()
    wanted = plan.wanted(read_env(project.env_file))
    file = certificates.in_use(project, LocalRunner())
    served = certificates.served(project, wanted.names)
    _tell_prometheus(stack, served)
    why = (
        plan.due(file.certificate, wanted.names, utc_now(), suggested=_suggested(wanted, file)) if wanted.names else ""
    )
    return Looked(wanted, file, served, why or ("se pidió" if force and wanted.names else ""))


def _suggested(wanted: WantedCertificate, file: InUse) -> datetime | None:
    """Return when the authority wants it renewed; one that is away says nothing, and the shares of a life decide."""
    if file.certificate.self_signed:
        return None
    try:
        return authority.renewal_time(wanted, file.chain)
    except Unreachable as seen:
        report.logger().warning("%s", seen)
        return None


@operation("obtain certificate")
def obtain(do: Session, seen: Looked) -> Certificate:
    """Obtain a certificate, unless one that was obtained before and never served will do.

    Raises:
        PreconditionError: The authority refused or did not answer lately, and is left alone for a while.
        CommandError: It refused, or did not answer; what is served stays.
        VerificationError: What it gave would not do.

    Touches:
        `acme/` in the stack's folder, challenges in the gateway's folder, an order at the authority.
    """
    project, state_dir, now = do.stack.its_project(), do.stack.state_dir, utc_now()
    kept = certificates.obtained(state_dir, do.stack.name)
    if kept and kept.serial != seen.file.certificate.serial and not plan.due(kept, seen.wanted.names, now):
        report.logger().info("the certificate %s was obtained before and never served: it will do", kept.serial)
        return kept
    if project.acme is None:
        raise PreconditionError("the stack has no folder that the gateway serves to certificate authorities.")
    attempts = certificates.read_attempts(state_dir)
    if until := plan.wait_until(attempts, now):
        raise PreconditionError(
            f"{attempts.failed} tries in a row failed, the last with: {attempts.why} The authority is left alone until"
            f" {until:%Y-%m-%dT%H:%MZ}.",
            hint="Mend the cause; to try at once, remove acme/attempts.json in the stack's folder.",
        )
    certbot = certonly(seen.wanted, name=do.stack.name, folder=certificates.folder(state_dir), webroot=project.acme)
    try:
        do.step("obtain certificate", lambda: do.runner.run(certbot), scratch=True)
    except CommandError as failed:
        why = failed.stderr_tail or failed.message
        again = Attempts(failed=attempts.failed + 1, last_at=now, why=why[-500:])
        certificates.write_attempts(state_dir, again)
        raise
    certificates.write_attempts(state_dir, Attempts())
    new = certificates.obtained(state_dir, do.stack.name)
    if new is None:
        raise VerificationError("certbot said that it obtained a certificate, and there is none.")
    plan.check_new(new, seen.wanted.names, utc_now())
    return new


@operation("install certificate")
def install(do: Session, seen: Looked, new: Certificate) -> None:
    """Give the gateway the new certificate and let it load it; done is when it is served on every name.

    Raises:
        CommandError: The gateway refuses it, and goes on with the old one.
        VerificationError: Something else is served.

    Touches:
        The gateway's certificates and its workers.
    """
    project, name = do.stack.its_project(), f"acme-{new.serial}"
    pem = certificates.with_key(do.stack.state_dir, do.stack.name)

    def change() -> None:
        if seen.file.name != name:
            certificates.install(project, name, pem, do.runner)
        gateway.reload(project, do.runner)
        prove(project, seen.wanted.names, new)

    do.step("install certificate", change, undo=undo_services.certificate_to(seen.file.name))
    do.commit(f"certificate {new.serial} until {new.not_after:%Y-%m-%d}")
    do.step("remove older ones", lambda: certificates.tidy(project, [seen.file.name], do.runner), scratch=True)


@operation("load the certificate that is there")
def load(do: Session, seen: Looked) -> None:
    """Let the gateway load what its folder has: somebody put it there and nobody told it.

    Raises:
        CommandError: The gateway refuses it, and goes on with the one that it serves.
        VerificationError: Something else is served still.

    Touches:
        The gateway's workers.
    """
    project = do.stack.its_project()

    def change() -> None:
        gateway.reload(project, do.runner)
        prove(project, seen.wanted.names, seen.file.certificate)

    do.step("load certificate", change, scratch=True)


def prove(project: Project, names: tuple[str, ...], wanted: Certificate) -> None:
    """Ask the gateway for every name: exit codes and log lines prove nothing, the serial that is served does.

    Raises:
        VerificationError: Something else is served on one.
    """
    found = certificates.served(project, names)
    if wrong := plan.mismatched(wanted, found):
        raise VerificationError(
            f"the certificate {wanted.serial} is in the gateway's folder, and on {', '.join(wrong)} it serves"
            f" {', '.join(sorted({found[name].serial for name in wrong}))}.",
            hint="`gateway-reload` in the gateway's container, and its log, say why.",
        )


@operation("report certificate")
def report_certificate(do: Session, seen: Looked, *, did: str) -> str:
    """Show what is served now, on every name.

    Returns:
        The gist.

    Touches:
        An artifact in Prefect; Prometheus is told.
    """
    served = certificates.served(do.stack.its_project(), seen.wanted.names)
    _tell_prometheus(do.stack, served)
    rows = [
        {
            "nombre": name,
            "serie": one.serial,
            "vence": f"{one.not_after:%Y-%m-%d %H:%M} UTC",
            "provisional": one.self_signed,
        }
        for name, one in served.items()
    ]
    rows += [
        {"nombre": step, "serie": f"{took:.2f} s", "vence": "", "provisional": False}
        for step, took in do.durations_s.items()
    ]
    gist = f"{did}; se sirve hasta {min(one.not_after for one in served.values()):%Y-%m-%d}"
    report.table(f"certificate-{do.stack.name}", rows, gist=gist)
    report.logger().info("%s", gist)
    return gist


def _tell_prometheus(stack: StackSettings, served: dict[str, Certificate]) -> None:
    numbers = {}
    for name, one in served.items():
        numbers[f'pawpaw_certificate_not_after_timestamp_seconds{{name="{name}"}}'] = one.not_after.timestamp()
        numbers[f'pawpaw_certificate_bootstrap{{name="{name}"}}'] = float(one.self_signed)
    tell_prometheus(stack, "certificates", numbers)
