import json
from pathlib import Path

from pawpaw_ops.commands import images
from pawpaw_ops.models.project import Project

PROJECT = Project(
    name="paw",
    file=Path("/x/docker-compose.prod.yml"),
    env_file=Path("/s/.env"),
    upstreams=Path("/s/up"),
    engine="unix:///e.sock",
)
FAILED = """Step 1/3 : FROM base
 ---> 8b69d2275b70
Step 2/3 : RUN true
 ---> Running in 111111111111
Removing intermediate container 111111111111
 ---> 222222222222
Step 3/3 : RUN exit 3
 ---> Running in 333333333333
"""


def test_an_image_is_built_through_the_compose_file_with_a_second_one_for_its_labels(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = images.build(PROJECT, "web", env={"WEB_IMAGE": "paw-web:1"}, labels={"a": "b"}, log=log)
    assert str(command) == (
        "docker compose --project-name paw --project-directory /x --file /x/docker-compose.prod.yml"
        " --env-file /s/.env --file - build web"
    )
    assert command.env == {"DOCKER_HOST": "unix:///e.sock", "WEB_IMAGE": "paw-web:1"}
    assert json.loads(str(command.stdin)) == {"services": {"web": {"build": {"labels": {"a": "b"}}}}}
    assert command.stdout == log
    attested = images.build(PROJECT, "web", env={}, labels={}, log=log, attest=True)
    assert str(attested).endswith("build --sbom=true --provenance=mode=max web")


def test_names_are_given_and_taken() -> None:
    assert str(images.tag("", "sha256:1", "paw-web:1")) == "docker image tag sha256:1 paw-web:1"
    gone = images.untag("", "paw-web:1", "paw-api:1")
    assert str(gone) == "docker image rm --no-prune paw-web:1 paw-api:1"
    assert gone.ok_codes == (0, 1)


def test_buildx_is_there_or_not() -> None:
    ask = images.buildx()
    assert str(ask.command) == "docker buildx version"
    assert ask.parse("github.com/docker/buildx 0.13.1+ds1 0.13.1+ds1-2\n") == "0.13.1+ds1"
    assert ask.parse("github.com/docker/buildx v0.29.0 a1b2c3\n") == "v0.29.0"
    assert not ask.parse("")


def test_the_container_of_a_failed_build_is_told_by_the_engines_own_builder() -> None:
    assert images.left_running(FAILED) == ("333333333333",)
    assert images.left_running("") == ()
