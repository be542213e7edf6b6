"""Values that nobody may see."""

import pytest

from pawpaw_ops.errors import ConfigError
from pawpaw_ops.plans.env_values import changes, check_text, edit, prints, secrets_of
from pawpaw_ops.redaction import redact

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
    text = "login with canary-12 and canary-1 to pawpaw_db"
    assert redact(text, also=secrets_of(VALUES)) == "login with *** and *** to pawpaw_db"


@pytest.mark.parametrize(
    "text",
    [
        "# kept\r\nDB_PASSWORD=old-one\r\nOTHER='a b' # also\r\n",
        "  DB_PASSWORD='old-one'  \nexport OTHER=$x\n\n",
        'A=1\nDB_PASSWORD="old-one"',
    ],
)
def test_rotate_ROT_19_all_but_the_value_stays_byte_for_byte_and_comes_back_so(text: str) -> None:
    changed = edit(text, {"DB_PASSWORD": "new-one"})
    assert changed == text.replace("old-one", "new-one")
    assert edit(changed, {"DB_PASSWORD": "old-one"}) == text


@pytest.mark.parametrize(
    "line",
    [
        "export DB_PASSWORD=a",
        "DB_PASSWORD = a",
        "DB_PASSWORD: a",
        "DB_PASSWORD=a # of the database",
        "DB_PASSWORD=a$b",
        "DB_PASSWORD='a\nb'",
        'OTHER="begins here\nDB_PASSWORD=a"',
    ],
)
def test_rotate_ROT_19_a_line_that_would_not_be_found_again_is_named(line: str) -> None:
    with pytest.raises(ConfigError, match=r"^line 2 ") as seen:
        check_text(f"A=1\n{line}\n", ["DB_PASSWORD"])
    assert "=a" not in str(seen.value)


def test_rotate_ROT_19_odd_lines_of_others_are_nobodys_business() -> None:
    check_text("export A=$b\nB=a b # c\nDB_PASSWORD='a-b'\r\n# DB_PASSWORD = x\n", ["DB_PASSWORD"])
