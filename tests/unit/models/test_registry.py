from pydantic import SecretStr

from pawpaw_ops.models.registry import Registry


def test_a_password_is_in_no_text_of_it() -> None:
    login = Registry(prefix="ghcr.io/paw", username="paw", password=SecretStr("made-up"))
    assert "made-up" not in repr(login) + str(login) + login.model_dump_json()
    assert not Registry().prefix


def test_a_login_goes_to_its_own_registry_alone() -> None:
    login = Registry(prefix="ghcr.io/paw", username="paw", password=SecretStr("made-up"))
    assert login.for_image("ghcr.io/paw/api@sha256:1") == login
    for ref in ("ghcr.io.example/paw/api@sha256:1", "example/ghcr.io/api", "api:1"):
        assert login.for_image(ref) == Registry()
    assert Registry().for_image("api:1") == Registry()
