"""Which files of older releases stay."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from pawpaw_ops.clients import assets
from pawpaw_ops.models.project import Project

AT = datetime(2026, 11, 24, tzinfo=UTC)


def put(folder: Path, image: str, hours: int, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(image)
    (folder / f"{image}.json").write_text(assets.Kept(at=AT + timedelta(hours=hours), names=names).model_dump_json())


def test_what_a_kept_release_shares_with_one_that_goes_stays(tmp_path: Path) -> None:
    project = Project(name="x", file=tmp_path, env_file=tmp_path, upstreams=tmp_path)
    folder = tmp_path / assets.FOLDER
    put(folder, "old", 1, "assets/logo.svg", "assets/old.js")
    put(folder, "new", 3, "assets/logo.svg", "assets/new.js")
    put(folder, "mid", 2, "assets/mid.js")
    assert assets.forget(project, retain=3) == 0
    assert assets.forget(project, retain=2) == 1
    assert assets.forget(project, retain=1) == 1
    left = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert left == ["assets/logo.svg", "assets/new.js", "new.json"]
