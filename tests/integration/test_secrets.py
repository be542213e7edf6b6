"""Canaries: every credential is a word that must be found nowhere after the verbs ran."""

import secrets
import traceback
from collections.abc import Iterator

import pytest
from prefect.logging.handlers import APILogHandler
from pydantic import SecretStr

from flows.backup import backup_db
from flows.list_backups import list_backups
from flows.restore import restore_db
from flows.undo_restore import undo_restore
from pawpaw_ops.errors import OpsError, VerificationError
from pawpaw_ops.models.store import S3Settings
from pawpaw_ops.testing import at_entry
from tests.integration.support_canaries import ArgvSampler, files
from tests.integration.support_s3 import bucket
from tests.integration.support_stack import Kit


@pytest.fixture
def canaries(tiny: Kit, rclone: S3Settings) -> Iterator[dict[str, str]]:
    """A stack whose every credential is a canary: the database's password, the bucket's key, the age identity."""
    role, word = f"ops_{tiny.name}", f"canary-{secrets.token_hex(8)}"
    tiny.sql(f"CREATE ROLE {role} SUPERUSER LOGIN PASSWORD '{word}'")
    tiny.save_blocks(database={"user": role, "password": SecretStr(word)}, **bucket(rclone))
    yield {
        "database password": word,
        "bucket key": rclone.secret_access_key.get_secret_value(),
        "age identity": str(tiny.identity),
    }
    tiny.save_blocks()
    tiny.sql(f"REASSIGN OWNED BY {role} TO postgres; DROP OWNED BY {role}; DROP ROLE {role}")


def test_rotate_SEC_02_an_error_that_quotes_a_login_is_told_without_its_password(
    tiny: Kit, canaries: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """The error, those that it came from, Prefect's logs and states, the record, the journal."""
    word, said = canaries["database password"], "tried postgresql://ops:***@127.0.0.1:5432/shop"
    quoted = said.replace("***", word)

    def fail() -> None:
        raise VerificationError(f"{quoted} as {word!r}.") from ValueError(f"host=h password={word}")

    with at_entry("step", "make scratch folder", fail), pytest.raises(OpsError, match=r"ops:\*\*\*@") as seen:
        backup_db(stack=tiny.name)
    APILogHandler().flush()
    places = {"error": "".join(traceback.format_exception(seen.value)).encode(), "logs": caplog.text.encode()}
    places |= {str(path): path.read_bytes() for path in files(tiny.state_dir, tiny.store_folder)}
    assert [where for where, held in places.items() if word.encode() in held] == []
    told = [where for where, held in places.items() if said.encode() in held]
    assert {"error", "logs"} < set(told)
    assert any(".db" in where for where in told), "Prefect was told of the error"


def test_no_canary_is_found_anywhere(tiny: Kit, canaries: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    """Prefect's database and files, logs, journal, staging, store, arguments: no credential in any of them."""
    with ArgvSampler() as argv:
        backup_db(stack=tiny.name, export_sql=True)
        list_backups(stack=tiny.name)
        tiny.sql("TRUNCATE dos")
        restore_db(stack=tiny.name, approve=True)
        undo_restore(stack=tiny.name, approve=True)
        with pytest.raises(OpsError):
            restore_db(stack=tiny.name, backup="20200101T000000Z-00000000", approve=True)

    places = {"logs": caplog.text.encode(), "arguments": "\n".join(argv.seen).encode()}
    places |= {str(path): path.read_bytes() for path in files(tiny.state_dir, tiny.store_folder)}
    found = [
        (name, where) for name, word in canaries.items() for where, held in places.items() if word.encode() in held
    ]

    assert found == []
    assert any("pg_dump" in line for line in argv.seen)
    assert any("pg_restore" in line for line in argv.seen)
    assert any(tiny.name.encode() in held for where, held in places.items() if where.endswith(".db")), (
        "the database was read"
    )
