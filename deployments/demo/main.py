"""`pawpaw demo`: begin a world, play the story in it, show what it came to, leave nothing behind."""

import secrets
import signal
import time
from types import FrameType

from rich.console import Console
from rich.markup import escape

from deployments.demo import home as homes
from deployments.demo import world as worlds

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
KEEP_HINT = "Nothing is left behind. `make demo KEEP=1` leaves Prefect's UI up, with the history of these runs."


def run_demo(console: Console, *, keep: bool) -> None:
    """Play the demo.

    Args:
        console: Where it is shown.
        keep: Leave the servers up.

    Raises:
        OpsError: It did not work; the log of what failed was shown.

    Touches:
        A folder of its own, servers on loopback; all of it is gone at the end unless *keep*.
    """
    for number in SIGNALS:
        signal.signal(number, _interrupted)
    with homes.alone():
        before = homes.found()
        if before is not None:
            before.end()
        home = homes.Home(homes.place(), secrets.token_hex(8))
        home.begin()
        stays = False
        try:
            url = _play(console, home)
            stays = keep
        finally:
            if not stays:
                _clean_up(console, home)
    console.print(f"The history of the runs: [bold]{url}[/]. `make demo-stop` ends it all." if keep else KEEP_HINT)
    if keep:
        console.print(f"For `pawpaw status` and `prefect` here: export PREFECT_API_URL={url}/api", soft_wrap=True)


def _clean_up(console: Console, home: homes.Home) -> None:
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    with console.status("cleaning up"):
        home.end()


def _play(console: Console, home: homes.Home) -> str:
    began = time.monotonic()

    def say(text: str) -> None:
        console.print(f"[green]✓[/] {escape(text)} [dim]{time.monotonic() - began:.1f} s[/]")

    with console.status("starting a Prefect server, a worker and a PostgreSQL"):
        world = worlds.begin(home, say=say)
    from deployments.demo.story import Story

    Story(world, console).play()
    console.print(f"All of it took [bold]{time.monotonic() - began:.0f} s[/].")
    return world.settings["PREFECT_UI_URL"]


def _interrupted(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
