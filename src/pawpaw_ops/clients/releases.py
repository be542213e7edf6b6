"""The records of builds and releases in the stack's folder."""

import secrets
from pathlib import Path

from pydantic import TypeAdapter

from pawpaw_ops.clients.files import append_line, write_whole
from pawpaw_ops.clients.records import read_lines, read_record
from pawpaw_ops.errors import PreconditionError
from pawpaw_ops.models.release import Build, BuildVerdict, Release, Warm

RELEASE, WARM = TypeAdapter(Release), TypeAdapter(Warm)
BUILD = "`prefect deployment run build-images/…` builds one."


def releases(state_dir: Path) -> tuple[Release, ...]:
    """Return the stack's releases, oldest first.

    Raises:
        ConfigError: The file holds something else.
    """
    return read_lines(_ledger(state_dir), RELEASE, hint="Mend or move it; the next deploy begins anew.")


def record(state_dir: Path, release: Release) -> None:
    """Write a release down; one that is there already is left alone.

    Touches:
        `releases.jsonl`.
    """
    if any(one.id == release.id for one in releases(state_dir)):
        return
    append_line(_ledger(state_dir), release.model_dump_json())


def warm(state_dir: Path) -> Warm | None:
    """Return the replicas that are kept warm; None where there are none.

    Raises:
        ConfigError: The file holds something else.
    """
    return read_record(_warm(state_dir), WARM, hint="Remove it; the next deploy ends what it was about.")


def keep_warm(state_dir: Path, replicas: Warm | None) -> None:
    """Write down which replicas are kept warm; None says that none are any more.

    Touches:
        `warm.json`.
    """
    if replicas is None:
        _warm(state_dir).unlink(missing_ok=True)
    else:
        write_whole(_warm(state_dir), replicas.model_dump_json())


def print_key(state_dir: Path) -> bytes:
    """Return the key of the stack's prints of `.env` values, made when there is none.

    Touches:
        `env.key`, mode 0600.
    """
    path = state_dir / "env.key"
    if not path.exists():
        state_dir.mkdir(parents=True, exist_ok=True)
        write_whole(path, secrets.token_hex(32), mode=0o600)
    return path.read_bytes()


def save_build(state_dir: Path, build: Build) -> None:
    """Write a build down; what was said of an older one of that version no longer holds.

    Touches:
        `builds/`.
    """
    folder = _builds(state_dir)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{build.version}.tested.json").unlink(missing_ok=True)
    write_whole(folder / f"{build.version}.json", build.model_dump_json(indent=1))


def save_tested(state_dir: Path, tested: BuildVerdict) -> None:
    """Write down what the tests said of a build.

    Touches:
        `builds/`.
    """
    write_whole(_builds(state_dir) / f"{tested.version}.tested.json", tested.model_dump_json(indent=1))


def builds(state_dir: Path) -> tuple[Build, ...]:
    """Return the builds on record, in no order."""
    return tuple(Build.model_validate_json(path.read_text()) for path in _build_files(state_dir))


def find_build(state_dir: Path, version: str) -> Build:
    """Return a build: the newest for `newest`, else the one of that version.

    Raises:
        PreconditionError: There is none.
    """
    found = builds(state_dir)
    if version == "newest":
        clean = [build for build in found if not build.dirty]
        if not clean:
            raise PreconditionError("no build of a clean tree is on record.", hint=BUILD)
        return max(clean, key=lambda build: build.built_at)
    for build in found:
        if build.version == version:
            return build
    known = ", ".join(sorted(build.version for build in found)) or "none"
    raise PreconditionError(f"no build {version!r} is on record; known are {known}.", hint=BUILD)


def find_tested(state_dir: Path, version: str) -> BuildVerdict | None:
    """Return what the tests said of a build; None where they were not run."""
    path = _builds(state_dir) / f"{version}.tested.json"
    return BuildVerdict.model_validate_json(path.read_text()) if path.exists() else None


def _build_files(state_dir: Path) -> list[Path]:
    return [path for path in _builds(state_dir).glob("*.json") if not path.name.endswith(".tested.json")]


def _builds(state_dir: Path) -> Path:
    return state_dir / "builds"


def _warm(state_dir: Path) -> Path:
    return state_dir / "warm.json"


def _ledger(state_dir: Path) -> Path:
    return state_dir / "releases.jsonl"
