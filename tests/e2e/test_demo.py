import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from blocks import BackupIdentity, Stack
from pawpaw_ops.clients.http import answers
from pawpaw_ops.errors import CommandError
from tests.e2e.support_demo import Place
from tests.waiting import SOAK

PROOFS = (
    "proof: 6 tables and views with 335,000 rows are as they were when the backup was taken",
    "proof: 4 tables and views with 131,200 rows are as the disaster left them, the later orders included",
)


@pytest.fixture
def place() -> Iterator[Place]:
    made = Place()
    yield made
    made.remove()


def test_a_kept_demo_stays_without_showing_a_secret_and_one_that_is_interrupted_replaces_it(place: Place) -> None:
    """`make demo KEEP=1`, clicking around, `make demo`, and Ctrl-C while its servers start, when most is under way.

    In the end nothing is left of either, here or in the user's home.
    """
    said = place.run("demo", "--keep")
    assert all(proof in said for proof in PROOFS)
    home = place.root / "demo" / "demo"
    port = Path(home / "running.json")
    assert {process["name"] for process in json.loads(port.read_text())["running"]} >= {"server", "postgres", "worker"}
    url = next(word.rstrip(".") for word in said.split() if word.startswith("http://127.0.0.1:"))
    assert answers(f"{url}/api/health")
    assert answers(url)
    check_secrets(place, url)
    process = place.start("demo")
    place.wait_for(process, "Prefect server and UI")
    process.popen.send_signal(signal.SIGINT)
    with pytest.raises(CommandError):
        process.finish()
    assert process.popen.returncode == 130
    assert not answers(f"{url}/api/health")
    check_nothing_is_left(place)
    if SOAK:  # a whole one after them takes a minute
        said = place.run("demo")
        assert all(proof in said for proof in PROOFS)
        check_nothing_is_left(place)


def check_nothing_is_left(place: Place) -> None:
    assert place.files() == []
    assert place.processes() == []


def check_secrets(place: Place, url: str) -> None:
    """What the blocks keep secret lies nowhere in the clear: database, logs, journal, results, arguments."""
    with temporary_settings({PREFECT_API_URL: f"{url}/api"}):
        stack = Stack.named("demo").settings()
        secrets = [stack.database.password, *BackupIdentity.named(stack.identity_block).keys()]
    values = [secret.get_secret_value().encode() for secret in secrets]
    assert all(len(value) > 20 for value in values)
    for path in filter(Path.is_file, place.files()):
        held = path.read_bytes()
        assert not any(value in held for value in values), path
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes()
        except OSError:
            continue
        assert not any(value in words for value in values), words


def test_a_demo_that_was_killed_is_ended_by_demo_stop(place: Place) -> None:
    process = place.start("demo")
    place.wait_for(process, "$ prefect deployment run backup-db/demo")
    process.popen.send_signal(signal.SIGKILL)
    process.end()
    assert place.processes()
    assert "The demo is ended." in place.run("demo-stop")
    check_nothing_is_left(place)
    assert "There is no demo to end." in place.run("demo-stop")
