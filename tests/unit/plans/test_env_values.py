"""Values that nobody may see."""

from pawpaw_ops.plans.env_values import changes, prints, redact, secrets_of

VALUES = {
    "DB_PASSWORD": "canary-1",
    "JWT_SECRET": "canary-12",
    "DB_NAME": "pawpaw_db",
    "JWT_KID": "1",
    "API_KEY": "abc",
}


def test_deploy_I2_a_changed_secret_is_told_by_its_name() -> None:
    before, after = prints(VALUES, b"key"), prints({**VALUES, "DB_PASSWORD": "canary-2", "NEW": "x"}, b"key")
    del after["JWT_KID"]
    assert changes(before, after) == {"DB_PASSWORD": "changed", "JWT_KID": "removed", "NEW": "added"}
    assert "canary" not in str(before)
    assert changes(before, prints(VALUES, b"key")) == {}


def test_a_print_says_nothing_without_the_key() -> None:
    assert prints(VALUES, b"key")["JWT_KID"] != prints(VALUES, b"other")["JWT_KID"]


def test_deploy_I3_a_text_loses_the_secrets_in_it() -> None:
    assert secrets_of(VALUES) == ("canary-12", "canary-1")
    assert (
        redact("login with canary-12 and canary-1 to pawpaw_db", secrets_of(VALUES))
        == "login with ••• and ••• to pawpaw_db"
    )
