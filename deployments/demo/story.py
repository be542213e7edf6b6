"""The demo's story: back up, write on, wreck, restore, prove, undo, prove; only by `prefect deployment run`."""

import re
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect.client.schemas.objects import FlowRun
from rich.console import Console
from rich.markdown import Markdown
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from deployments import run_log, runs
from deployments.demo import shop
from deployments.demo.world import World
from deployments.server import server
from pawpaw_ops.clients.locations import FolderLocation
from pawpaw_ops.clients.postgres.outage import OutageProbe
from pawpaw_ops.clients.store import Catalog
from pawpaw_ops.commands import prefect
from pawpaw_ops.errors import CommandError, VerificationError
from pawpaw_ops.models.store import FolderSettings
from pawpaw_ops.runner import LocalRunner, Process

STEP_S = 300.0
LINES = 40
CAPTION = "command: from typing it to its end; silence: longest time the database did not answer a client"
CREATED = re.compile(r"UUID: ([0-9a-f-]{36})")


@dataclass(frozen=True)
class Played:
    """One verb as it went: wall-clock seconds from the command to its end, and what a client saw of it."""

    run: FlowRun
    took_s: float
    outage_ms: float = 0.0


class Story:
    """Plays the scenes in a world.

    Args:
        world: Where.
        console: Where it is shown.
    """

    def __init__(self, world: World, console: Console) -> None:
        self.world, self.console = world, console
        self.postgres = world.postgres
        self.began = time.monotonic()

    def play(self) -> None:
        """Play all of it and show what it came to.

        Raises:
            CommandError: A verb failed; the end of its log was shown.
            VerificationError: A database is not what it has to be.
        """
        before = shop.contents(self.postgres)
        size = shop.size_bytes(self.postgres)
        backup = self.run("backup-db/demo", {})
        more = shop.write_more(self.postgres)
        self.say(f"{more:,} more orders come in after the backup")
        shop.wreck(self.postgres)
        wrecked = shop.contents(self.postgres)
        self.say("[red]disaster[/]: an UPDATE without WHERE spoils every customer, and order_items is dropped")
        restore = self.run("restore-db/demo", {})
        proven = self.prove(before, "as they were when the backup was taken")
        undo = self.run("undo-restore/demo", {"approve": True})
        undone = self.prove(wrecked, "as the disaster left them, the later orders included")
        self.show({"backup-db": (backup, 0), "restore-db": (restore, proven), "undo-restore": (undo, undone)}, size)

    def say(self, text: str) -> None:
        """Say what happened."""
        self.console.print(f"[green]✓[/] {text}")

    def run(self, deployment: str, parameters: Mapping[str, Any]) -> Played:
        """Run one verb with Prefect's own command, approve it if it asks, and wait for its end."""
        began = time.monotonic()
        line = prefect.run_deployment(sys.executable, deployment, parameters, settings=self.world.settings | WIDE)
        self.console.print(f"[bold]$ {escape(_typed(line.argv))}[/]")
        log = self.world.home.log(deployment.replace("/", "-"))
        process = LocalRunner().spawn(line, log=log)
        self.world.home.note(deployment, process)
        try:
            with OutageProbe(self.postgres.database) as probe:
                found = self._follow(process, log)
        finally:
            process.end()
            self.world.home.forget(process)
        took_s = time.monotonic() - began
        self.say(f"{deployment} [dim]{took_s:.1f} s[/]")
        return Played(found, took_s, probe.worst_ms)

    def _follow(self, process: Process, log: Path) -> FlowRun:
        """Wait for the end of the command, showing the last line that it wrote."""
        until = time.monotonic() + STEP_S
        answered = False
        with self.console.status("waiting for the worker") as status:
            while process.alive() and self.world.worker.alive() and time.monotonic() < until:
                said = log.read_text(encoding="utf-8", errors="replace")
                status.update(escape(_last_line(said)))
                if not answered and (run_id := CREATED.search(said)):
                    answered = self._answer(uuid.UUID(run_id[1]))
                time.sleep(0.2)
        said = log.read_text(encoding="utf-8", errors="replace")
        found = CREATED.search(said)
        if found is None or process.popen.poll() != 0:
            self._complain(said, found[1] if found else "")
        assert found is not None
        with server() as client:
            return client.read_flow_run(uuid.UUID(found[1]))

    def _answer(self, run_id: uuid.UUID) -> bool:
        """Answer as a person would: read the question, type the name of the database."""
        with server() as client:
            run = client.read_flow_run(run_id)
            if run.state is None or not run.state.is_paused() or not (asked := runs.question(client, run)):
                return False
            self.console.print(Panel(Markdown(asked), title=f"{run.name} asks", expand=False))
            name = self.postgres.database.name
            runs.answer(client, run, approve=True, type_the_name=name)
            self.say(f"approved by typing [bold]{name}[/] (in the UI: the run's Resume button; or `pawpaw approve`)")
        return True

    def _complain(self, said: str, run_id: str) -> None:
        """Show the end of what has most to say: the run's log, the worker's, the command's own output."""
        worker = self.world.home.log("worker").read_text(encoding="utf-8", errors="replace")
        with server() as client:
            tail = run_log.tail(client, client.read_flow_run(uuid.UUID(run_id)), lines=8) if run_id else said
        shown = "\n".join((tail or worker).splitlines()[-LINES:])
        self.console.print(Panel(escape(shown), title="how its log ends", border_style="red"))
        raise CommandError("a verb of the demo failed; the end of its log stands above.")

    def prove(self, wanted: shop.Contents, what: str) -> int:
        """Compare every table with what it held before; returns the rows."""
        found = shop.contents(self.postgres)
        wrong = [name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)]
        if wrong:
            raise VerificationError(f"{', '.join(sorted(wrong))} are not {what}.")
        self.say(f"proof: {len(found)} tables and views with {shop.rows(found):,} rows are {what}")
        return shop.rows(found)

    def show(self, played: Mapping[str, tuple[Played, int]], size_bytes: int) -> None:
        """Show the closing table."""
        table = Table("verb", title="What it came to", title_justify="left", caption_justify="left", caption=CAPTION)
        for heading in ("command", "run", "silence", "rows proven"):
            table.add_column(heading, justify="right")
        for verb, (one, rows) in played.items():
            run_s = one.run.total_run_time.total_seconds()
            table.add_row(
                verb, f"{one.took_s:.1f} s", f"{run_s:.1f} s", f"{one.outage_ms:.0f} ms", f"{rows:,}" if rows else "–"
            )
        self.console.print(table)
        catalog = Catalog(FolderLocation(FolderSettings(path=self.world.store)), "demo", "shop")
        stored = sum(entry.manifest.size_bytes for entry in catalog.entries() if entry.manifest)
        self.console.print(f"The database has {size_bytes / 1e6:.1f} MB, its sealed backup {stored / 1e6:.1f} MB.")


WIDE = {"COLUMNS": "200", "PYTHONUNBUFFERED": "1"}


def _typed(argv: tuple[str, ...]) -> str:
    """Return a command as a person would type it: without our Python before it."""
    return " ".join(argv[argv.index("-m") + 1 :])


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip(" └─")]
    return lines[-1] if lines else "waiting for the worker"
