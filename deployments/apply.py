"""Make what the deployments presume, then deploy: pool, blocks, limits, automation. Twice leaves the same state."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from prefect.blocks.core import Block
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.exceptions import ObjectNotFound
from prefect.settings import get_current_settings
from prefect.workers.process import ProcessWorker
from pydantic import SecretStr, ValidationError

from blocks import BackupIdentity, Stack
from blocks.base import wrong_fields
from deployments.config import Wanted, WantedBlock, read
from deployments.server import server
from pawpaw_ops.commands.command import Command
from pawpaw_ops.errors import ConfigError
from pawpaw_ops.models.lifecycle import TAG
from pawpaw_ops.runner import LocalRunner
from pawpaw_ops.tasks.stack_session import limit_name

POOL = "pawpaw"
HEARTBEAT_S = 30
DEAD_AFTER_S = 180
AUTOMATION = "pawpaw: a run whose heart stopped is crashed"
PREFECT = (sys.executable, "-P", "-m", "prefect")
"""Prefect's command line in this Python; `-P` keeps the current folder from shadowing modules."""
Say = Callable[[str], None]


def prefect_file() -> Path:
    """Return where `prefect.yaml` is: in the project's folder, or in the installed package."""
    here = Path(__file__).parent
    return next(path for path in (here.parent / "prefect.yaml", here / "prefect.yaml") if path.is_file())


def apply(file: Path, *, env: Mapping[str, str] | None = None, only: Sequence[str] = (), say: Say = print) -> None:
    """Make what *file* describes and deploy the verbs of its stacks.

    Args:
        file: See `deployments/blocks.example.toml`.
        env: Where `{env = "NAME"}` is looked up; this process' environment where none is given.
        only: Names of stacks; empty means all in the file.
        say: Told each thing as it is done.

    Raises:
        ConfigError: The file, or a stack that `prefect.yaml` has no deployments for.
        Unreachable: The Prefect server did not answer.
        CommandError: `prefect deploy` failed; its output is quoted.

    Touches:
        The Prefect server: block types and documents, work pool, limits, one automation, deployments. Removes nothing.
    """
    wanted = read(file, os.environ if env is None else env)
    stacks = tuple(only) or wanted.stacks
    _check_stacks(stacks, wanted)
    with server() as client:
        make_pool(client, python=wanted.python or sys.executable)
        say(f"work pool {POOL}")
        make_blocks(wanted, say=say)
        for stack in stacks:
            client.upsert_global_concurrency_limit_by_name(limit_name(stack), 1)
            say(f"limit {limit_name(stack)}: one at a time")
        make_automation(client)
        say(f"automation “{AUTOMATION}”")
    deploy(stacks)
    for stack in stacks:
        say(f"deployments of {stack}: {', '.join(deployed_verbs()[stack])}")


def make_pool(client: SyncPrefectClient, *, python: str) -> None:
    """Make the process work pool, or bring its job template up to date; whether it is paused is left alone.

    Runs start with the engine itself instead of a supervisor that starts it, which saves one start of Python; they
    send a heartbeat often enough for the automation.
    """
    template = ProcessWorker.get_default_base_job_template()
    variables: dict[str, Any] = template["variables"]["properties"]
    variables["command"]["default"] = f"{python} -m prefect.engine"
    variables["env"]["default"] = {"PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_S)}
    try:
        found = client.read_work_pool(POOL)
    except ObjectNotFound:
        about = "Runs the verbs of pawpaw-ops on the stack's own host."
        client.create_work_pool(
            WorkPoolCreate(name=POOL, type="process", description=about, base_job_template=template)
        )
        return
    if found.type != "process":
        raise ConfigError(
            f"the work pool {POOL!r} is of type {found.type}, not process.", hint="Delete it, then apply again."
        )
    client.update_work_pool(POOL, WorkPoolUpdate(base_job_template=template))


def make_blocks(wanted: Wanted, *, say: Say = print) -> None:
    """Register the block types, then create or update the blocks, each after those that it holds.

    Raises:
        ConfigError: A value does not fit its field, or a held block does not exist.
    """
    made = {block.kind for block in wanted.blocks}
    for kind in (Stack, BackupIdentity):
        if kind not in made:  # saving a block registers its type and all that it may hold
            kind.register_type_and_schema(_sync=True)  # type: ignore[call-arg]
    for block in wanted.blocks:
        _make_block(block)
        say(f"block {block.title}")


def _make_block(wanted: WantedBlock) -> None:
    held = {field: _held(wanted, kind, name) for field, (kind, name) in wanted.holds.items()}
    try:
        block = wanted.kind.model_validate({**wanted.values, **held})
    except ValidationError as seen:
        raise ConfigError(f"the block {wanted.title} does not fit: {wrong_fields(seen)}.") from None
    block.save(wanted.name, overwrite=True, _sync=True)  # type: ignore[call-arg]


def _held(wanted: WantedBlock, kind: type[Block], name: str) -> Block:
    try:
        return kind.load(name, _sync=True)  # type: ignore[call-arg, return-value]
    except ValueError as seen:
        slug = kind.get_block_type_slug()
        raise ConfigError(f"the block {wanted.title} holds {slug}/{name}, and there is none.") from seen


def make_automation(client: SyncPrefectClient) -> None:
    """Mark a run as crashed when its heartbeats stop, so that the UI does not show it running for ever.

    It is told from another by its name. Whether somebody disabled it is left alone.
    """
    wanted = AutomationCore(
        name=AUTOMATION,
        description=f"No heartbeat for {DEAD_AFTER_S} s: its process is gone. The next run undoes what it began.",
        trigger=EventTrigger(
            match={"prefect.resource.id": "prefect.flow-run.*"},
            match_related={"prefect.resource.role": "tag", "prefect.resource.id": f"prefect.tag.{TAG}"},
            for_each={"prefect.resource.id"},
            after={"prefect.flow-run.heartbeat"},
            expect={"prefect.flow-run.*"},
            posture=Posture.Proactive,
            threshold=1,
            within=timedelta(seconds=DEAD_AFTER_S),
        ),
        actions=[
            ChangeFlowRunState(
                state=StateType.CRASHED,
                message=f"No heartbeat for {DEAD_AFTER_S} s: its process is gone. Run the verb again to converge.",
            )
        ],
    )
    found = client.read_automations_by_name(AUTOMATION)
    if not found:
        client.create_automation(wanted)
        return
    first, *others = found
    for other in others:
        client.delete_automation(other.id)
    same = first.model_dump(include={"trigger", "actions", "description"}, mode="json")
    if same != wanted.model_dump(include={"trigger", "actions", "description"}, mode="json"):
        client.update_automation(first.id, wanted.model_copy(update={"enabled": first.enabled}))


def deploy(stacks: Sequence[str]) -> None:
    """Let `prefect deploy` deploy the verbs of these stacks.

    Raises:
        CommandError: It failed; its output is quoted.

    Touches:
        The deployments and their schedules.
    """
    settings = get_current_settings().to_environment_variables(exclude_unset=True)
    names = tuple(word for stack in stacks for word in ("--name", stack))
    LocalRunner().run(
        Command(
            argv=(*PREFECT, "--no-prompt", "deploy", "--prefect-file", str(prefect_file()), *names),
            env={name: SecretStr(value) for name, value in settings.items()},
            timeout_s=300,
        )
    )


def deployed_verbs() -> dict[str, list[str]]:
    """Return environment -> names of the flows that `prefect.yaml` deploys there."""
    found: dict[str, list[str]] = {}
    for entry in yaml.safe_load(prefect_file().read_text(encoding="utf-8"))["deployments"]:
        found.setdefault(entry["name"], []).append(entry["entrypoint"].rpartition(".")[2].replace("_", "-"))
    return found


def _check_stacks(stacks: Sequence[str], wanted: Wanted) -> None:
    known = deployed_verbs()
    for stack in stacks:
        if stack not in known:
            raise ConfigError(
                f"the stack {stack!r} has no deployments; prefect.yaml has those of {', '.join(known)}.",
                hint="Add them to prefect.yaml, or rename the stack.",
            )
    missing = set(stacks) - set(wanted.stacks)
    if missing:
        raise ConfigError(f"the file has no stack {', '.join(sorted(missing))}.")
