"""How npm and pip-audit are spoken to."""

from pathlib import Path

import pytest

from pawpaw_ops.commands import packages


@pytest.mark.parametrize("before", ["", "2026-07-25"])
def test_audit_DEP_06_npm_writes_locks_alone_and_runs_no_script_and_never_forces(before: str) -> None:
    fix = packages.npm_fix(Path("/shop"), before=before)
    assert fix.argv[:3] == ("npm", "audit", "fix")
    assert {"--package-lock-only", "--ignore-scripts"} <= {*fix.argv}
    assert ("--before" in fix.argv) == bool(before)
    assert not [word for word in fix.argv if "force" in word]
    assert fix.cwd == Path("/shop")


def test_audit_DEP_02_what_is_no_json_says_nothing() -> None:
    for query in (packages.npm_audit(Path("/shop")), packages.pip_audit()):
        assert query.command.ok_codes == (0, 1)
        assert query.parse("npm error audit endpoint returned an error") == {}
        assert query.parse("[1]") == {}
        assert query.parse('{"vulnerabilities": {}}') == {"vulnerabilities": {}}


def test_audit_DEP_03_when_a_package_was_published_is_asked_of_the_folders_own_registry() -> None:
    query = packages.npm_published(Path("/shop"), "@b/c")
    assert " ".join(query.command.argv) == "npm view --json -- @b/c time"
    assert query.command.cwd == Path("/shop")
    assert query.parse('{"1.0.0": "2026-08-01T00:00:00.000Z"}') == {"1.0.0": "2026-08-01T00:00:00.000Z"}


def test_audit_a_scanner_gets_the_image_wherever_its_words_name_it() -> None:
    query = packages.scan(("scan", "--of={image}", "{image}"), image="shop:1", engine="tcp://10.0.0.1:2376")
    assert query.command.argv == ("scan", "--of=shop:1", "shop:1")
    assert query.command.env["DOCKER_HOST"] == "tcp://10.0.0.1:2376"
    assert query.parse("no JSON") == {}
