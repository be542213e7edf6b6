"""Steps of a rollback alone: which release, and whether the database's schema lets it work."""

from pawpaw_ops.clients import releases
from pawpaw_ops.clients.store import Catalog, locations
from pawpaw_ops.errors import OpsError, PreconditionError
from pawpaw_ops.models.backup import Manifest
from pawpaw_ops.models.release import Release
from pawpaw_ops.plans.deploy import choose_rollback, contracts_between
from pawpaw_ops.session import Session
from pawpaw_ops.tasks.deploy_look import Aim, Wanted
from pawpaw_ops.tasks.deploy_start import Schema
from pawpaw_ops.tasks.operation import operation
from pawpaw_ops.tasks.publish import newest_verified


@operation("choose release")
def choose_release(do: Session, to: str, *, accept_schema: bool) -> Aim:
    """Choose the release to go back to.

    Raises:
        PreconditionError: There is none, or a migration since then is one that it cannot work with.

    Touches:
        Nothing.
    """
    ledger = releases.releases(do.stack.state_dir)
    target = choose_rollback(ledger, to)
    contracts = contracts_between(ledger, target)
    do.facts |= {"accept_schema": accept_schema, "contracts": contracts}
    if contracts and not accept_schema:
        first = next(one for one in ledger if one.id == contracts[0])
        raise PreconditionError(
            f"{target.id} cannot work with the schema: {', '.join(contracts)} removed what it needs.",
            hint=f"{_restore_from(do, first)} Or pass accept_schema=true.",
        )
    return Aim(
        version=target.version,
        images=target.images,
        git_sha=target.git_sha,
        back_from=ledger[-1].version,
        back_to=target,
    )


def _restore_from(do: Session, contract: Release) -> str:
    """Say which backup is from before a release; none is taken while one is deployed."""
    try:
        catalogs = tuple(
            Catalog[Manifest](one, do.stack.name, do.stack.database.name) for one in locations(do.stack.store)
        )
        newest = newest_verified(catalogs, before=contract.at)
    except OpsError as away:
        return f"Restore a backup from before {contract.id} with restore-db; which one is unknown: {away.message}"
    if newest is None:
        return f"No verified backup is from before {contract.id}."
    return (
        f"Restore {newest.backup_id} with restore-db: it is the newest verified backup from before {contract.id},"
        f" taken {newest.contents.taken_at:%Y-%m-%d %H:%M} UTC."
    )


def schema_as_it_is(wanted: Wanted) -> Schema | None:
    """Return the schema that the current release left; a rollback migrates nothing."""
    current = wanted.current
    if current is None or current.schema_version is None:
        return None
    return Schema(version=current.schema_version, contract=False, pending=())
