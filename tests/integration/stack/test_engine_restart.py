"""What an engine that is really restarted does to replicas, and that who asks about them meanwhile gets an answer."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from pawpaw_ops.clients.compose_project import containers_of, watching
from pawpaw_ops.models.project import Project
from pawpaw_ops.session.undo import run
from pawpaw_ops.session.undo_services import remove_replicas
from tests.integration.stack.support_docker import base_image
from tests.integration.stack.support_own_engine import OwnEngine, own_engine
from tests.unit.support_stacks import stack_of
from tests.waiting import SOAK


@contextmanager
def restarting(engine: OwnEngine) -> Iterator[None]:
    """It is away when the block begins, and comes back while it lasts."""
    engine.stop()
    starts = Thread(target=engine.start)
    starts.start()
    yield
    starts.join()


@pytest.mark.usefixtures("docker_engine")
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.parametrize("live_restore", [False, *([True] if SOAK else [])])
def test_deploy_E3_replicas_are_known_and_taken_back_across_a_restart_of_the_engine(
    tmp_path: Path, *, live_restore: bool
) -> None:
    """Without live-restore they are started anew, which their count of restarts does not tell."""
    image = base_image("BASE_REDIS")
    with own_engine(live_restore=live_restore) as engine:
        engine.load(image)
        engine.say("network", "create", "shop")
        old, new = (engine.replica("shop", "backend", image) for _ in range(2))
        project = Project(
            name="shop", file=tmp_path / "c.yml", env_file=tmp_path / ".env", upstreams=tmp_path, engine=engine.address
        )
        before, started = {one.id: one for one in containers_of(project)}, engine.started(old, new)
        assert before.keys() == {old, new}
        with watching(project) as look:
            look([old, new])
            with restarting(engine):
                after = look([old, new])
        for one in (old, new):
            assert (after[one].status, after[one].restarts) == ("running", 0)
            assert not live_restore or after[one].address == before[one].address
        assert (engine.started(old, new) == started) == live_restore
        with restarting(engine):
            stack = stack_of(tmp_path).model_copy(update={"project": project})
            run(remove_replicas({"backend": [old]}), stack, run_id="r")
        assert [one.id for one in containers_of(project)] == [old]
    gc.collect()  # where nobody answers the SDK leaves its socket to the collector
