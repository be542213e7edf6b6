"""Steps of a deploy that only look: what is wanted, what runs, what differs, and whether it may begin."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pawpaw_ops.clients import releases
from pawpaw_ops.clients.compose_project import containers_of
from pawpaw_ops.clients.env_file import read_env
from pawpaw_ops.clients.images import ImageFacts
from pawpaw_ops.clients.services import read_services
from pawpaw_ops.commands import compose
from pawpaw_ops.errors import PreconditionError
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.models.registry import Registry
from pawpaw_ops.models.release import Build, Release, Warm
from pawpaw_ops.plans.deploy import DeployPlan, plan_deploy
from pawpaw_ops.plans.env_values import prints
from pawpaw_ops.plans.services import Kind, Service
from pawpaw_ops.plans.startup import Seen
from pawpaw_ops.session import Session
from pawpaw_ops.tasks.fetch_images import images_of
from pawpaw_ops.tasks.operation import operation

CURRENT = "current"
"""The version that stands for the images of the `.env`, when only settings changed."""


@dataclass(frozen=True)
class Aim:
    """The images that shall serve.

    Attributes:
        images: Variable of the `.env` -> image id or `name@sha256:…`.
        untested: Those of the variables whose image no test has run.
        git_sha: The commit that they are of; empty where it is unknown.
        back_from: The version that is left, for a rollback.
        back_to: The release that is gone back to.
    """

    version: str
    images: Mapping[str, str]
    untested: frozenset[str] = frozenset()
    git_sha: str = ""
    back_from: str = ""
    back_to: Release | None = None


@dataclass(frozen=True)
class Wanted:
    """What shall run, what runs, and the way from one to the other.

    Attributes:
        settings: Variables that will have another value than in the `.env`.
        images: Service -> facts of the image that it shall run.
        found: The containers that are there.
        env_prints: Variable -> keyed print of its value, as it will be.
        warm: Replicas that run without requests.
    """

    aim: Aim
    settings: dict[str, str]
    services: tuple[Service, ...]
    images: dict[str, ImageFacts]
    found: tuple[Seen, ...]
    plan: DeployPlan
    ledger: tuple[Release, ...]
    compose_sha256: str
    env_prints: dict[str, str]
    warm: Warm | None

    def service(self, name: str) -> Service:
        """Return a service by its name."""
        return next(one for one in self.services if one.name == name)

    @property
    def current(self) -> Release | None:
        """The release that serves; None where no deploy is on record."""
        return self.ledger[-1] if self.ledger else None


@operation("choose build")
def choose_build(do: Session, version: str, *, accept_untested: bool) -> Aim:
    """Find the images of a version.

    Raises:
        PreconditionError: There is no such build, its tests failed or were not run, or an image is another than the
            one that was tested.

    Touches:
        Nothing.
    """
    if version == CURRENT:
        ledger = releases.releases(do.stack.state_dir)
        current = ledger[-1] if ledger else None
        return Aim(version=current.version if current else "", images={}, git_sha=current.git_sha if current else "")
    build = releases.find_build(do.stack.state_dir, version)
    ran = _check_tested(do, build, accept_untested=accept_untested)
    return Aim(
        version=build.version,
        images={one.variable: one.digest or one.id for one in build.images},
        untested=frozenset(one.variable for one in build.images if one.id not in ran and not accept_untested),
        git_sha=build.git_sha,
    )


def _check_tested(do: Session, build: Build, *, accept_untested: bool) -> frozenset[str]:
    """Refuse what the tests do not vouch for; returns the ids of the images that they ran."""
    said = releases.find_tested(do.stack.state_dir, build.version)
    others = [one.service for one in build.images if said and said.ids.get(one.service, one.id) != one.id]
    if others:
        raise PreconditionError(
            f"the tests of {build.version} ran other images than it has now: {', '.join(others)}.",
            hint="Run run-tests again.",
        )
    if said is not None and said.verdict is Verdict.FAILED:
        raise PreconditionError(f"the tests of {build.version} failed.", hint="Mend it and build anew.")
    if (said is None or said.verdict is not Verdict.VERIFIED) and not accept_untested:
        raise PreconditionError(
            f"{build.version} is not tested.", hint="Run run-tests, or pass accept_untested=true if you know better."
        )
    return frozenset(said.ids.values() if said else ())


@operation("compare wanted and found")
def compare(do: Session, aim: Aim, *, may_stop: Sequence[str] = (), login: Callable[[], Registry] = Registry) -> Wanted:
    """Hold what shall run against what runs.

    Args:
        do: The session.
        aim: The images that shall serve.
        may_stop: Services that may be stopped and started again.
        login: Loads the login of the registry; called where only that has an image.

    Raises:
        ConfigError: The Compose file or the `.env` cannot be read.
        CommandError: Compose refuses them: a required variable has no value, for example; its words name it.
        PreconditionError: An image is not to be had, or there is no room for it.

    Touches:
        Nothing; an image that only its registry has is fetched, as `fetch_images` says.
    """
    project = do.stack.its_project()
    with ThreadPoolExecutor(2) as beside:
        found = beside.submit(containers_of, project)
        hashes = beside.submit(do.runner.ask, compose.hashes(project, env=aim.images))
        services = read_services(project, do.runner, env=aim.images)
        settings = {
            one.variable: aim.images[one.variable]
            for one in services
            if one.variable in aim.images and (one.kind is not Kind.SINGULAR or one.name in may_stop)
        }
        if never := sorted(settings.keys() & aim.untested):
            raise PreconditionError(
                f"no test of {aim.version} ran the image for {', '.join(never)}.",
                hint="Pass accept_untested=true if you know better.",
            )
        if settings != aim.images:  # one that may not be stopped keeps its image
            hashes = beside.submit(do.runner.ask, compose.hashes(project, env=settings))
        known = [one for one in services if one.kind is Kind.ROLLING or one.variable in aim.images]
        images, warm = images_of(do, known, login), releases.warm(do.stack.state_dir)
    plan = plan_deploy(
        services,
        found.result(),
        hashes=hashes.result(),
        image_ids={name: facts.id for name, facts in images.items()},
        may_stop=may_stop,
        warm=warm.ids if warm else (),
    )
    return Wanted(
        aim=aim,
        settings=settings,
        services=services,
        images=images,
        found=found.result(),
        plan=plan,
        ledger=releases.releases(do.stack.state_dir),
        compose_sha256=hashlib.sha256(project.file.read_bytes()).hexdigest(),
        env_prints=prints({**read_env(project.env_file), **settings}, releases.print_key(do.stack.state_dir)),
        warm=warm,
    )
