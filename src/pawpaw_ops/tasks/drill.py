"""A drill: which backups climb the ladder of proof, what becomes of the result, and the drill of the drill itself."""

import random
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pydantic import SecretStr

from pawpaw_ops import corpus, disposable, evidence
from pawpaw_ops.clients.store import Catalog, locations
from pawpaw_ops.disposable import DisposableServer
from pawpaw_ops.errors import BackupMissing, OpsError, VerificationError
from pawpaw_ops.models.backup import CatalogEntry
from pawpaw_ops.models.base import Verdict, utc_now
from pawpaw_ops.models.database import ClientTools
from pawpaw_ops.plans import ladder
from pawpaw_ops.plans import restore as restore_plan
from pawpaw_ops.plans.ladder import DrillRecord
from pawpaw_ops.session import Session, open_session
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.metrics import tell_prometheus
from pawpaw_ops.tasks.operation import operation
from pawpaw_ops.tasks.publish import add_proof
from pawpaw_ops.tasks.rungs import SERVER_SETTINGS, Drilled, climb

TTL_DAYS = 8.0
"""How long a verified drill counts: a week, and a day for being late."""


@operation("choose what to drill")
def choose_drilled(do: Session, wanted: str) -> tuple[Drilled, ...]:
    """Choose the newest backup and a random older one, each from a random location that answers; or the one wanted.

    Raises:
        BackupMissing: There is none.
        Unreachable: No location answers.

    Touches:
        Nothing.
    """
    found: dict[str, Catalog] = {}
    entries: list[CatalogEntry] = []
    silent: list[OpsError] = []
    for location in locations(do.stack.store):
        target = Catalog(location, do.stack.name, do.stack.database.name)
        try:
            entries += target.entries()
            found[location.name] = target
        except OpsError as seen:
            report.logger().error("%s does not answer: %s", location.name, seen.message)
            silent.append(seen)
    if not found:
        raise silent[0]
    picked = ladder.choose(entries, wanted, rng=random.Random(do.run_id))  # noqa: S311 - a sample, not a secret
    if not picked:
        raise BackupMissing(
            f"asked to drill {wanted!r}; none of {len(entries)} backups is that.", hint=restore_plan.LIST
        )
    return tuple(Drilled(entry, found[entry.location]) for entry in picked)


@operation("drill backup")
def drill_backup(
    do: Session, drilled: Drilled, keys: Sequence[SecretStr], *, budget_min: float | None = None
) -> DrillRecord:
    """Climb the ladder with one backup, in a server that is made for it and removed afterwards.

    Returns:
        What was found; nothing that is wrong with the backup or with our means raises.

    Touches:
        A scratch folder and a server of its own.
    """
    root = disposable.new_root("drill")
    server = DisposableServer(root, tools=do.stack.database.tools, settings=SERVER_SETTINGS)
    try:
        return climb(do, drilled, keys, server, budget_min=budget_min)
    finally:
        server.remove()


@operation("keep results")
def keep_results(
    do: Session, drilled: Sequence[Drilled], records: Sequence[DrillRecord], identity: SecretStr
) -> tuple[Path, ...]:
    """Sign each record and keep it, and add a proof where it says something about the backup.

    A drill that could not look says nothing about the backup, so the proof that is there stays the newest.

    Returns:
        The files with the evidence.

    Touches:
        `evidence/` in the stack's folder, and two small objects beside each backup.
    """
    folder = do.stack.state_dir / "evidence"
    folder.mkdir(parents=True, exist_ok=True)
    return tuple(_keep(do, one, record, identity, folder) for one, record in zip(drilled, records, strict=True))


def _keep(do: Session, one: Drilled, record: DrillRecord, identity: SecretStr, folder: Path) -> Path:
    signed, name = evidence.sign(record, identity), f"{record.at:%Y%m%dT%H%M%SZ}-{record.backup_id}.json"
    (folder / name).write_bytes(signed)
    try:
        one.target.location.put_bytes(one.target.key(record.backup_id, f"evidence-{name}"), signed)
        if record.verdict is not Verdict.NOT_VERIFIED:
            texts = tuple(f"L{finding.rung} {finding.code}: {finding.text}" for finding in record.findings)
            level = max(record.level, 0)
            add_proof(one.target, record.backup_id, record.verdict, level=level, run_id=do.run_id, findings=texts)
    except OpsError as seen:
        report.logger().error("the result is in %s, but not beside the backup: %s", folder / name, seen)
    return folder / name


def history(do: Session, identity: SecretStr) -> list[DrillRecord]:
    """Return the drills whose evidence is on this host and was signed with our key, oldest first."""
    key, found = evidence.public_key(identity), []
    for file in sorted((do.stack.state_dir / "evidence").glob("*.json")):
        try:
            found.append(evidence.verify(file.read_bytes(), key=key))
        except VerificationError as seen:
            report.logger().warning("%s: %s", file, seen.message)
    return found


@operation("report drill")
def report_drill(do: Session, records: Sequence[DrillRecord], identity: SecretStr) -> None:
    """Show every rung, what past drills say, the trend of the time to restore, and the key that checks the evidence.

    Touches:
        Artifacts in Prefect; when all is green, the time of it as Prometheus sees it.
    """
    rows = [
        {
            "backup": record.backup_id,
            "where": record.location,
            "rung": f"L{rung.level} {rung.proves}",
            "result": str(rung.verdict),
            "seconds": rung.duration_s,
            "found": "; ".join(f"{finding.code}: {finding.text}" for finding in rung.findings),
        }
        for record in records
        for rung in record.rungs
    ]
    gist = "\n".join(f"- **{record.backup_id}**: {summary(record)}" for record in records)
    gist += f"\n- standing: {ladder.standing(history(do, identity), now=utc_now(), ttl_days=TTL_DAYS)[1]}"
    gist += f"\n- evidence is signed by `{evidence.public_key(identity)}`: `pawpaw verify-evidence FILE`"
    report.table(f"drill-{do.stack.name}", rows, gist=gist)
    past = history(do, identity)
    times = [
        {"at": f"{old.at:%Y-%m-%d %H:%M}Z", "backup": old.backup_id, "restore s": old.restore_s, "rows": old.rows}
        for old in ladder.trend(past, records[0])
    ]
    report.table(f"drill-trend-{do.stack.name}", times, gist=f"Time to restore, {records[0].tier}")
    for record in records:
        report.logger().info("%s: %s", record.backup_id, summary(record))
    if Verdict.worst([record.verdict for record in records]) is Verdict.VERIFIED:
        tell_prometheus(do.stack, "drill", {"pawpaw_drill_last_success_timestamp_seconds": utc_now().timestamp()})


def summary(record: DrillRecord) -> str:
    """Say the result of a drill in one sentence."""
    found = "; ".join(f"L{finding.rung} {finding.code}: {finding.text}" for finding in record.findings)
    return f"{record.verdict} up to rung {record.level} in {record.restore_s:.1f} s{': ' if found else ''}{found}"


def conclude(records: Sequence[DrillRecord]) -> str:
    """Return the result of the run, or fail it where anything is not green.

    Raises:
        VerificationError: A backup failed, or could not be looked at.
    """
    text = "; ".join(f"{record.backup_id} {summary(record)}" for record in records)
    if Verdict.worst([record.verdict for record in records]) is not Verdict.VERIFIED:
        raise VerificationError(
            f"the drill is not green: {text}.", hint="list-backups shows what else can be restored."
        )
    return text


@operation("drill the drill")
def self_test(tools: ClientTools, *, wanted: bool = True) -> tuple[str, ...]:
    """Break backups in every way we know and drill them: each must trip its own rung, and a healthy one none.

    Returns:
        One sentence per kind; nothing where it is not *wanted*.

    Raises:
        VerificationError: A broken backup was not found out, or a healthy one was blamed.

    Touches:
        Two servers and a store of its own, removed afterwards; never a stack's.
    """
    if not wanted:
        return ()
    root = Path(tempfile.mkdtemp(prefix=f"{disposable.PREFIX}corpus-"))
    server = DisposableServer(disposable.new_root("drill"), tools=tools, settings=SERVER_SETTINGS)
    try:
        made = corpus.build(root, tools=tools)
        run_id = f"selftest-{root.name[-8:]}"
        with open_session(made.stack, verb="drill-restore", purpose="self-test", run_id=run_id) as do:
            seen = {case: _codes(do, made, case, server) for case in made.cases}
    finally:
        server.remove()
        shutil.rmtree(root, ignore_errors=True)
    told = {case.kind: ", ".join(sorted(codes)) or "nothing" for case, codes in seen.items()}
    wrong = [
        f"{case.kind}: found {told[case.kind]}, expected {', '.join(sorted(case.expected)) or 'nothing'}"
        for case, codes in seen.items()
        if codes != case.expected
    ]
    if wrong:
        raise VerificationError(f"the drill cannot be trusted: {'; '.join(wrong)}.")
    return tuple(f"{kind}: {codes} found, as it must be" for kind, codes in told.items())


def _codes(do: Session, made: corpus.Corpus, case: corpus.Case, server: DisposableServer) -> frozenset[str]:
    target = Catalog(locations(made.stack.store)[0], made.stack.name, made.stack.database.name)
    [entry] = [entry for entry in target.entries() if entry.backup_id == case.backup_id]
    return frozenset(found.code for found in climb(do, Drilled(entry, target), made.keys, server).findings)
