"""`renew-certificates` with a real authority, a real certbot and the real gateway: what is served is what counts."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from blocks import Stack
from flows.renew_certificates import renew_certificates
from pawpaw_ops.clients import certificates
from pawpaw_ops.errors import CommandError, LockHeld, PreconditionError, Undone, VerificationError
from pawpaw_ops.session import open_session
from tests.integration.stack.support_acme import BLOCKED, Authority, authority
from tests.integration.stack.support_docker import docker
from tests.integration.stack.support_door import NAMES, Door
from tests.integration.support_child import Child

pytestmark = pytest.mark.usefixtures("docker_engine", "prefect_api")
MOST_ENTRIES = 30


@pytest.fixture
def door(tmp_path: Path, gateway_image: str) -> Iterator[Door]:
    made = Door(tmp_path, gateway_image)
    try:
        made.up()
        yield made
    finally:
        made.remove()


@pytest.fixture
def there(door: Door, tmp_path: Path) -> Iterator[Authority]:
    with authority(tmp_path / "pebble", http=door.http) as running:
        door.tell(running)
        yield running


def test_certificates_TLS_01_TLS_05_TLS_07_TLS_10_from_the_provisional_one_to_one_that_is_served_on_every_name(
    door: Door, there: Authority
) -> None:
    """And renewed, and not when it is not time; the key is the gateway's alone."""
    assert {one.self_signed for one in door.served().values()} == {True}
    renew_certificates(stack=door.name)
    (first,) = door.serials()
    assert door.file().name == f"acme-{first}"
    assert set(door.file().certificate.names) == {*NAMES}
    assert renew_certificates(stack=door.name) == first
    assert there.issued() == 1
    renew_certificates(stack=door.name, force=True)
    (second,) = door.serials()
    assert second != first
    folders = door.inside("ls", "/etc/nginx/certs").split()
    assert sorted(folders) == sorted(["current", f"acme-{first}", f"acme-{second}"])
    assert door.inside("stat", "-c", "%a %u", "/etc/nginx/certs/current/privkey.pem").split() == ["600", "101"]
    assert oct(certificates.folder(door.state_dir).stat().st_mode)[-3:] == "700"
    told = (door.folder / "metrics" / "certificates.prom").read_text()
    assert re.findall(r'not_after_timestamp_seconds\{name="(.*?)"\}', told) == [*NAMES]
    assert not list((door.folder / "acme").rglob("*challenge/*"))
    key = (door.state_dir / "acme" / "live" / door.name / "privkey.pem").read_text().splitlines()[1]
    records = list(door.state_dir.rglob("*.jsonl"))
    assert records
    assert [path for path in records if key in path.read_text()] == []


def test_certificates_TLS_02_TLS_11_one_that_lies_there_and_is_not_served_is_found_and_loaded(
    door: Door, there: Authority
) -> None:
    """As after certbot's own success with a hook that failed: exit code 0, and the old one served for months."""
    renew_certificates(stack=door.name)
    renew_certificates(stack=door.name, force=True)
    (second,) = door.serials()
    first = next(
        name for name in door.inside("ls", "/etc/nginx/certs").split() if name not in {"current", f"acme-{second}"}
    )
    door.inside("gateway-certificate", "use", first)
    assert len(door.serials()) == 2
    assert "cargado" in renew_certificates(stack=door.name)
    assert door.serials() == {first.removeprefix("acme-")}
    assert there.issued() == 2


def test_certificates_TLS_02_a_reload_that_says_it_went_well_and_did_nothing_is_found_out_by_what_is_served(
    door: Door, there: Authority
) -> None:
    """certbot's exit code is 0 and the reload's too; the run fails all the same, and nothing is ordered twice."""
    door.keep_from_reloading()
    before = door.serials()
    (old,) = before
    with pytest.raises(Undone, match=rf"in the gateway's folder, and on .* it serves {old}") as seen:
        renew_certificates(stack=door.name)
    assert seen.value.cause_code == VerificationError.code
    assert there.issued() == 1
    assert door.serials() == before
    door.up()
    renew_certificates(stack=door.name)
    assert there.issued() == 1
    assert door.serials() != before


def test_certificates_TLS_03_a_gateway_that_refuses_keeps_the_old_one_and_the_new_one_is_not_ordered_twice(
    door: Door, there: Authority
) -> None:
    broken = {name: f"upstream pawpaw_{name} {{ server 127.0.0.1:1; }}\n" for name in ("backend", "frontend")}
    for name, text in (broken | {"release": "no directive;\n"}).items():
        (door.folder / "upstreams" / f"{name}.conf").write_text(text)
    before = door.serials()
    with pytest.raises(Undone, match="unknown directive"):
        renew_certificates(stack=door.name)
    assert door.serials() == before
    for path in (door.folder / "upstreams").glob("*.conf"):
        path.unlink()
    renew_certificates(stack=door.name)
    assert there.issued() == 1
    assert not next(iter(door.served().values())).self_signed


def test_certificates_TLS_04_TLS_08_what_the_authority_refuses_leaves_the_old_one_and_it_is_left_alone(
    door: Door, there: Authority
) -> None:
    """One of three names is refused, so that none is certified; then nobody answers; then it is asked again."""
    before = door.serials()
    door.tell(ACME_NAMES=f"{NAMES[1]},{BLOCKED}")
    with pytest.raises(CommandError, match="certbot"):
        renew_certificates(stack=door.name)
    asked = there.log.read_text().count("POST /")
    with pytest.raises(PreconditionError, match="1 tries in a row failed"):
        renew_certificates(stack=door.name)
    assert there.log.read_text().count("POST /") == asked
    assert door.serials() == before
    (door.state_dir / "acme" / "attempts.json").unlink()
    door.tell(ACME_NAMES=NAMES[1], ACME_DIRECTORY="https://127.0.0.1:1/dir")
    with pytest.raises(CommandError, match="certbot"):
        renew_certificates(stack=door.name)
    assert door.serials() == before
    (door.state_dir / "acme" / "attempts.json").unlink()
    door.tell(there)
    renew_certificates(stack=door.name)
    assert door.serials() != before
    assert there.issued() == 1


def test_certificates_TLS_04_an_authority_with_a_bad_day_leaves_the_old_one(door: Door, tmp_path: Path) -> None:
    before = door.serials()
    with authority(tmp_path / "pebble", http=door.http, refused_nonces=100) as there:
        door.tell(there)
        with pytest.raises(CommandError, match="nonce"):
            renew_certificates(stack=door.name)
    assert there.issued() == 0
    assert door.serials() == before


def test_certificates_TLS_09_of_two_at_once_one_renews(door: Door, there: Authority) -> None:
    settings_of = Child("renew-certificates", str(door.folder / "child.log"), stack=door.name)
    refused = 0
    try:
        renew_certificates(stack=door.name)
    except LockHeld:
        refused = 1
    code = settings_of.wait()
    assert refused + (code != 0) <= 1
    assert there.issued() == 1
    assert len(door.serials()) == 1


def test_certificates_TLS_03_killed_at_any_entry_the_next_run_serves_one_of_the_two(
    door: Door, there: Authority, tmp_path: Path
) -> None:
    log = str(tmp_path / "child.log")
    for entry in range(1, MOST_ENTRIES):
        code = Child("renew-certificates", log, kill_entry=entry, stack=door.name).wait()
        with open_session(Stack.named(door.name).settings(), verb="test", purpose="recover", run_id=f"recover-{entry}"):
            pass
        assert len(door.serials()) == 1, f"entry {entry}"
        if code == 0:
            break
        assert code == -signal.SIGKILL, Path(log).read_text()[-3000:]
    else:
        pytest.fail("a renewal has more entries than expected")
    assert entry >= 5
    assert there.issued() == 1
    assert docker("exec", door.container, "sh", "-c", "ls -d /etc/nginx/certs/.new.* 2>/dev/null || true") == ""
