"""`audit-dependencies` with the real npm, a registry on loopback, and a double of GitHub."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from blocks import GitHubRepository, Stack
from flows.audit_dependencies import audit_dependencies
from pawpaw_ops.clients.releases import find_tested
from pawpaw_ops.errors import ConfigError, PreconditionError, VerificationError
from pawpaw_ops.models.base import Verdict, utc_now
from pawpaw_ops.models.finding import Severity
from pawpaw_ops.models.release import Build
from pawpaw_ops.tasks import dependencies, update_dependencies
from pawpaw_ops.tasks.update_dependencies import Change
from tests.integration.stack.support_npm import Registry, npm_registry, write_part
from tests.integration.stack.support_shop_double import ShopDouble
from tests.integration.support_github import TOKEN, GitHubDouble, github_double

pytestmark = pytest.mark.usefixtures("docker_engine", "prefect_api")
NOW = utc_now()
OLD, YESTERDAY = NOW - timedelta(days=400), (NOW - timedelta(days=1)).replace(hour=12, minute=30)
DAY = timedelta(days=1)
DUE = (YESTERDAY + timedelta(days=8)).date()
"""The first day that begins a week after yesterday's version was published."""


@pytest.fixture
def registry() -> Iterator[Registry]:
    """`tiny-pad` does harm and is mended; `young-pad` was mended yesterday; `qs` is fine."""
    with npm_registry() as made:
        made.publish("tiny-pad", "1.0.0", OLD)
        made.publish("tiny-pad", "1.0.1", OLD + DAY)
        made.publish("young-pad", "2.0.0", OLD)
        made.publish("young-pad", "2.0.1", YESTERDAY)
        made.publish("qs", "6.0.0", OLD)
        yield made


@pytest.fixture
def shop(tmp_path: Path, registry: Registry) -> Iterator[ShopDouble]:
    made = ShopDouble(tmp_path)
    yield made
    made.remove()


def lay_out(shop: ShopDouble, registry: Registry, **wanted: str) -> Path:
    """Give both parts packages; returns the file that a script would make."""
    canary = shop.repository.parent / "a-script-ran"
    for part in ("backend", "frontend"):
        write_part(shop.folder / part, registry, canary, **(wanted if part == "backend" else {"qs": "^6.0.0"}))
    shop.commit("packages")
    return canary


def change(shop: ShopDouble) -> Change:
    place = Stack.named(shop.name).workplace()
    with update_dependencies.workshop(place) as folder:
        made: Change = update_dependencies.make_change.fn(place, folder, min_age_days=7)
    return made


def test_audit_DEP_02_findings_of_a_real_npm_and_a_registry_that_refuses_are_told_apart(
    shop: ShopDouble, registry: Registry
) -> None:
    advisory = registry.warn("tiny-pad", "<1.0.1", "high")
    lay_out(shop, registry, tiny_pad="^1.0.0", qs="^6.0.0")
    found = dependencies.audit_npm.fn(shop.folder)
    assert [(one.check, one.where, one.verdict) for one in found] == [
        (advisory, "backend: tiny-pad", Verdict.FAILED),
        ("npm-audit", "frontend", Verdict.VERIFIED),
    ]
    registry.refuses = 405
    away = dependencies.audit_npm.fn(shop.folder)
    assert {one.verdict for one in away} == {Verdict.NOT_VERIFIED}
    assert "405" in away[0].says
    with pytest.raises(VerificationError, match="npm-audit"):
        audit_dependencies(stack=shop.name)
    with pytest.raises(PreconditionError, match="is not known"):
        change(shop)


def test_audit_DEP_04_a_waiver_beside_the_compose_file_is_read(shop: ShopDouble, registry: Registry) -> None:
    """What cannot be looked at from where the tests run is waived too; without the waivers the same run fails."""
    advisory = registry.warn("tiny-pad", "<1.0.1", "critical")
    lay_out(shop, registry, tiny_pad="^1.0.0")
    with pytest.raises(VerificationError, match=advisory):
        audit_dependencies(stack=shop.name)
    until = NOW.date() + timedelta(days=30)
    waivers = [
        f'[[waiver]]\ncheck = "{check}"\nreason = "as the test wants it"\nuntil = {until}\n'
        for check in (advisory, "pip-audit", "end-of-life", "image-scan")
    ]
    (shop.folder / "waivers.toml").write_text("\n".join(waivers))
    assert "aceptado" in audit_dependencies(stack=shop.name)
    old = (shop.folder / "waivers.toml").read_text().replace(str(until), str(NOW.date() - timedelta(days=1)))
    (shop.folder / "waivers.toml").write_text(old)
    with pytest.raises(VerificationError, match="which is over"):
        audit_dependencies(stack=shop.name)


def test_audit_DEP_03_DEP_06_only_locks_change_no_script_runs_and_what_is_too_young_waits(
    shop: ShopDouble, registry: Registry
) -> None:
    mended, young = registry.warn("tiny-pad", "<1.0.1", "high"), registry.warn("young-pad", "<2.0.1", "high")
    canary = lay_out(shop, registry, tiny_pad="^1.0.0", young_pad="^2.0.0")
    head = shop.git("rev-parse", "HEAD")
    made = change(shop)
    assert shop.git("diff", "--name-only", head, made.commit).split() == ["stack/backend/package-lock.json"]
    lock = shop.git("show", f"{made.commit}:stack/backend/package-lock.json")
    assert '"1.0.1"' in lock
    assert '"2.0.1"' not in lock
    assert [one.check for one in made.before if one.verdict is Verdict.FAILED] == [mended, young]
    assert [one.check for one in made.after if one.verdict is Verdict.FAILED] == [young]
    (waits,) = made.waiting
    assert waits.endswith(f"a fix of {young} is out, and is younger than 7 days: it is taken from {DUE} on")
    assert not canary.exists()
    assert shop.git("status", "--porcelain", "--untracked-files=no") == ""
    assert shop.git("rev-parse", "HEAD") == head
    assert shop.git("branch", "--list").split() == ["*", "main"]


def test_audit_DEP_03_where_all_fixes_are_too_young_it_says_so_and_forces_nothing(
    shop: ShopDouble, registry: Registry
) -> None:
    advisory = registry.warn("young-pad", "<2.0.1", "high")
    lay_out(shop, registry, young_pad="^2.0.0")
    with pytest.raises(
        PreconditionError, match=rf"{advisory} is out, and is younger than 7 days: it is taken from {DUE} on.*by force"
    ):
        change(shop)


def test_audit_DEP_01_a_fix_that_brings_something_worse_is_thrown_away(shop: ShopDouble, registry: Registry) -> None:
    """npm itself takes it: it looks at what is known against the old lock alone."""
    registry.publish("worse", "1.0.0", OLD)
    registry.packages["tiny-pad"]["1.0.1"] = (OLD + DAY, {"worse": "1.0.0"})
    registry.warn("tiny-pad", "<1.0.1", "low")
    registry.warn("worse", "*", "critical")
    lay_out(shop, registry, tiny_pad="^1.0.0")
    head, objects = shop.git("rev-parse", "HEAD"), shop.git("count-objects")
    with pytest.raises(VerificationError, match=r"1 more critical\. It was thrown away"):
        change(shop)
    assert (shop.git("rev-parse", "HEAD"), shop.git("count-objects")) == (head, objects)
    assert shop.git("status", "--porcelain", "--untracked-files=no") == ""


@pytest.fixture
def github(shop: ShopDouble) -> Iterator[GitHubDouble]:
    """A double of GitHub, and an origin that takes branches."""
    upstream = shop.repository.parent / "upstream.git"
    shop.git("init", "--quiet", "--bare", str(upstream))
    shop.git("remote", "set-url", "origin", str(upstream))
    with github_double() as there:
        repository = GitHubRepository(repository="paw/shop", token=SecretStr(TOKEN), api_url=there.url)
        Stack.named(shop.name).model_copy(update={"github": repository}).save(shop.name, overwrite=True)
        yield there


def branches(shop: ShopDouble) -> list[str]:
    """Return the branches of the origin."""
    said = shop.git("ls-remote", "--heads", "origin")
    return [line.split("refs/heads/")[1] for line in said.splitlines()]


def test_audit_DEP_05_a_tested_change_is_asked_for_with_its_evidence(
    shop: ShopDouble, registry: Registry, github: GitHubDouble
) -> None:
    advisory = registry.warn("tiny-pad", "<1.0.1", "high")
    lay_out(shop, registry, tiny_pad="^1.0.0")
    url = audit_dependencies(stack=shop.name, update=True)
    assert github.violations == []
    (pull,) = github.pulls
    assert url == f"{github.url}/pull/1"
    assert [pull["head"]] == branches(shop)
    assert pull["base"] == "main"
    assert "1 high fewer" in pull["title"]
    assert advisory in pull["body"]
    assert f"| {Severity.HIGH} | 1 | 0 |" in pull["body"]


def test_audit_DEP_05_when_the_tests_fail_nothing_is_asked_for_and_the_evidence_stays(
    shop: ShopDouble, registry: Registry, github: GitHubDouble
) -> None:
    registry.warn("tiny-pad", "<1.0.1", "high")
    shop.write("backend/npx", "#!/bin/sh\necho it went wrong here\nexit 1\n")
    lay_out(shop, registry, tiny_pad="^1.0.0")
    with pytest.raises(VerificationError):
        audit_dependencies(stack=shop.name, update=True)
    assert github.pulls == []
    assert branches(shop) == []
    (version,) = [name.removesuffix(".tested.json") for name in shop.records() if name.endswith(".tested.json")]
    said = find_tested(shop.state_dir, version)
    assert said is not None
    assert said.verdict is not Verdict.VERIFIED
    assert "it went wrong here" in (shop.state_dir / "tests" / version / "backend.log").read_text()


def test_audit_DEP_05_without_a_repository_on_github_it_is_said_that_nobody_can_be_asked(shop: ShopDouble) -> None:
    place = Stack.named(shop.name).workplace()
    made = Change(commit="0" * 40, branch="b", before=(), after=(), waiting=())
    build = Build(version="v1", git_sha="0" * 40, dirty=False, built_at=NOW, images=())
    with pytest.raises(ConfigError, match="no repository on GitHub"):
        update_dependencies.propose.fn(place, made, build, None, base="main")
