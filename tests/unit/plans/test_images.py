import pytest

from pawpaw_ops.errors import ConfigError, PreconditionError
from pawpaw_ops.plans.images import (
    WantedImage,
    check_clean,
    check_not_in_use,
    labels_of,
    public_address,
    registry_prefix,
    version_of,
    wanted_images,
)
from pawpaw_ops.plans.services import Kind, Service

SHA = "0123456789abcdef0123456789abcdef01234567"


def service(name: str, *, builds: bool = True, variable: str = "X_IMAGE") -> Service:
    return Service(name=name, kind=Kind.ROLLING, image=f"{name}:local", builds=builds, variable=variable)


def test_a_version_is_the_short_hash_and_says_so_when_the_tree_has_changes() -> None:
    assert version_of(SHA) == "0123456789ab"
    assert version_of(SHA, tree="fedcba9876543210") == "0123456789ab-dirty-fedcba98"


def test_changes_are_refused_by_name_and_only_a_few_are_named() -> None:
    check_clean((), allow_dirty=False)
    check_clean(("a",), allow_dirty=True)
    with pytest.raises(PreconditionError, match=r": 0, 1, 2, 3, 4 and 2 more\."):
        check_clean([str(number) for number in range(7)], allow_dirty=False)


def test_what_is_built_is_what_the_file_builds_or_what_was_chosen_of_it() -> None:
    services = (service("back_end", variable="B"), service("db", builds=False), service("web", variable="W"))
    assert wanted_images(services, only=(), project="paw") == (
        WantedImage(service="back_end", variable="B", name="paw-back-end"),
        WantedImage(service="web", variable="W", name="paw-web"),
    )
    (only,) = wanted_images(services, only=["web"], project="paw", registry="ghcr.io/torreon")
    assert only.name == "ghcr.io/torreon/paw-web"


def test_what_cannot_be_built_is_refused() -> None:
    with pytest.raises(ConfigError, match="db is not built by the Compose file; it builds web"):
        wanted_images((service("web"), service("db", builds=False)), only=["db"], project="paw")
    with pytest.raises(ConfigError, match="builds nothing"):
        wanted_images((service("db", builds=False),), only=(), project="paw")
    with pytest.raises(ConfigError, match="the image of web is not named by a variable"):
        wanted_images((service("web", variable=""),), only=(), project="paw")


def test_a_name_in_use_is_not_moved() -> None:
    wanted = (WantedImage(service="web", variable="W", name="paw-web"),)
    check_not_in_use(wanted, "1", {"W": "paw-web:local"})
    with pytest.raises(PreconditionError, match="runs web by the name paw-web:1"):
        check_not_in_use(wanted, "1", {"W": "paw-web:1"})


def test_labels_say_where_an_image_comes_from_and_leave_out_what_is_unknown() -> None:
    found = labels_of(version="1", git_sha=SHA, made_at="2026-01-01T00:00:00+00:00", source="/srv/git/shop.git")
    assert found == {
        "org.opencontainers.image.version": "1",
        "org.opencontainers.image.revision": SHA,
        "org.opencontainers.image.created": "2026-01-01T00:00:00+00:00",
    }


@pytest.mark.parametrize(
    ("remote", "told"),
    [
        ("https://example.com/paw/shop.git", "https://example.com/paw/shop.git"),
        ("https://someone:hidden@example.com:8443/paw/shop", "https://example.com:8443/paw/shop"),
        ("https://hidden@example.com/paw", "https://example.com/paw"),
        ("ssh://git@example.com:22/paw/shop.git", "https://example.com/paw/shop.git"),
        ("git@example.com:paw/shop.git", "https://example.com/paw/shop.git"),
        ("/srv/git/shop.git", ""),
        ("file:///srv/git/shop.git", ""),
        ("../shop", ""),
        ("", ""),
    ],
)
def test_an_address_is_told_without_its_login(remote: str, told: str) -> None:
    assert public_address(remote) == told


def test_the_names_of_a_registrys_images_begin_with_its_address() -> None:
    assert registry_prefix("https://ghcr.io/torreon/") == "ghcr.io/torreon"
    assert registry_prefix("127.0.0.1:5000") == "127.0.0.1:5000"
