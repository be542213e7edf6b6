"""What was built, and what serves: a release is images by their ids, never by a tag that moves."""

from pydantic import AwareDatetime, Field

from pawpaw_ops.models.base import Noun, Verdict

VERSION = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"


class BuiltImage(Noun):
    """One image of a build.

    Attributes:
        service: Service of the Compose file that it is for.
        variable: Variable of the `.env` that names the service's image.
        tag: Name for people; another build may take it over.
        id: The engine's id of it, `sha256:…`: what is tested and deployed.
        digest: `name@sha256:…` where it was pushed to a registry; empty otherwise.
        size_bytes: Its size, layers that others share included.
        took_s: How long it took to build, in seconds.
    """

    service: str
    variable: str
    tag: str
    id: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")
    digest: str = ""
    size_bytes: int = 0
    took_s: float = 0.0


class Build(Noun):
    """What `build-images` made of one state of the sources.

    Attributes:
        version: Short git hash; of a tree with changes it says so and is never deployed by default.
        git_sha: Full hash of the commit.
        dirty: Whether the tree had changes that no commit has.
        images: One per service that is built here.
    """

    version: str = Field(pattern=VERSION)
    git_sha: str
    dirty: bool
    built_at: AwareDatetime
    images: tuple[BuiltImage, ...]


class BuildVerdict(Noun):
    """What `run-tests` found, bound to the images that it ran.

    Attributes:
        version: The build.
        ids: Service -> id of the image that was tested.
        verdict: Verified, failed, or not verified where a suite could not run.
        suites: Suite -> what it said, in one line.
    """

    version: str
    ids: dict[str, str]
    verdict: Verdict
    tested_at: AwareDatetime
    suites: dict[str, str]


class Release(Noun):
    """What serves, or served, the stack.

    Attributes:
        number: Counts the releases of the stack, from 1.
        id: `<version>-<number>`: what the gateway's log and marker say.
        version: The build that its images are of; empty where they were taken from the `.env`.
        images: Variable of the `.env` -> image id or `name@sha256:…`.
        git_sha: The commit that its images are of; empty where it is unknown.
        compose_sha256: Of the Compose file as it stood.
        env_prints: Variable -> keyed print of its value: tells that a value changed, never what it is.
        generation: The gateway's, from which it served.
        schema_version: The database's when it began to serve; None where it is unknown.
        contract: Whether it came with a migration that older releases cannot work with.
        back_from: Version that a rollback left for this; empty for a deploy.
    """

    number: int = Field(ge=1)
    id: str
    version: str
    images: dict[str, str]
    git_sha: str = ""
    compose_sha256: str
    env_prints: dict[str, str]
    generation: int
    schema_version: int | None
    contract: bool
    back_from: str = ""
    run_id: str
    actor: str
    why: str
    at: AwareDatetime


class Warm(Noun):
    """Replicas of the release before, which run without requests so that one switch brings them back.

    Attributes:
        ids: The containers.
        until: When they end, if nothing has ended them before.
        grace_s: How long they may take to end, in seconds.
    """

    ids: tuple[str, ...]
    until: AwareDatetime
    grace_s: float
