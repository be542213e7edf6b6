"""Building the stack's images from what a commit has, not from what happens to lie in the folder."""

import contextlib
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence

from pydantic import SecretStr

from pawpaw_ops.clients.env_file import read_env
from pawpaw_ops.clients.images import find_image, keeps_attestations, push
from pawpaw_ops.clients.releases import save_build
from pawpaw_ops.clients.services import read_services
from pawpaw_ops.commands import contained, images
from pawpaw_ops.errors import BuildFailed, CommandError, PreconditionError
from pawpaw_ops.models.base import Noun, utc_now
from pawpaw_ops.models.project import Project
from pawpaw_ops.models.registry import Registry
from pawpaw_ops.models.release import Build, BuiltImage
from pawpaw_ops.models.stack import Workplace
from pawpaw_ops.plans.images import WantedImage, check_not_in_use, labels_of, wanted_images
from pawpaw_ops.runner import LocalRunner
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.operation import operation
from pawpaw_ops.tasks.sources import Sources

TAIL = 25
NOT_ATTESTED = "no list of contents (SBOM) and no provenance were made: "


class How(Noun):
    """How it is built here.

    Attributes:
        env: Variables for Compose.
        attest: Whether attestations are kept.
        said: What was wanted and is not offered here, for people.
    """

    env: dict[str, str]
    attest: bool
    said: str


@operation("plan build")
def plan_build(sources: Sources, *, only: Sequence[str], registry: str) -> tuple[WantedImage, ...]:
    """Choose the images.

    Raises:
        ConfigError: A chosen service is not built here.
        PreconditionError: The `.env` runs by the very name that one would get.

    Touches:
        Nothing.
    """
    project = sources.project
    services = read_services(project, LocalRunner())
    wanted = wanted_images(services, only=only, project=project.name, registry=registry)
    check_not_in_use(wanted, sources.version, read_env(project.env_file))
    return wanted


@operation("look for a builder")
def choose_builder(project: Project, *, attest: bool) -> How:
    """Find out whether the CLI has buildx, and whether this engine can keep attestations.

    Touches:
        Nothing.
    """
    buildx = LocalRunner().ask(images.buildx())
    env = {} if buildx else dict(images.ENGINES_OWN)
    why = ""
    if attest and not buildx:
        why = "Docker's CLI has no buildx here."
    elif attest and not keeps_attestations(project.engine):
        why = "the engine keeps images in its own store, not in containerd's."
    if why:
        report.logger().warning("%s%s", NOT_ATTESTED, why)
    report.logger().info("building with %s", f"buildx {buildx}" if buildx else "the engine's own builder")
    return How(env=env, attest=attest and not why, said=why and NOT_ATTESTED + why)


class Building:
    """Images as they come about: until all are there, none has the name that a deploy would look for."""

    def __init__(self, sources: Sources, how: How) -> None:
        self.sources, self.how = sources, how
        self.engine = sources.project.engine
        self.mark = f"building-{secrets.token_hex(4)}"
        self.made: list[tuple[WantedImage, BuiltImage]] = []
        self.named: list[str] = []
        self.before: dict[str, str] = {}

    def undo(self) -> None:
        """Take the names away, or give them back to those that had them."""
        runner = LocalRunner()
        if self.named:
            runner.run(images.untag(self.engine, *self.named))
        for name, image_id in self.before.items():
            runner.run(images.tag(self.engine, image_id, name))

    def clear(self) -> None:
        """Take the names away that images have while others are built."""
        if self.made:
            names = (f"{wanted.name}:{self.mark}" for wanted, _ in self.made)
            LocalRunner().run(images.untag(self.engine, *names))


@contextlib.contextmanager
def building(sources: Sources, how: How) -> Iterator[Building]:
    """Build while the block lasts; when it fails, no name is left."""
    work = Building(sources, how)
    try:
        yield work
    except BaseException:
        work.undo()
        raise
    finally:
        work.clear()


@operation("build image")
def build_image(work: Building, wanted: WantedImage) -> BuiltImage:
    """Build one image.

    Raises:
        BuildFailed: It could not be built; the builder's last words are in it.

    Touches:
        An image on the engine, under a name that only this build uses.
    """
    sources, name, began = work.sources, f"{wanted.name}:{work.mark}", time.monotonic()
    log = sources.project.file.parent.parent / f"{wanted.service}.log"
    env: Mapping[str, str | SecretStr] = {wanted.variable: name, "RELEASE_ID": sources.version, **work.how.env}
    labels = labels_of(
        version=sources.version,
        git_sha=sources.git_sha,
        made_at=sources.made_at.isoformat(),
        source=sources.remote,
    )
    try:
        LocalRunner().run(
            images.build(sources.project, wanted.service, env=env, labels=labels, log=log, attest=work.how.attest)
        )
    except CommandError as seen:
        raise _failed(work, wanted, log.read_text(errors="replace") if log.exists() else "", seen) from seen
    image = find_image(work.engine, name)
    if image is None:
        raise PreconditionError(f"built {name}, and the engine has no such image.")
    built = BuiltImage(
        service=wanted.service,
        variable=wanted.variable,
        tag=f"{wanted.name}:{sources.version}",
        id=image.id,
        size_bytes=image.size_bytes,
        took_s=round(time.monotonic() - began, 2),
    )
    work.made.append((wanted, built))
    report.logger().info("%s: %s in %.1f s", wanted.service, built.id[:19], built.took_s)
    return built


def _failed(work: Building, wanted: WantedImage, log: str, seen: CommandError) -> BuildFailed:
    if left := images.left_running(log):
        LocalRunner().run(contained.remove(work.engine, left))
    lines = [line for line in (*log.splitlines(), *seen.stderr_tail.splitlines()) if line.strip()]
    tail = "\n".join(lines[-TAIL:])
    return BuildFailed(
        f"{wanted.service} could not be built from {work.sources.version}. The builder's last words:\n{tail}\n",
        hint="No image of this build was named and none was recorded; what runs is untouched.",
    )


@operation("name images")
def name_images(work: Building) -> None:
    """Give all images the names that people know them by, now that all are there.

    Touches:
        Names of images.
    """
    for wanted, built in work.made:
        if before := find_image(work.engine, built.tag):
            work.before[built.tag] = before.id
        work.named.append(built.tag)
        LocalRunner().run(images.tag(work.engine, f"{wanted.name}:{work.mark}", built.tag))


@operation("push images")
def push_images(work: Building, login: Registry) -> list[BuiltImage]:
    """Send the images to the registry where they are to go to one.

    Returns:
        Them, with the digests under which anybody can fetch them.

    Raises:
        StoreError: The registry did not take one.

    Touches:
        The registry.
    """
    made = [built for _, built in work.made]
    if not login.prefix:
        return made
    pushed = []
    for built in made:
        digest = push(work.engine, built.tag, username=login.username, password=login.password)
        report.logger().info("pushed %s", digest)
        pushed.append(built.model_copy(update={"digest": digest}))
    return pushed


@operation("record build")
def record_build(place: Workplace, work: Building, made: Sequence[BuiltImage]) -> Build:
    """Write the build down.

    Touches:
        `builds/` in the stack's folder.
    """
    sources = work.sources
    build = Build(
        version=sources.version, git_sha=sources.git_sha, dirty=sources.dirty, built_at=utc_now(), images=tuple(made)
    )
    save_build(place.state_dir, build)
    return build


def report_build(place: Workplace, work: Building, build: Build) -> None:
    """Show the images, their sizes and how long each took."""
    size, took = sum(one.size_bytes for one in build.images), sum(one.took_s for one in build.images)
    gist = f"**{build.version}**: {len(build.images)} images, {report.human_bytes(size)}, {took:.0f} s"
    gist += "".join(f"\n- ⚠ {text}" for text in _warnings(build, work))
    rows = [
        {
            "service": one.service,
            "image": one.tag,
            "id": one.id,
            "size": report.human_bytes(one.size_bytes),
            "took": f"{one.took_s:.1f} s",
            "in the registry": one.digest or "no",
        }
        for one in build.images
    ]
    report.table(f"build-{place.name}", rows, gist=gist)
    report.logger().info("%s", gist)


def _warnings(build: Build, work: Building) -> list[str]:
    dirty = "built from changes that no commit has; no deploy takes it by default" if build.dirty else ""
    return [text for text in (dirty, work.how.said) if text]


def build_all(
    place: Workplace, sources: Sources, *, login: Registry, only: Sequence[str] = (), attest: bool = False
) -> tuple[Building, Build]:
    """Build, name, push and record what sources have, all of it or nothing. Called from a flow's body."""
    wanted = plan_build(sources, only=only, registry=login.prefix)
    with building(sources, choose_builder(place.project, attest=attest)) as work:
        for one in wanted:
            build_image(work, one)
        name_images(work)
        return work, record_build(place, work, push_images(work, login))
