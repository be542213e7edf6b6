"""`pawpaw`: set up, demo, approve, trigger-and-wait for CI. What changes a stack is a flow, never one of these."""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Group, Parameter
from rich.console import Console
from rich.markup import escape

from pawpaw_ops.errors import ConfigError, OpsError, PreconditionError

OUR_MISTAKE = 2
INTERRUPTED = 130
console = Console(highlight=False)
set_up = Group("Set up", sort_key=1)
try_out = Group("Try it out", sort_key=2)
run_it = Group("Run it", sort_key=3)
app = App(
    name="pawpaw",
    help="The life of a Docker Compose production stack as Prefect flows: back up, prove, restore, undo.",
    help_epilogue="The verbs themselves are deployments: `prefect deployment run backup-db/prod`, or `pawpaw trigger`.",
    version_flags=[],
)
app.command("deployments.stack.commands:up", group=set_up, help="Bring the shop's whole stack up on Docker.")
app.command("deployments.watch:watch", group=run_it, help="Ask for reconcile-gateway when it is needed, until SIGTERM.")
app.command("deployments.stack.commands:down", group=set_up, help="Stop the shop's stack and keep its data.")


def main() -> None:
    """Run `pawpaw`; an error of ours is its text, its hint and exit code 2."""
    try:
        code = app(sys.argv[1:], exit_on_error=True, result_action="return_value")
    except OpsError as seen:
        complaint = Console(stderr=True, highlight=False)
        complaint.print(f"[bold red]{seen.code}[/]: {escape(seen.message)}", soft_wrap=True)
        if seen.hint:
            complaint.print(f"[bold]→[/] {escape(seen.hint)}", soft_wrap=True)
        sys.exit(OUR_MISTAKE)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(INTERRUPTED)
    sys.exit(code if isinstance(code, int) else 0)


@app.command(group=try_out)
def demo(*, keep: bool = False) -> None:
    """Back up, wreck, restore and undo a real PostgreSQL through Prefect, in about a minute, in a folder of its own.

    Args:
        keep: Leave server, worker and database up to click around in; `pawpaw demo-stop` ends them.
    """
    from deployments.demo.main import run_demo

    run_demo(console, keep=keep)


@app.command(group=try_out)
def demo_stop() -> None:
    """End a demo that was kept, and remove what it left."""
    from deployments.demo.home import stop

    console.print("The demo is ended." if stop() else "There is no demo to end.")


@app.command(group=set_up)
def new_key(*, to: Path | None = None, show_secret: bool = False) -> None:
    """Make a pair of age keys: the public one seals backups, the secret one opens them.

    The public key is printed; the secret one goes to a new file that only you can read. Keep a copy of that file
    away from the stack's host: without it no backup can be opened.

    Args:
        to: File for the secret key; it must not exist.
        show_secret: Print the secret key instead.
    """
    from pyrage import x25519

    if (to is None) == (not show_secret):
        raise ConfigError("a new key needs one place to go.", hint="Pass --to FILE, or --show-secret.")
    pair = x25519.Identity.generate()
    public = str(pair.to_public())
    lines = f"# created: {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}\n# public key: {public}\n{pair}\n"
    if to is None:
        sys.stdout.write(lines)
        return
    try:
        number = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as seen:
        raise ConfigError(f"could not make {to}: {seen.strerror}.", hint="Name a file that does not exist.") from seen
    with os.fdopen(number, "w", encoding="utf-8") as stream:
        stream.write(lines)
    sys.stdout.write(f"{public}\n")


@app.command(group=set_up)
def apply(file: Path, *, only: Annotated[tuple[str, ...], Parameter(negative=())] = ()) -> None:
    """Make the blocks in FILE and what the deployments presume, then deploy the verbs. Apply it as often as you like.

    Args:
        file: Blocks as TOML; deployments/blocks.example.toml shows how. Secrets come from the environment.
        only: Deploy these stacks instead of all in the file.
    """
    from deployments.apply import apply as apply_file

    apply_file(file, only=only, say=lambda text: console.print(f"[green]✓[/] {escape(text)}"))


@app.command(group=run_it)
def trigger(
    deployment: str,
    *,
    parameter: Annotated[tuple[str, ...], Parameter(name=("--param", "--parameter", "-p"), negative=())] = (),
    idempotency_key: str = "",
    timeout_s: Annotated[float, Parameter(name=("--timeout", "--timeout-s"))] = 14400.0,
    cancel_on_timeout: Annotated[bool, Parameter(negative=())] = False,
    no_worker_s: float = 60.0,
) -> int:
    """Start a verb and wait for its end, through times when the server is away; shows what the run writes.

    SIGINT or SIGTERM asks the run to stop at its next safe point and waits for that; a second one leaves it alone.

    Exit code: 0 completed, 1 failed or crashed, 2 could not be started, 3 cancelled, 4 not ended in time, 5 no worker
    took it (it is cancelled), 6 failed and undone (the stack is as before), 7 half done (a person has to act).

    Args:
        deployment: Verb and environment: deploy/prod.
        parameter: One parameter as NAME=VALUE; the value is JSON where it can be, else text.
        idempotency_key: The same key starts the same run only once, such as the id of a CI job.
        timeout_s: Longest wait in seconds; the run goes on when it is over.
        cancel_on_timeout: Ask the run to stop then, and wait up to two minutes for that.
        no_worker_s: Seconds after which a run that no worker took is cancelled.
    """
    from deployments.trigger import trigger as start_and_wait

    parameters = dict(_parameter(text) for text in parameter)
    return start_and_wait(
        deployment,
        parameters,
        idempotency_key=idempotency_key,
        timeout_s=timeout_s,
        no_worker_s=no_worker_s,
        cancel_on_timeout=cancel_on_timeout,
        say=lambda text: console.print(escape(text), soft_wrap=True),
    )


@app.command(group=run_it)
def approve(
    run: str = "",
    *,
    yes: Annotated[bool | None, Parameter(name="--yes", negative="--no")] = None,
    type_the_name: str = "",
) -> None:
    """Answer a run that waits for approval. It shows what the run asks, then asks you to type the database's name.

    Args:
        run: Id or name of the run; empty means the only one that waits.
        yes: The answer, instead of being asked. A yes needs --type-the-name.
        type_the_name: Name of the database, as the question shows it.
    """
    from rich.markdown import Markdown

    from deployments import runs
    from deployments.server import server

    with server() as client:
        found = runs.waiting(client, run)
        asked = runs.question(client, found)
        if not asked:
            raise PreconditionError(f"{found.name} has not said what it asks.", hint="Ask again in a moment.")
        console.print(f"[bold]{escape(found.name)}[/] asks:")
        console.print(Markdown(asked))
        if yes is None:
            type_the_name = console.input("To approve, type the name of the database; nothing means no: ").strip()
            yes = bool(type_the_name)
        if yes and not type_the_name:
            raise ConfigError("a yes needs the name of the database.", hint="Pass --type-the-name NAME.")
        runs.answer(client, found, approve=yes, type_the_name=type_the_name)
    console.print("Approved; the run goes on." if yes else "Refused; the run ends without a change.")


@app.command(group=run_it)
def status() -> None:
    """Show how every verb stands: its last run, its next one, and whether a worker is there."""
    from rich.table import Table

    from deployments import runs
    from deployments.server import server

    with server() as client:
        online = runs.workers(client)
        found = runs.standings(client)
    table = Table("verb", "last run", "state", "began", "next")
    for one in found:
        last = one.last
        state = last.state.name if last and last.state else None
        table.add_row(
            one.name,
            last.name if last else "–",
            state or "–",
            _local(last.start_time if last else None),
            _local(one.next_at),
        )
    console.print(table)
    console.print(
        f"Workers online: {', '.join(online)}." if online else "[red]No worker is online:[/] nothing will run."
    )


@app.command(group=run_it)
def drain(*, timeout_s: Annotated[float, Parameter(name=("--timeout", "--timeout-s"))] = 3600.0) -> None:
    """Pause the work pool and wait until nothing of it runs: only then may the worker be stopped.

    `prefect work-pool resume pawpaw` lets it go on; the worker's systemd unit does both.

    Args:
        timeout_s: Longest wait in seconds; the pool stays paused when it is over.
    """
    from deployments.drain import drain as pause_and_wait
    from deployments.server import server

    with server() as client:
        pause_and_wait(client, timeout_s=timeout_s, say=lambda text: console.print(escape(text), soft_wrap=True))


@app.command(group=try_out)
def open_backup(artefact: Path, *, key: Path, to: Path) -> int:
    """Open a sealed backup into a folder and check every file in it; needs no Prefect, no database and no blocks.

    Exit code: 0 whole and decoded, 1 opened but not decoded for want of pg_restore or redis-check-rdb.

    Args:
        artefact: The file data.tar.zst.age.
        key: File with the age secret key.
        to: Folder that does not exist yet.
    """
    from pawpaw_ops import recovery

    opened, decoded = recovery.open_backup(artefact, key_file=key, to=to)
    for line in recovery.told(opened.contents, decoded=decoded, to=to):
        console.print(escape(line), soft_wrap=True)
    return 0 if decoded else 1


@app.command(group=try_out)
def verify_evidence(file: Path, *, key: str = "") -> int:
    """Check the signed evidence of a drill; any edit is found. Needs no Prefect and no secret.

    Exit code: 0 genuine and the drill was green, 1 genuine and it was not, 2 not genuine.

    Args:
        file: The evidence.
        key: The public key that must have signed it, as drill-restore reports it; empty only looks for edits.
    """
    from pawpaw_ops import evidence
    from pawpaw_ops.models.base import Verdict

    try:
        raw = file.read_bytes()
    except OSError as seen:
        raise ConfigError(f"could not read {file}: {seen.strerror}.") from seen
    record = evidence.verify(raw, key=key)
    console.print(
        f"Genuine: backup {escape(record.backup_id)} of {escape(record.stack)}/{escape(record.database)} was drilled at"
        f" {record.at:%Y-%m-%dT%H:%M:%SZ}: {record.verdict} up to rung {record.level}."
    )
    for found in record.findings:
        console.print(f"L{found.rung} {found.code}: {escape(found.text)}", soft_wrap=True)
    if not key:
        console.print("Not verified: who signed it. Pass --key with the public key that drill-restore reports.")
    return 0 if record.verdict is Verdict.VERIFIED else 1


def _local(at: datetime | None) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M}" if at else "–"


def _parameter(text: str) -> tuple[str, Any]:
    name, found, value = text.partition("=")
    if not found or not name:
        raise ConfigError(f"{text!r} is not NAME=VALUE.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


if __name__ == "__main__":
    main()
