from pydantic import SecretStr

from pawpaw_ops.models.registry import Registry


def test_a_password_is_in_no_text_of_it() -> None:
    login = Registry(prefix="ghcr.io/paw", username="paw", password=SecretStr("made-up"))
    assert "made-up" not in repr(login) + str(login) + login.model_dump_json()
    assert not Registry().prefix
