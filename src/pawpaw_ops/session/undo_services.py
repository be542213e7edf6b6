"""How steps that touch the stack's services and its gateway are taken back, or finished after a commit."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pawpaw_ops.clients import certificates, gateway, releases, services
from pawpaw_ops.clients.env_file import change_env
from pawpaw_ops.models.release import Release, Warm
from pawpaw_ops.models.stack import StackSettings
from pawpaw_ops.plans.certificates import mismatched
from pawpaw_ops.runner import LocalRunner
from pawpaw_ops.session.journal import Undo

Args = Mapping[str, Any]


def end_maintenance(owner: str) -> Undo:
    """Take the maintenance page away that a run put up."""
    return Undo(kind="end-maintenance", args={"owner": owner})


def start_services(names: Sequence[str]) -> Undo:
    """Start containers that were running, one after the other."""
    return Undo(kind="start-services", args={"names": list(names)})


def recreate_services(names: Sequence[str]) -> Undo:
    """Make services again from what the `.env` says."""
    return Undo(kind="recreate-services", args={"names": list(names)})


def remove_replicas(keep: Mapping[str, Sequence[str]]) -> Undo:
    """Remove the containers of services that were not there before.

    Args:
        keep: Service -> ids of those that were.
    """
    return Undo(kind="remove-replicas", args={"keep": {service: list(ids) for service, ids in keep.items()}})


def gateway_to(files: Mapping[str, str]) -> Undo:
    """Let the gateway serve from the files that it had."""
    return Undo(kind="gateway-to", args={"files": dict(files)})


def env_to(values: Mapping[str, str | None]) -> Undo:
    """Give variables of the `.env` that are no secrets the values that they had."""
    return Undo(kind="env-to", args={"values": dict(values)})


def certificate_to(name: str) -> Undo:
    """Let the gateway serve the certificate that it had."""
    return Undo(kind="certificate-to", args={"name": name})


def record_release(release: Release) -> Undo:
    """Write a release down that serves."""
    return Undo(kind="record-release", args={"release": release.model_dump(mode="json")})


def retire(ids: Sequence[str], *, grace_s: float) -> Undo:
    """Stop and remove containers that get no requests any more."""
    return Undo(kind="retire", args={"ids": list(ids), "grace_s": grace_s})


def keep_warm(replicas: Warm | None) -> Undo:
    """Leave containers that get no requests any more running for a while; None says that there are none."""
    return Undo(kind="keep-warm", args={"replicas": replicas.model_dump(mode="json") if replicas else None})


def end_warm(replicas: Warm) -> Undo:
    """End replicas that were kept warm."""
    return Undo(kind="end-warm", args={"replicas": replicas.model_dump(mode="json")})


def _end_maintenance(stack: StackSettings, args: Args) -> None:
    gateway.end_maintenance(stack.its_project(), args["owner"])


def _start_services(stack: StackSettings, args: Args) -> None:
    """The gateway as well, so that nobody is let in to where they were before."""
    project = stack.its_project()
    services.start_one_by_one(project, args["names"], LocalRunner())
    moved = gateway.find_again(project)
    if gateway.is_running(project):
        if moved:
            gateway.reload(project, LocalRunner())
        gateway.wait_through(project)


def _recreate_services(stack: StackSettings, args: Args) -> None:
    services.recreate(stack.its_project(), args["names"], {}, LocalRunner())


def _remove_replicas(stack: StackSettings, args: Args) -> None:
    for service, ids in args["keep"].items():
        services.remove_others(stack.its_project(), service, ids, LocalRunner())


def _gateway_to(stack: StackSettings, args: Args) -> None:
    """The files first: a gateway that is down comes up with them. Replicas that they do not name may end afterwards.

    An engine that was restarted meanwhile may have given the replicas other addresses.
    """
    project = stack.its_project()
    gateway.put_files(project, args["files"])
    gateway.find_again(project)
    if gateway.is_running(project):
        gateway.reload(project, LocalRunner())
        gateway.drain(project)


def _certificate_to(stack: StackSettings, args: Args) -> None:
    """The folder first; what is served already is not loaded again, since it may be another fault that forbids it."""
    project = stack.its_project()
    if certificates.in_use(project, LocalRunner()).name != args["name"]:
        certificates.use(project, args["name"], LocalRunner())
    wanted = certificates.in_use(project, LocalRunner()).certificate
    if mismatched(wanted, certificates.served(project, ())):
        gateway.reload(project, LocalRunner())


def _env_to(stack: StackSettings, args: Args) -> None:
    change_env(stack.its_project().env_file, args["values"])


def _record_release(stack: StackSettings, args: Args) -> None:
    releases.record(stack.state_dir, Release.model_validate(args["release"]))


def _retire(stack: StackSettings, args: Args) -> None:
    services.retire(stack.its_project(), args["ids"], LocalRunner(), grace_s=args["grace_s"])


def _keep_warm(stack: StackSettings, args: Args) -> None:
    releases.keep_warm(stack.state_dir, Warm.model_validate(args["replicas"]) if args["replicas"] else None)


def _end_warm(stack: StackSettings, args: Args) -> None:
    replicas = Warm.model_validate(args["replicas"])
    services.retire(stack.its_project(), replicas.ids, LocalRunner(), grace_s=replicas.grace_s)
    there = releases.warm(stack.state_dir)
    left = tuple(one for one in (there.ids if there else ()) if one not in replicas.ids)
    releases.keep_warm(stack.state_dir, there.model_copy(update={"ids": left}) if there and left else None)


UNDOERS: Mapping[str, Callable[[StackSettings, Args], None]] = {
    "end-maintenance": _end_maintenance,
    "start-services": _start_services,
    "recreate-services": _recreate_services,
    "remove-replicas": _remove_replicas,
    "gateway-to": _gateway_to,
    "certificate-to": _certificate_to,
    "env-to": _env_to,
    "record-release": _record_release,
    "retire": _retire,
    "keep-warm": _keep_warm,
    "end-warm": _end_warm,
}
