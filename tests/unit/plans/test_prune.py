"""What may go from an engine, as arithmetic of sets."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawpaw_ops.errors import PreconditionError
from pawpaw_ops.models.inventory import Image, Inventory, OneOff, Sighting
from pawpaw_ops.models.release import Build, BuiltImage, Release
from pawpaw_ops.plans import prune
from pawpaw_ops.plans.prune import Limits, PrunePlan, Records

NOW = datetime(2026, 8, 1, tzinfo=UTC)
OLD = NOW - timedelta(days=30)
LIMITS = Limits(releases=2, builds=1)
API = "paw-api"


def sha(name: str) -> str:
    return f"sha256:{name.encode().hex():0>64}"


def image(name: str, *names: str, parent: str = "", size: int = 10) -> Image:
    return Image(id=sha(name), names=names, parent=sha(parent) if parent else "", size_bytes=size)


def release(number: int, name: str, *, version: str = "", back_from: str = "") -> Release:
    return Release(
        number=number, id=f"{version or name}-{number}", version=version or name, images={"API_IMAGE": sha(name)},
        compose_sha256="", env_prints={}, generation=number, schema_version=1, contract=False, back_from=back_from,
        run_id="r", actor="a", why="w", at=OLD,
    )  # fmt: skip


def build(name: str, at: datetime = OLD) -> Build:
    made = BuiltImage(service="api", variable="API_IMAGE", tag=f"{API}:{name}", id=sha(name))
    return Build(version=name, git_sha="0" * 40, dirty=False, built_at=at, images=(made,))


def records(*names: str, builds: Sequence[Build] = (), **more: frozenset[str]) -> Records:
    """Releases of these images, oldest first."""
    ledger = tuple(release(number, name) for number, name in enumerate(names, 1))
    return Records(ledger=ledger, builds=tuple(builds), repositories=frozenset({API}), **more)


def plan(
    inventory: Inventory,
    on_record: Records,
    *,
    seen: Mapping[str, Sighting] | None = None,
    limits: Limits = LIMITS,
) -> PrunePlan:
    """Everything was seen long ago, unless told otherwise."""
    before = seen if seen is not None else {one.id: Sighting(at=OLD, names=one.names) for one in inventory.images}
    return prune.plan_prune(inventory, prune.see(inventory, before, on_record, NOW), on_record, limits, NOW)


def gone(made: PrunePlan) -> list[str]:
    return [bytes.fromhex(one.id.removeprefix("sha256:")).lstrip(b"\0").decode() for one in made.images]


V = [f"v{number}" for number in range(1, 7)]
SIX = tuple(image(name, f"{API}:{name}") for name in V)


def test_prune_PRN_02_what_serves_and_the_releases_to_go_back_to_stay() -> None:
    made = plan(Inventory(images=SIX), records(*V))
    assert sorted(gone(made)) == ["v1", "v2", "v3"]
    assert made.kept[sha("v6")] == "versión v6-6"


def test_deploy_H4_what_a_deploy_will_run_stays_by_its_id_and_by_its_digest() -> None:
    """It may be older than all that is kept: somebody goes a long way back, or deploys an old build again."""
    digest = f"registry.example/{API}@{sha('any')}"
    pulled = image("v2").model_copy(update={"digests": (digest,)})
    needed = frozenset({sha("v1"), digest})
    on_record = records(*V, needed=needed).model_copy(
        update={"repositories": frozenset({API, f"registry.example/{API}"})}
    )
    made = plan(Inventory(images=(SIX[0], pulled, *SIX[2:])), on_record)
    assert gone(made) == ["v3"]
    assert {made.kept[sha(name)] for name in ("v1", "v2")} == {"la necesita el despliegue que está en curso"}


def test_prune_PRN_02_a_release_without_a_name_stays_and_one_that_nobody_goes_back_to_goes() -> None:
    """Its tag moved to a newer build, so that `docker image prune` would take the way back."""
    bare = (image("v1"), *SIX[1:4], image("v5"), SIX[5])
    made = plan(Inventory(images=bare), records(*V))
    assert sorted(gone(made)) == ["v1", "v2", "v3"]


def test_prune_PRN_02_a_release_that_a_rollback_left_is_no_way_back() -> None:
    ledger = (release(1, "v1"), release(2, "v2"), release(3, "v3"), release(4, "v2", back_from="v3"))
    kept = prune.kept_releases(ledger, 1)
    assert [one.version for one in kept] == ["v2", "v1"]


def test_prune_PRN_09_what_has_another_name_or_no_name_of_ours_is_not_ours() -> None:
    """One name of another's on the very same image is enough; so is one that it once had."""
    foreign = (
        image("theirs", "postgres:15"),
        image("nobody's"),
        image("both", f"{API}:x", "other/api:1"),
        image("was-theirs", f"{API}:y"),
    )
    seen = {one.id: Sighting(at=OLD) for one in foreign} | {sha("was-theirs"): Sighting(at=OLD, names=("other/z:1",))}
    made = plan(Inventory(images=(*foreign, image("v1", f"{API}:v1"))), records("v1"), seen=seen)
    assert made.nothing
    assert list(made.kept) == [sha("v1")]


def test_prune_what_a_container_uses_is_pinned_named_by_the_env_or_built_last_stays() -> None:
    extra = (
        image("used", f"{API}:used"),
        image("pinned", f"{API}:a", f"{API}:keep-black-friday"),
        image("named", f"{API}:local"),
        image("built", f"{API}:built"),
        image("superfluous", f"{API}:b"),
    )
    on_record = records("v1", builds=[build("built"), build("superfluous", OLD - timedelta(days=1))],
                        wanted=frozenset({f"{API}:local"}))  # fmt: skip
    made = plan(Inventory(images=(*extra, SIX[0]), used={sha("used"): "somebody-1"}), on_record)
    assert gone(made) == ["superfluous"]
    assert made.kept[sha("used")] == "contenedor somebody-1"


def test_prune_PRN_11_an_image_is_as_old_as_its_time_here() -> None:
    """However long ago CI built it; what a clock says that was set back protects too."""
    late = {sha("new"): Sighting(at=NOW - timedelta(hours=1)), sha("ahead"): Sighting(at=NOW + timedelta(days=9))}
    images = (image("new", f"{API}:n"), image("ahead", f"{API}:m"), image("first", f"{API}:o"), SIX[0])
    made = plan(Inventory(images=images), records("v1"), seen=late)
    assert made.nothing
    assert {made.kept[sha(name)] for name in ("new", "ahead", "first")} == {"llegó hace poco"}


def test_prune_PRN_13_without_a_ledger_nothing_is_known_to_be_superfluous() -> None:
    with pytest.raises(PreconditionError, match="no release is on record"):
        plan(Inventory(images=SIX), records())


def test_prune_PRN_05_an_engine_without_the_images_that_serve_is_another_engine() -> None:
    with pytest.raises(PreconditionError, match="nothing was removed"):
        plan(Inventory(images=SIX[:3]), records(*V))


def test_prune_layers_go_with_the_last_image_that_lies_on_them_and_those_first() -> None:
    images = (
        image("base", "node:22"),
        image("layer", parent="base"),
        image("v1", f"{API}:v1", parent="layer"),
        image("upper", parent="v1"),
        image("v2", f"{API}:v2", parent="upper"),
        image("v3", f"{API}:v3", parent="base"),
    )
    made = plan(Inventory(images=images), records("v3"))
    assert gone(made) == ["v2", "upper", "v1", "layer"]
    held = Inventory(images=(*images, image("theirs", "other:1", parent="upper")))
    assert gone(plan(held, records("v3"))) == ["v2"]
    assert gone(plan(Inventory(images=images, used={sha("upper"): "x"}), records("v3"))) == ["v2"]


def test_prune_only_ended_one_offs_that_are_old_go() -> None:
    young, old = (OneOff(id=name, name=name, created_at=at) for name, at in (("a", NOW), ("b", OLD)))
    made = plan(Inventory(images=SIX, one_offs=(young, old)), records(*V), limits=Limits(releases=9))
    assert made.one_offs == (old,)
    assert made.images == ()


def test_prune_a_plan_is_told_by_what_goes_and_by_nothing_else() -> None:
    first, again = plan(Inventory(images=SIX), records(*V)), plan(Inventory(images=SIX[::-1]), records(*V))
    assert first.id == again.id != plan(Inventory(images=SIX[1:]), records(*V)).id
    assert first.frees_bytes == 30


def test_prune_PRN_02_what_the_manuals_command_would_take_is_told() -> None:
    """`docker system prune -a` leaves what runs: of three releases to keep, one."""
    world = Inventory(images=SIX, used={sha("v6"): "a", sha("v5"): "b"}, running=frozenset({sha("v6")}))
    assert prune.lost_otherwise(world, records(*V), LIMITS) == ("v5-5", "v4-4")


NAMES = st.lists(st.sampled_from([f"{API}:a", f"{API}:b", f"{API}:keep-c", "other:1"]), max_size=2, unique=True)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Inventory, Records, dict[str, Sighting]]:
    """Engines with images on one another, some used, some recorded, some young."""
    ids = [f"i{number}" for number in range(draw(st.integers(1, 10)))]
    images = [
        image(name, *draw(NAMES), parent=draw(st.sampled_from(["", *ids[:at]])), size=draw(st.integers(0, 9)))
        for at, name in enumerate(ids)
    ]
    some = st.lists(st.sampled_from(ids), max_size=4)
    used = {sha(name): "somebody" for name in draw(some)}
    on_record = records(*draw(some), ids[0], builds=[build(name) for name in dict.fromkeys(draw(some))])
    ages = st.sampled_from([OLD, NOW - timedelta(hours=1), NOW + timedelta(days=1)])
    seen = {one.id: Sighting(at=draw(ages), names=one.names) for one in images if draw(st.booleans())}
    return Inventory(images=tuple(images), used=used), on_record, seen


@given(worlds())
def test_prune_PRN_01_nothing_that_is_protected_goes(world: tuple[Inventory, Records, dict[str, Sighting]]) -> None:
    """Whatever the engine and the records look like; and after it went, nothing more goes."""
    inventory, on_record, seen = world
    made = plan(inventory, on_record, seen=seen)
    going, by_id = {one.id for one in made.images}, {one.id: one for one in inventory.images}
    served = {ref for one in prune.kept_releases(on_record.ledger, LIMITS.releases) for ref in one.images.values()}
    assert not going & ({*inventory.used} | served | {*made.kept})
    for image_id in going:
        one = by_id[image_id]
        assert all(prune.repository(name) == API and ":keep" not in name for name in one.names)
        assert all(child.id in going for child in inventory.images if child.parent == image_id)
        at = seen.get(image_id)
        assert not one.names or (at and at.at == OLD) or image_id in {i.id for b in on_record.builds for i in b.images}
    order = [one.id for one in made.images]
    assert all(order.index(one) < order.index(by_id[one].parent) for one in order if by_id[one].parent in going)
    left = inventory.model_copy(update={"images": tuple(one for one in inventory.images if one.id not in going)})
    assert plan(left, on_record, seen=prune.see(inventory, seen, on_record, NOW)).images == ()


@pytest.mark.parametrize(
    ("name", "where"),
    {
        "api:1": "api",
        "localhost:5000/paw/api": "localhost:5000/paw/api",
        "localhost:5000/paw/api:1": "localhost:5000/paw/api",
        "paw/api@sha256:ab": "paw/api",
    }.items(),
)
def test_prune_PRN_09_a_repository_is_a_name_without_its_tag(name: str, where: str) -> None:
    assert prune.repository(name) == where
