"""Which release a rollback goes back to, and what it says where it cannot."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pawpaw_ops.clients import releases
from pawpaw_ops.clients.store import DATA, Catalog, locations
from pawpaw_ops.errors import PreconditionError
from pawpaw_ops.models.backup import Manifest, Proof
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.models.release import Release
from pawpaw_ops.models.stack import StackSettings
from pawpaw_ops.session.session import open_session
from pawpaw_ops.tasks.deploy_back import choose_release
from pawpaw_ops.tasks.deploy_look import Aim
from tests.unit.support_backups import manifest
from tests.unit.support_stacks import stack_of

AT = datetime(2026, 8, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def stack(tmp_path: Path) -> StackSettings:
    """Release a-1 serves no more, b-2 removed at noon what it needs, c-3 serves."""
    made = stack_of(tmp_path)
    made.state_dir.mkdir()
    for number, version in enumerate("abc", start=1):
        releases.record(made.state_dir, release(number, version))
    return made


def release(number: int, version: str) -> Release:
    return Release(
        number=number, id=f"{version}-{number}", version=version, images={}, compose_sha256="", env_prints={},
        generation=number, schema_version=number, contract=version == "b", run_id="r", actor="Ana", why="w",
        at=AT + (number - 2) * HOUR,
    )  # fmt: skip


def back_up(stack: StackSettings, at: datetime, verdict: Verdict = Verdict.VERIFIED) -> str:
    catalog = Catalog[Manifest](locations(stack.store)[0], stack.name, stack.database.name)
    made = manifest(at).model_copy(update={"object_key": catalog.key(manifest(at).backup_id, DATA)})
    catalog.location.put_bytes(catalog.key(made.backup_id, DATA), b"." * made.size_bytes)
    catalog.publish(made)
    catalog.add_proof(Proof(backup_id=made.backup_id, at=at, verdict=verdict, level=1, run_id="r"))
    return made.backup_id


def choose(stack: StackSettings, to: str = "a", *, accept_schema: bool = False) -> Aim:
    with open_session(stack, verb="rollback", purpose="p", run_id="r1") as do:
        return choose_release.fn(do, to, accept_schema=accept_schema)


def test_deploy_F4_the_newest_verified_backup_from_before_the_migration_is_named(stack: StackSettings) -> None:
    back_up(stack, AT - 9 * HOUR)
    named = back_up(stack, AT - 2 * HOUR)
    back_up(stack, AT - HOUR, Verdict.FAILED)
    back_up(stack, AT + HOUR)
    with pytest.raises(PreconditionError, match="b-2 removed what it needs") as told:
        choose(stack)
    assert told.value.hint.startswith(
        f"Restore {named} with restore-db: it is the newest verified backup from before b-2"
    )


def test_deploy_F4_where_no_backup_is_from_before_it_none_is_named(stack: StackSettings) -> None:
    back_up(stack, AT + HOUR)
    with pytest.raises(PreconditionError) as told:
        choose(stack)
    assert told.value.hint.startswith("No verified backup is from before b-2.")


def test_deploy_F4_where_the_store_cannot_be_read_it_is_unknown(stack: StackSettings, tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file")
    with pytest.raises(PreconditionError) as told:
        choose(stack)
    assert told.value.hint.startswith("Restore a backup from before b-2 with restore-db; which one is unknown: ")


def test_deploy_F4_the_record_says_whether_the_schema_was_accepted(stack: StackSettings) -> None:
    with pytest.raises(PreconditionError):
        choose(stack)
    assert choose(stack, accept_schema=True).back_from == "c"
    said = [json.loads(line) for line in (stack.state_dir / "audit.jsonl").read_text().splitlines()]
    assert [(one["accept_schema"], one["contracts"]) for one in said] == [(False, ["b-2"]), (True, ["b-2"])]


def test_the_release_that_is_gone_back_to_is_known(stack: StackSettings) -> None:
    aim = choose(stack, "b")
    assert aim.back_to is not None
    assert (aim.back_to.id, aim.version, aim.back_from) == ("b-2", "b", "c")
