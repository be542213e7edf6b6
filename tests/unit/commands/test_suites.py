from pathlib import Path

from pawpaw_ops.commands import suites
from pawpaw_ops.models.project import Project

PROJECT = Project(name="t1", file=Path("/x/c.yml"), env_file=Path("/x/env"), upstreams=Path("/x"), engine="unix:///e")
START = "docker compose --project-name t1 --project-directory /x --file /x/c.yml --env-file /x/env "


def test_an_image_is_built_from_a_stage_or_another_file() -> None:
    log = Path("/k/log")
    dev = suites.build_image("", Path("/x/web"), "t:1", arguments={"B": "b", "A": "a"}, env={}, log=log, target="dev")
    assert str(dev) == "docker build --force-rm --tag t:1 --target dev --build-arg A=a --build-arg B=b /x/web"
    file = suites.build_image("e", Path("/x/web"), "t:1", arguments={}, env={"N": "1"}, log=log, file=Path("/x/D"))
    assert str(file) == "docker build --force-rm --tag t:1 --file /x/D /x/web"
    assert file.env == {"DOCKER_HOST": "e", "N": "1"}


def test_a_suite_runs_without_a_network_and_its_container_stays() -> None:
    command = suites.run(
        "", "t:1", "npx", "vitest", name="n", run_id="r", mounts={Path("/x/t"): "/app/t"}, log=Path("/k"), timeout_s=9.0
    )
    assert str(command) == (
        "docker run --name n --label pawpaw.run=r --env=NO_COLOR=1 --env=CI=1 --init --network=none --cap-drop=ALL"
        " --security-opt=no-new-privileges --memory=2g --pids-limit=1024 --shm-size=256m"
        " --mount=type=bind,source=/x/t,target=/app/t,readonly t:1 npx vitest"
    )
    assert command.program == "npx"


def test_a_throwaway_stack_is_started_from_what_is_there_and_goes_with_its_data() -> None:
    up = suites.start_throwaway(PROJECT, ["web", "api"])
    words = "up --detach --no-build --pull never --scale=api=1 --scale=web=1 api web"
    assert str(up) == START + words
    assert up.env == {"DOCKER_HOST": "unix:///e"}
    assert str(suites.remove_throwaway(PROJECT)) == START + "down --volumes --remove-orphans --timeout 5"
