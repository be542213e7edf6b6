"""Kill backups and restores at random entries of their journals, over and over: two states, and nothing grows.

`python -m benchmarks.soak [ROUNDS] [SEED]`. A round is a backup and a restore in processes of their own, each killed at a
random journal entry; after each the stack is recovered and looked at. Ends at the first thing that does not hold.
"""

import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
from prefect.testing.utilities import prefect_test_harness

from pawpaw_ops.disposable import DisposableServer
from pawpaw_ops.session import open_session
from tests.integration.support_child import Child
from tests.integration.support_stack import Kit, load_tiny, postgres_15

ENTRIES = 40
SETTINGS = {"fsync": "off", "max_prepared_transactions": "4"}


def recover(kit: Kit, number: int) -> None:
    """Do what the next run of any verb does first."""
    with open_session(kit.settings(), verb="soak", purpose="recover", run_id=f"recover{number}"):
        pass


def one_round(kit: Kit, dice: random.Random, number: int) -> str:
    """Kill a backup and a restore somewhere, and check what must hold; return what became of them."""
    log, said = str(kit.folder / "child.log"), []
    verbs: dict[str, dict[str, Any]] = {"backup-db": {}, "restore-db": {"approve": True}}
    for verb, parameters in verbs.items():
        before = kit.prints().tables
        entry = dice.randint(1, ENTRIES)
        code = Child(verb, log, kill_entry=entry, stack=kit.name, **parameters).wait()
        recover(kit, number)
        kit.assert_clean()
        assert kit.prints().tables == before, f"{verb} killed at entry {entry} changed what is live"
        assert kit.catalog().unpublished() == [], f"{verb} killed at entry {entry} left objects"
        said.append(f"{verb} {'whole' if code == 0 else f'killed at {entry}'}")
    for name in kit.databases():
        if name != kit.database:
            with kit.server.postgres().admin() as conn:
                conn.execute(f'DROP DATABASE "{name}"'.encode())
    return ", ".join(said)


def main(rounds: int, seed: int) -> None:
    """Run the rounds and print what was seen."""
    root = Path(tempfile.mkdtemp(prefix="pawpaw-soak-"))
    root.chmod(0o755)
    server = DisposableServer(root / "pg", tools=postgres_15(), settings=SETTINGS)
    heartbeat = {PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}
    with prefect_test_harness(server_startup_timeout=120), temporary_settings(heartbeat):
        try:
            server.initialise()
            server.start()
            load_tiny(server, "tiny_template")
            kit = Kit(server, root / "stack")
            kit.create(template="tiny_template")
            Child("backup-db", str(root / "first.log"), stack=kit.name).wait()
            dice, began = random.Random(seed), time.monotonic()
            for number in range(rounds):
                print(f"{number + 1}/{rounds} {one_round(kit, dice, number)}", flush=True)
            per_round = (time.monotonic() - began) / rounds
            print(f"{rounds} rounds, seed {seed}, {per_round:.1f} s each: live never changed, nothing was left behind")
        finally:
            server.remove()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100, int(sys.argv[2]) if len(sys.argv) > 2 else 1)
