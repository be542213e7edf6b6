"""`build-images` on a real engine: what a commit has, all of it or nothing."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.exceptions import ParameterTypeError
from prefect_docker import DockerRegistryCredentials
from pydantic import SecretStr

from flows.build_images import build_images
from pawpaw_ops.clients import images
from pawpaw_ops.clients.releases import save_tested
from pawpaw_ops.errors import BuildFailed, ConfigError, PreconditionError, StoreError, Unreachable
from pawpaw_ops.models.base import Verdict, utc_now
from pawpaw_ops.models.release import BuildVerdict
from tests.integration.stack.support_build import CANARY, Sources
from tests.integration.stack.support_docker import docker
from tests.integration.stack.support_registry import PASSWORD, USER, registry

pytestmark = pytest.mark.usefixtures("docker_engine", "prefect_api")


@pytest.fixture
def sources(tmp_path: Path) -> Iterator[Sources]:
    made = Sources(tmp_path)
    yield made
    made.remove()


def test_every_built_service_gets_an_image_of_the_commit_and_a_record(sources: Sources) -> None:
    sha = sources.git("rev-parse", "HEAD")
    version = build_images(sources.name)
    assert version == sha[:12]
    build = sources.build("newest")
    assert (build.version, build.git_sha, build.dirty) == (version, sha, False)
    assert {one.service: one.variable for one in build.images} == {"api": "API_IMAGE", "web": "WEB_IMAGE"}
    assert sources.tags() == {one.tag: one.id for one in build.images}
    assert all(one.size_bytes > 0 and one.digest == "" for one in build.images)
    config = sources.inspect(build.images[0].id)["Config"]
    assert f"RELEASE_ID={version}" in config["Env"]
    oci = {name.rpartition(".")[2]: value for name, value in config["Labels"].items() if "opencontainers" in name}
    created = sources.git("log", "-1", "--format=%cI")
    assert oci == {
        "version": version,
        "revision": sha,
        "created": created.replace("Z", "+00:00"),
        "source": "https://example.com/paw/shop.git",
    }


def test_the_same_commit_gives_the_same_images_and_an_older_verdict_is_forgotten(sources: Sources) -> None:
    version = build_images(sources.name)
    first = sources.build(version)
    ids = {one.service: one.id for one in first.images}
    said = BuildVerdict(version=version, ids=ids, verdict=Verdict.VERIFIED, tested_at=utc_now(), suites={})
    save_tested(sources.state_dir, said)
    assert build_images(sources.name) == version
    assert {one.service: one.id for one in sources.build(version).images} == ids
    assert sources.records() == [f"{version}.json"]


def test_what_git_does_not_know_gets_into_no_image(sources: Sources) -> None:
    """Neither an ignored file nor anything beside the stack's folder makes the tree dirty or an image different."""
    build_images(sources.name)
    (sources.folder / "api" / "my.secret").write_text(CANARY)
    (sources.repository / "elsewhere").write_text("not the stack's")
    again = sources.build(build_images(sources.name))
    files = docker("run", "--rm", "--label", f"pawpaw.test={sources.name}", again.images[0].id, "ls", "/sources")
    assert files.split() == ["Dockerfile", "page"]


def test_changes_that_no_commit_has_are_refused_and_named(sources: Sources) -> None:
    (sources.folder / "web" / "page").write_text("in a hurry")
    (sources.folder / "web" / "new").write_text("too")
    with pytest.raises(PreconditionError, match=r"stack/web/page.*allow_dirty"):
        build_images(sources.name)
    assert sources.records() == []
    assert sources.tags() == {}


def test_a_dirty_build_is_named_so_and_is_no_newest_one(sources: Sources) -> None:
    (sources.folder / "web" / "page").write_text("in a hurry")
    objects = sources.git("count-objects")
    version = build_images(sources.name, allow_dirty=True, services=["web"])
    sha = sources.git("rev-parse", "HEAD")
    assert version.startswith(f"{sha[:12]}-dirty-")
    build = sources.build(version)
    page = docker("run", "--rm", "--label", f"pawpaw.test={sources.name}", build.images[0].id, "cat", "/sources/page")
    assert page == "in a hurry"
    assert build.dirty
    assert sources.git("count-objects") == objects
    with pytest.raises(PreconditionError, match="no build of a clean tree"):
        sources.build("newest")
    (sources.folder / "web" / "page").write_text("in another hurry")
    assert build_images(sources.name, allow_dirty=True, services=["web"]) != version


def test_deploy_H1_a_build_that_fails_leaves_no_name_no_record_and_no_container(sources: Sources) -> None:
    """The first image is built by then; the error has the last words of the second."""
    dockerfile = sources.folder / "web" / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text() + "RUN echo the compiler says no && exit 3\n")
    sources.commit("broken")
    with pytest.raises(BuildFailed, match=r"(?s)web could not be built.*the compiler says no.*code: 3"):
        build_images(sources.name)
    assert sources.records() == []
    assert sources.tags() == {}
    assert sources.containers() == {}


def test_deploy_H1_a_failed_build_leaves_the_names_of_the_one_before(sources: Sources) -> None:
    version = build_images(sources.name)
    before = sources.tags()
    dockerfile = sources.folder / "web" / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text() + "RUN exit 3\n")
    sources.commit("broken")
    with pytest.raises(BuildFailed):
        build_images(sources.name)
    assert sources.tags() == before
    assert sources.records() == [f"{version}.json"]


def test_a_name_that_the_env_runs_by_is_not_moved(sources: Sources) -> None:
    version = sources.git("rev-parse", "HEAD")[:12]
    sources.env["API_IMAGE"] = f"{sources.name}-api:{version}"
    sources.write_env()
    with pytest.raises(PreconditionError, match=r"the \.env runs api by the name"):
        build_images(sources.name)
    assert sources.tags() == {}


def test_a_service_that_is_not_built_and_a_folder_without_git_are_refused(sources: Sources, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="db is not built by the Compose file; it builds api, web"):
        build_images(sources.name, services=["db"])
    (sources.repository / ".git").rename(tmp_path / "gone")
    with pytest.raises(PreconditionError, match="is no git checkout"):
        build_images(sources.name)


def test_attestations_that_are_not_offered_are_said(sources: Sources, caplog: pytest.LogCaptureFixture) -> None:
    """Only an engine that keeps images in containerd's store can have them, and only buildx makes them."""
    store = json.loads(docker("info", "--format", "{{json .DriverStatus}}"))
    if any("snapshotter" in str(line) for line in store):
        pytest.skip("needs an engine with a store of images of its own")
    with caplog.at_level("WARNING"):
        build_images(sources.name, attest=True, services=["api"])
    assert "no list of contents (SBOM) and no provenance were made" in caplog.text


def test_no_secret_of_the_env_is_in_an_image_or_a_record(sources: Sources) -> None:
    version = build_images(sources.name)
    build = sources.build(version)
    told = "".join(json.dumps(sources.inspect(one.id)) for one in build.images) + build.model_dump_json()
    told += docker("history", "--no-trunc", build.images[0].id)
    assert CANARY not in told
    assert "hidden" not in told


def test_pushed_images_are_known_by_the_digest_that_the_registry_has(sources: Sources, tmp_path: Path) -> None:
    with registry(tmp_path) as address:
        login = DockerRegistryCredentials(username=USER, password=SecretStr(PASSWORD), registry_url=f"{address}/paw")
        login.save(sources.name)
        version = build_images(sources.name, push=True)
        build = sources.build(version)
        for one in build.images:
            name, _, digest = one.digest.partition("@")
            assert name == f"{address}/paw/{sources.name}-{one.service}"
            assert one.tag == f"{name}:{version}"
            assert one.digest in sources.inspect(one.id)["RepoDigests"]
            assert digest.startswith("sha256:")
        assert PASSWORD not in build.model_dump_json()


def test_deploy_H1_what_the_registry_refuses_is_no_build(sources: Sources, tmp_path: Path) -> None:
    """And nothing of the login is in what is said."""
    with registry(tmp_path) as address:
        wrong = DockerRegistryCredentials(username=USER, password=SecretStr(CANARY), registry_url=f"http://{address}")
        wrong.save(sources.name)
        with pytest.raises(StoreError, match="could not push") as seen:
            build_images(sources.name, push=True)
    assert CANARY not in str(seen.value)
    assert sources.records() == []
    assert sources.tags() == {}


def test_an_image_that_is_not_there_and_an_engine_that_is_not_there_are_told_apart() -> None:
    assert images.find_image("", "no-such-image:1") is None
    for ask in (images.keeps_attestations, lambda address: images.find_image(address, "x:1")):
        with pytest.raises(Unreachable, match="did not answer"):
            ask("tcp://127.0.0.1:1")


def test_another_commit_is_built_without_being_checked_out(sources: Sources, tmp_path: Path) -> None:
    """Fetched from where the repository comes from; changes in the folder are none of it."""
    upstream = tmp_path / "upstream"
    sources.git("clone", "--quiet", str(sources.repository), str(upstream))
    sources.git("remote", "set-url", "origin", str(upstream))
    sources.git("-C", str(upstream), "commit", "--quiet", "--allow-empty", "--message", "newer")
    newer = sources.git("-C", str(upstream), "rev-parse", "HEAD")
    (sources.folder / "web" / "page").write_text("in a hurry")
    assert build_images(sources.name, revision=newer, services=["web"]) == newer[:12]
    assert not sources.build(newer[:12]).dirty
    assert sources.git("rev-parse", "HEAD") != newer
    with pytest.raises(PreconditionError, match="nor has its origin"):
        build_images(sources.name, revision="f" * 40)


def test_deploy_G7_a_revision_that_is_none_is_refused(sources: Sources) -> None:
    with pytest.raises(ParameterTypeError):
        build_images(sources.name, revision="--help")
