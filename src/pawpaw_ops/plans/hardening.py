"""What a hardened stack looks like: the engine's own words about containers in, findings out."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pawpaw_ops.models.base import Verdict
from pawpaw_ops.models.finding import Severity, Weakness

SOCKETS = ("docker.sock", "containerd.sock", "podman.sock")
HOSTS_OWN = ("/", "/etc", "/root", "/var/lib/docker", "/proc", "/sys", "/dev", "/boot")
LOOPBACK = ("127.", "::1", "localhost")
SECRET = re.compile(r"(PASSWORD|SECRET|TOKEN|API_KEY|PRIVATE_KEY)$")
KNOWN = re.compile(r"change.?me|admin|password|secret|123456|example|pawpaw|default|test", re.IGNORECASE)
SHORTEST, RANDOM = 16, 32
"""Characters of a secret; in a long random one a known word says nothing."""
LEVELS = {"critical": Severity.CRITICAL, "high": Severity.HIGH, "medium": Severity.MODERATE, "low": Severity.LOW}


def weak(check: str, where: str, severity: Severity, says: str, fix: str) -> Weakness:
    """Return something that does not hold."""
    return Weakness(check=check, where=where, verdict=Verdict.FAILED, severity=severity, says=says, fix=fix)


def unknown(check: str, where: str, severity: Severity, why: str, fix: str = "") -> Weakness:
    """Return something that could not be looked at."""
    return Weakness(check=check, where=where, verdict=Verdict.NOT_VERIFIED, severity=severity, says=why, fix=fix)


def holds(check: str, where: str, says: str) -> Weakness:
    """Return something that was looked at and holds."""
    return Weakness(check=check, where=where, verdict=Verdict.VERIFIED, severity=Severity.LOW, says=says)


def parse_lint(found: Mapping[str, Any]) -> tuple[Weakness, ...]:
    """Parse what compose-lint said as JSON; what a reviewed exception suppresses is not there.

    Its messages name variables and never quote their values.
    """
    said = [
        weak(one["rule_id"], one["service"] or "file", LEVELS[one["severity"]], one["message"], one["fix"] or "")
        for one in found["findings"]
        if not one["suppressed"]
    ]
    gaps = [
        unknown("compose-lint", str(one), Severity.HIGH, "compose-lint could not read all of it")
        for one in found["errors"]
    ]
    return (*said, *gaps) if said or gaps else (holds("compose-lint", "file", "nothing found"),)


def env_values(env: Mapping[str, str]) -> tuple[Weakness, ...]:
    """Look at the secrets of the `.env`: none empty, short, well known or used twice. Values are never told."""
    secrets = {name: value for name, value in env.items() if SECRET.search(name)}
    found = []
    for name, value in secrets.items():
        if not value and "PREVIOUS" not in name:
            found.append(weak("secret-empty", name, Severity.CRITICAL, "has no value", "Rotate it."))
        elif value and (len(value) < SHORTEST or (len(value) < RANDOM and KNOWN.search(value))):
            says = f"is well known, or has fewer than {SHORTEST} characters"
            found.append(weak("secret-weak", name, Severity.CRITICAL, says, "Rotate it."))
        elif value and (twins := sorted(other for other in secrets if other != name and secrets[other] == value)):
            says = f"has the value of {', '.join(twins)}: who reads one has all"
            found.append(weak("secret-shared", name, Severity.HIGH, says, "Rotate one of them."))
    return tuple(found) or (holds("secrets", ".env", f"{len(secrets)} secrets, each long and its own"),)


def file_mode(check: str, where: str, mode: int, *, allowed: int) -> Weakness:
    """Look at who may read or write a file: no more than *allowed*, as octal permissions."""
    if mode & ~allowed & 0o777:
        says = f"mode {mode & 0o777:04o}; more than {allowed:04o} is too open"
        return weak(check, where, Severity.HIGH, says, f"chmod {allowed:o} {where}")
    return holds(check, where, f"mode {mode & 0o777:04o}")


def scrape_targets(config: Mapping[str, Any], services: Iterable[str]) -> tuple[Weakness, ...]:
    """Every host that Prometheus asks is a service of the Compose file, or its alerts are blind and nobody knows."""
    names, known = set[str](), {*services, "localhost", "127.0.0.1"}
    for job in config.get("scrape_configs") or ():
        names |= {target for one in job.get("static_configs") or () for target in one.get("targets") or ()}
        names |= {target for one in job.get("dns_sd_configs") or () for target in one.get("names") or ()}
    hosts = {re.sub(r":\d+$", "", name).removeprefix("tasks.") for name in names}
    lost = sorted(hosts - known)
    if lost:
        says = f"asks {', '.join(lost)}, which the Compose file does not have"
        return (weak("scrape-targets", "prometheus.yml", Severity.HIGH, says, "Add the service, or take the job out."),)
    return (holds("scrape-targets", "prometheus.yml", f"{len(hosts)} hosts, all services"),)


def running(found: Mapping[str, Any], *, gateway: str) -> tuple[Weakness, ...]:
    """Look at one running container, as the engine shows it.

    Args:
        found: Its inspection.
        gateway: The one service that may be asked by everybody.

    Source: docs.docker.com/reference/api/engine/version/v1.41 (ContainerInspect); CIS Docker Benchmark 5.
    """
    host, config = found["HostConfig"], found["Config"]
    service = config["Labels"].get("com.docker.compose.service", found["Name"])
    checks = (
        ("privileged", Severity.CRITICAL, host.get("Privileged"), "may do what root of the host may",
         "privileged: false"),
        ("capabilities", Severity.HIGH, _capabilities(host), "has capabilities that it does not need",
         "cap_drop: [ALL]"),
        ("new-privileges", Severity.HIGH, not _bars_new(host), "may gain rights by setuid programs",
         'security_opt: ["no-new-privileges:true"]'),
        ("root-user", Severity.HIGH, config.get("User", "").split(":")[0] in {"", "0", "root"}, "runs as root",
         "user:"),
        ("writable-root", Severity.MODERATE, not host.get("ReadonlyRootfs"), "can change its own programs",
         "read_only: true"),
        ("host-namespace", Severity.CRITICAL, _host_namespace(host), "shares a namespace with the host",
         "Take network_mode, pid or ipc: host out."),
        ("engine-socket", Severity.CRITICAL, _mounts(found, SOCKETS), "has the engine's socket: root of the host",
         "Take the mount out."),
        ("host-folder", Severity.CRITICAL, _writable_host(found), "can write where the host's own files are",
         "Mount it read-only, or not at all."),
        ("memory-limit", Severity.MODERATE, not host.get("Memory"), "may take all memory", "mem_limit:"),
        ("pids-limit", Severity.MODERATE, (host.get("PidsLimit") or 0) <= 0, "may start processes without end",
         "pids_limit:"),
        ("log-rotation", Severity.MODERATE, _endless_log(host), "its log grows until the disk is full",
         "logging: {driver: json-file, options: {max-size: 10m}}"),
    )  # fmt: skip
    wrong = [weak(check, service, severity, says, fix) for check, severity, bad, says, fix in checks if bad]
    wrong += _published(found, service, gateway)
    return tuple(wrong) or (holds("container", service, f"{len(checks) + 1} checks"),)


def _capabilities(host: Mapping[str, Any]) -> bool:
    return "ALL" not in {one.upper() for one in host.get("CapDrop") or ()} or bool(host.get("CapAdd"))


def _bars_new(host: Mapping[str, Any]) -> bool:
    return any(
        one.replace("=", ":") in {"no-new-privileges", "no-new-privileges:true"}
        for one in host.get("SecurityOpt") or ()
    )


def _host_namespace(host: Mapping[str, Any]) -> bool:
    return "host" in {host.get("NetworkMode"), host.get("PidMode"), host.get("IpcMode")}


def _mounts(found: Mapping[str, Any], ends: tuple[str, ...]) -> bool:
    return any(str(one.get("Source", "")).endswith(ends) for one in found.get("Mounts") or ())


def _writable_host(found: Mapping[str, Any]) -> bool:
    binds = [one for one in found.get("Mounts") or () if one.get("Type") == "bind" and one.get("RW")]
    return any(
        source == own or (own != "/" and source.startswith(f"{own}/"))
        for source in (str(one["Source"]).rstrip("/") or "/" for one in binds)
        for own in HOSTS_OWN
    )


def _endless_log(host: Mapping[str, Any]) -> bool:
    log = host.get("LogConfig") or {}
    return log.get("Type") == "json-file" and "max-size" not in (log.get("Config") or {})


def _published(found: Mapping[str, Any], service: str, gateway: str) -> list[Weakness]:
    ports = (found.get("NetworkSettings") or {}).get("Ports") or {}
    open_to_all = sorted(
        {one["HostPort"] for bound in ports.values() for one in bound or () if not one["HostIp"].startswith(LOOPBACK)}
    )
    if not open_to_all or service == gateway:
        return []
    says = f"publishes {', '.join(open_to_all)} to everybody: the engine's rules go before the host's firewall"
    return [weak("published-port", service, Severity.CRITICAL, says, "Publish on 127.0.0.1, or not at all.")]


def drift(
    containers: Sequence[Mapping[str, Any]], hashes: Mapping[str, str], images: Mapping[str, str]
) -> tuple[Weakness, ...]:
    """Hold what runs against what the files say.

    Args:
        containers: Inspections of the project's containers.
        hashes: Service -> hash of its settings in the file.
        images: Service -> id of the image that the file names, where the engine has it.
    """
    found = []
    for one in containers:
        labels = one["Config"]["Labels"]
        service = labels["com.docker.compose.service"]
        if service not in hashes:
            found.append(
                weak("drift", service, Severity.HIGH, "runs, and the Compose file has no such service", "deploy")
            )
        elif labels.get("com.docker.compose.config-hash") != hashes[service]:
            says = "runs with other settings than the Compose file and the .env have"
            found.append(weak("drift", service, Severity.HIGH, says, "deploy version=current"))
        elif images.get(service, one["Image"]) != one["Image"]:
            found.append(weak("drift", service, Severity.HIGH, "runs another image than the .env names", "deploy"))
    return tuple(dict.fromkeys(found)) or (holds("drift", "stack", f"{len(containers)} containers as in the files"),)


def control_plane(api: str, status: int, server: tuple[str, frozenset[str]] | None) -> tuple[Weakness, ...]:
    """Look at the Prefect server: who may use it, how it is reached, and whether its secrets lie beside their key.

    Args:
        api: Its address, as the worker has it.
        status: What it answers to somebody without a login; 0 where it does not.
        server: The address that its process listens on and the names of its variables; None where nobody may see them.
    """
    says = f"answers {status} to somebody without a login"
    fix = "Set PREFECT_SERVER_API_AUTH_STRING at the server and PREFECT_API_AUTH_STRING at workers and CI."
    if status in {401, 403}:
        found = [holds("prefect-auth", "Prefect", says)]
    elif status:
        found = [weak("prefect-auth", "Prefect", Severity.CRITICAL, says, fix)]
    else:
        found = [unknown("prefect-auth", "Prefect", Severity.CRITICAL, f"{api} does not answer", fix)]
    host = re.sub(r"^https?://", "", api).split("/")[0]
    if api.startswith("http://") and not host.startswith(LOOPBACK):
        says = "is reached without TLS: its login and all parameters can be read on the way"
        found.append(weak("prefect-tls", "Prefect", Severity.HIGH, says, "Put it behind the gateway."))
    return (*found, *_server_process(server))


def _server_process(server: tuple[str, frozenset[str]] | None) -> tuple[Weakness, ...]:
    key, fix = "PREFECT_SERVER_ENCRYPTION_KEY", "Set it at the server before the first block is saved, and keep a copy."
    if server is None:
        why = "the server's process is not to be seen from here"
        return (unknown("prefect-key", "Prefect", Severity.HIGH, why, f"{fix} Then waive this."),)
    address, variables = server
    found = [holds("prefect-key", "Prefect", f"{key} is set")]
    if key not in variables:
        says = f"{key} is not set: the key of all blocks lies in the same database as the blocks"
        found = [weak("prefect-key", "Prefect", Severity.HIGH, says, fix)]
    if not address.startswith(LOOPBACK):
        says = f"listens on {address}: everybody in its networks reaches it"
        found.append(weak("prefect-address", "Prefect", Severity.HIGH, says, "Start it with --host 127.0.0.1."))
    return tuple(found)
