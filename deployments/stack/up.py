"""`make up` and `make down`: the whole stack on this host's Docker Engine, from nothing to a shop that sells."""

import time
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr
from rich.console import Console
from rich.live import Live
from rich.table import Table

from deployments.stack.env import make_env
from pawpaw_ops.clients import compose_project, services
from pawpaw_ops.clients.env_file import read_env
from pawpaw_ops.commands import compose, images
from pawpaw_ops.commands.command import Command
from pawpaw_ops.errors import CommandError, ConfigError, HalfDone
from pawpaw_ops.models.base import Noun
from pawpaw_ops.models.project import Project
from pawpaw_ops.plans.startup import Seen, Standing, standing
from pawpaw_ops.runner import LocalRunner

COMPOSE_FILE = "docker-compose.prod.yml"
ONCE = ("roles", "migrate")
POLL_S = 0.5
MARK = {True: "[green]✓[/]", False: "[yellow]…[/]"}


class Place(Noun):
    """Where a stack is kept: its folder and its `.env`."""

    folder: Path
    env_file: Path

    def project(self) -> Project:
        """Return the Compose project; the `.env` has its name.

        Raises:
            ConfigError: The folder has no Compose file, or the `.env` cannot be read.
        """
        return compose_project.find_project(self.folder / COMPOSE_FILE, self.env_file)


def bring_up(
    place: Place,
    console: Console,
    *,
    domain: str = "",
    build: bool = True,
    seed: bool = True,
    timeout_s: float = 300.0,
) -> Project:
    """Make the `.env` if there is none, build, start, wait until everything is healthy, seed the shop.

    Args:
        place: Where the stack is.
        console: Where progress is shown.
        domain: Host name of the shop, for a new `.env`; an existing one has its own.
        build: Build the images first.
        seed: Put the demo shop's goods and its user in.
        timeout_s: Longest wait for everything to be healthy, in seconds.

    Raises:
        ConfigError: The folder is no stack, a variable has no value, or the `.env` is for another domain.
        CommandError: Docker could not build or start it; its own words are in it.
        HalfDone: A service did not come up; it is named, with why.

    Touches:
        `.env` if missing; images, containers, networks, volumes of the project; products and the demo user.
    """
    given = {"SHOP_DOMAIN": domain} if domain else {}
    if make_env(place.folder / ".env.example", place.env_file, given):
        console.print(f"[green]✓[/] made {place.env_file} with random secrets; keep a copy of it in a safe place")
    values = read_env(place.env_file)
    if domain and values.get("SHOP_DOMAIN") != domain:
        raise ConfigError(
            f"{place.env_file} is for the domain {values.get('SHOP_DOMAIN')!r}, not {domain!r}.",
            hint="Change SHOP_DOMAIN there and run `make up` without DOMAIN.",
        )
    project = place.project()
    runner = LocalRunner()
    wanted = runner.ask(compose.services(project))
    if build:
        console.print("building the images …")
        runner.run(compose.build(project, env=_builder(runner)))
    began = time.monotonic()
    _start(runner, project)
    wait_until_up(project, wanted, console, timeout_s=timeout_s)
    took_s = time.monotonic() - began
    services.tell_the_shipper(project)
    if seed:
        runner.run(_seed(project, values))
    console.print(f"[green]✓[/] {len(wanted)} services are up after {took_s:.0f} s")
    return project


def _start(runner: LocalRunner, project: Project) -> None:
    """Start the containers; why one failed is told by its own log better than by Compose."""
    try:
        runner.run(compose.up(project))
    except CommandError as seen:
        failed = standing((), compose_project.containers_of(project), once=ONCE).failed
        if failed:
            raise _did_not_come_up(failed) from seen
        raise


def take_down(place: Place) -> None:
    """Stop the stack; its data stays.

    Touches:
        Containers and networks of the project.
    """
    LocalRunner().run(compose.down(place.project()))


def wait_until_up(project: Project, wanted: tuple[str, ...], console: Console, *, timeout_s: float) -> None:
    """Wait until every wanted service is up, showing each.

    Raises:
        HalfDone: One failed, or was not up in time.
    """
    until = time.monotonic() + timeout_s
    with Live(console=console, refresh_per_second=4, transient=True) as live:
        while True:
            found = compose_project.containers_of(project)
            now = standing(wanted, found, once=ONCE)
            live.update(table_of(found, now))
            if now.failed:
                raise _did_not_come_up(now.failed)
            if now.all_up:
                break
            if time.monotonic() > until:
                late = tuple((name, f"is not healthy after {timeout_s:g} s") for name in now.waiting)
                raise _did_not_come_up(late)
            time.sleep(POLL_S)
    console.print(table_of(found, now))


def table_of(found: tuple[Seen, ...], now: Standing) -> Table:
    """Draw the containers as a table."""
    table = Table("", "container", "state", "health", box=None, pad_edge=False)
    for one in found:
        table.add_row(MARK[one.name in now.up], one.name, one.status, one.health or "–")
    return table


def address(values: Mapping[str, str]) -> str:
    """Return what to open in a browser."""
    domain, port = values.get("SHOP_DOMAIN", "localhost"), values.get("HTTPS_PORT", "443")
    return f"https://{domain}" + ("" if port == "443" else f":{port}")


def _builder(runner: LocalRunner) -> dict[str, str]:
    return {} if runner.ask(images.buildx()) else dict(images.ENGINES_OWN)


def _seed(project: Project, values: Mapping[str, str]) -> Command:
    if not values.get("SEED_USER_PASSWORD"):
        raise ConfigError("SEED_USER_PASSWORD has no value in the .env.", hint="Give it one, or pass --no-seed.")
    secret = SecretStr(values["SEED_USER_PASSWORD"])
    return compose.run_once(project, "migrate", "node", "dist/seed.js", env={"SEED_USER_PASSWORD": secret})


def _did_not_come_up(failed: tuple[tuple[str, str], ...]) -> HalfDone:
    error = HalfDone(
        f"started the stack, and not all of it came up: {'; '.join(f'{name} {why}' for name, why in failed)}.",
        hint=f"`docker logs {failed[0][0]}` says why; mend it and run `make up` again, which goes on from here.",
    )
    error.next_step = "Levantar el stack"
    return error
