"""Steps of a rollback alone: which release, and whether the database's schema lets it work."""

from pawpaw_ops.clients import releases
from pawpaw_ops.errors import PreconditionError
from pawpaw_ops.plans.deploy import choose_rollback, contracts_between
from pawpaw_ops.session import Session
from pawpaw_ops.tasks.deploy_look import Aim, Wanted
from pawpaw_ops.tasks.deploy_start import Schema
from pawpaw_ops.tasks.operation import operation


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
    if (contracts := contracts_between(ledger, target)) and not accept_schema:
        raise PreconditionError(
            f"{target.id} cannot work with the schema: {', '.join(contracts)} removed what it needs.",
            hint="Restore a backup from before it with restore-db, or pass accept_schema=true.",
        )
    return Aim(
        version=target.version,
        images=target.images,
        git_sha=target.git_sha,
        back_from=ledger[-1].version,
        back_to=target,
    )


def schema_as_it_is(wanted: Wanted) -> Schema | None:
    """Return the schema that the current release left; a rollback migrates nothing."""
    current = wanted.current
    if current is None or current.schema_version is None:
        return None
    return Schema(version=current.schema_version, contract=False, pending=())
