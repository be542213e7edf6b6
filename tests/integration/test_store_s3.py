"""What object stores and the way to them do wrong."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pawpaw_ops.clients.locations import Location
from pawpaw_ops.clients.s3 import S3Location
from pawpaw_ops.errors import ConfigError, OpsError, PreconditionError, StoreError, Unreachable
from pawpaw_ops.models.store import S3Settings
from tests.integration import support_s3
from tests.integration.support_proxy import (
    Act,
    Proxy,
    cut_upload,
    drip,
    ignore_range,
    lose_answer,
    refuse,
    store_instead,
    truncate,
    wrong_range,
)
from tests.integration.support_proxy import (
    proxy as run_proxy,
)
from tests.integration.test_store_locations import file_of, read_sha256

SMALL, LARGE = 1000, 17 << 20
BACKUP = "shop/app/20260801T030000Z-0badcafe/data.tar.zst.age"
BUSY = {"500": (500, "InternalError"), "503": (503, "SlowDown"), "429": (429, "TooManyRequests")}


def through(proxy: Proxy, *, tries: int = 3, stall_s: float = 30.0) -> S3Location:
    return S3Location(proxy.settings, tries=tries, connect_timeout_s=2, read_timeout_s=2, stall_s=stall_s)


def put(location: Location, folder: Path, size_bytes: int, *, seed: int = 0) -> str:
    source, sha256 = file_of(folder, size_bytes, seed=seed)
    location.put_file(BACKUP, source, sha256=sha256)
    return sha256


def unfinished(settings: S3Settings) -> list[str]:
    with support_s3.client(settings) as s3:
        try:
            found = s3.list_multipart_uploads(Bucket=settings.bucket, Prefix=settings.prefix).get("Uploads", [])
        except s3.exceptions.NoSuchUpload:  # so says rclone as long as there never was one
            return []
        return [each["Key"] for each in found]


CALLS = {
    "PutObject": SMALL,
    "HeadObject": SMALL,
    "GetObject": SMALL,
    "CreateMultipartUpload": LARGE,
    "UploadPart": LARGE,
    "CompleteMultipartUpload": LARGE,
    "ListObjectsV2": SMALL,
    "DeleteObject": SMALL,
}


@pytest.mark.parametrize("answer", BUSY)
@pytest.mark.parametrize("operation", CALLS)
def test_B1_a_busy_server_is_asked_again(proxy: Proxy, tmp_path: Path, operation: str, answer: str) -> None:
    """A burst of refusals on any call is waited out."""
    location = through(proxy)
    proxy.fail(operation, refuse(*BUSY[answer]))

    sha256 = put(location, tmp_path, CALLS[operation])

    assert read_sha256(location, BACKUP) == sha256
    assert [found.key for found in location.list("shop/")] == [BACKUP]
    location.delete(BACKUP)
    assert list(location.list("")) == []


@pytest.mark.parametrize("answer", BUSY)
@pytest.mark.parametrize(("operation", "size_bytes"), [("PutObject", SMALL), ("UploadPart", LARGE)])
def test_B1_a_server_that_stays_busy_fails_after_a_bounded_number_of_tries(
    proxy: Proxy, tmp_path: Path, operation: str, size_bytes: int, answer: str
) -> None:
    """The error names the answer, the local copy stays, nothing is left at the server."""
    proxy.fail(operation, refuse(*BUSY[answer]), times=1000)

    with pytest.raises(StoreError, match=rf"{BUSY[answer][0]} {BUSY[answer][1]} after 2 tries"):
        put(through(proxy, tries=2), tmp_path, size_bytes)

    assert (tmp_path / f"{size_bytes}-0.bin").stat().st_size == size_bytes
    assert list(S3Location(proxy.upstream).list("")) == []
    assert unfinished(proxy.upstream) == []


@pytest.mark.parametrize(("operation", "size_bytes"), [("PutObject", 4 << 20), ("UploadPart", LARGE)])
@pytest.mark.parametrize("server", ["proxy", "strict"])
def test_B2_an_upload_that_is_cut_in_the_middle_is_sent_again(
    request: pytest.FixtureRequest, tmp_path: Path, server: str, operation: str, size_bytes: int
) -> None:
    between: Proxy = request.getfixturevalue(server)
    location = through(between)
    between.fail(operation, cut_upload, times=2, after=0)

    sha256 = put(location, tmp_path, size_bytes)

    assert read_sha256(location, BACKUP) == sha256
    assert unfinished(between.upstream) == []


@pytest.mark.parametrize("server", ["proxy", "strict"])
def test_B2_an_upload_that_stays_cut_is_aborted(request: pytest.FixtureRequest, tmp_path: Path, server: str) -> None:
    """No part that was stored stays to be paid for."""
    between: Proxy = request.getfixturevalue(server)
    between.fail("UploadPart", cut_upload, times=1000, after=1)

    with pytest.raises(Unreachable):
        put(through(between, tries=2), tmp_path, LARGE)

    assert between.seen["AbortMultipartUpload"] == 1
    assert unfinished(between.upstream) == []
    assert list(S3Location(between.upstream).list("")) == []


def test_B2_uploads_of_dead_runs_are_aborted_and_counted_and_no_foreign_ones(moto: S3Settings) -> None:
    """Moto says of every upload that it began in 2010."""
    foreign = [f"{moto.prefix}/holiday/20100101/video.mp4", f"{moto.prefix}/x"]
    with support_s3.client(moto) as s3:
        for key in (f"{moto.prefix}/{BACKUP}", *foreign):
            s3.create_multipart_upload(Bucket=moto.bucket, Key=key)
    location = S3Location(moto)

    assert location.abort_stale_uploads("", older_than_h=1e6) == 0
    location.check()

    assert sorted(unfinished(moto)) == sorted(foreign)
    assert location.abort_stale_uploads("") == 0


def test_B2_a_bucket_that_never_had_an_upload_in_parts_has_none_to_abort(tmp_path: Path) -> None:
    with support_s3.rclone_server(tmp_path) as settings:
        assert S3Location(settings).abort_stale_uploads("") == 0


def test_B2_uploads_that_run_are_left_alone(rclone: S3Settings) -> None:
    with support_s3.client(rclone) as s3:
        s3.create_multipart_upload(Bucket=rclone.bucket, Key=f"{rclone.prefix}/{BACKUP}")

    S3Location(rclone).check()

    assert unfinished(rclone) == [f"{rclone.prefix}/{BACKUP}"]
    assert S3Location(rclone).abort_stale_uploads("", older_than_h=0) == 1


TRAILER = b"\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"
MANGLED: dict[str, Callable[[bytes], bytes]] = {
    "truncated": lambda body: body[:-1],
    "empty": lambda _: b"",
    "trailer inside": lambda body: body + TRAILER,
}


@pytest.mark.parametrize("server", ["proxy", "strict"])
@pytest.mark.parametrize("how", MANGLED)
@pytest.mark.parametrize("sent", [("PutObject", SMALL), ("CompleteMultipartUpload", LARGE)])
def test_B3_a_body_of_another_size_is_refused_at_once(
    request: pytest.FixtureRequest, tmp_path: Path, server: str, how: str, sent: tuple[str, int]
) -> None:
    operation, size_bytes = sent
    between: Proxy = request.getfixturevalue(server)
    between.fail(operation, store_instead(MANGLED[how]))

    with pytest.raises(StoreError, match=f"wanted {size_bytes}"):
        put(through(between), tmp_path, size_bytes)


def test_B3_a_body_of_the_same_size_shows_when_it_is_read(proxy: Proxy, tmp_path: Path) -> None:
    location = through(proxy)
    proxy.fail("PutObject", store_instead(lambda body: TRAILER + body[len(TRAILER) :]))

    sha256 = put(location, tmp_path, SMALL)

    assert read_sha256(location, BACKUP) != sha256


def test_B3_check_finds_a_store_that_mangles(proxy: Proxy) -> None:
    proxy.fail("PutObject", store_instead(lambda body: body + TRAILER))

    with pytest.raises(StoreError, match="does not give back"):
        through(proxy).check()


@pytest.mark.parametrize("server", ["proxy", "strict"])
@pytest.mark.parametrize(("operation", "size_bytes"), [("PutObject", SMALL), ("CompleteMultipartUpload", LARGE)])
def test_B4_a_lost_answer_is_no_error_when_the_bytes_are_there(
    request: pytest.FixtureRequest, tmp_path: Path, server: str, operation: str, size_bytes: int
) -> None:
    between: Proxy = request.getfixturevalue(server)
    location = through(between)
    between.fail(operation, lose_answer)

    sha256 = put(location, tmp_path, size_bytes)

    assert between.seen[operation] == 2
    assert read_sha256(location, BACKUP) == sha256
    assert [found.key for found in location.list("")] == [BACKUP]
    assert unfinished(between.upstream) == []


@pytest.mark.parametrize(("operation", "size_bytes"), [("PutObject", SMALL), ("CompleteMultipartUpload", LARGE)])
def test_B4_somebody_else_between_the_look_and_the_write_is_an_error(
    proxy: Proxy, tmp_path: Path, operation: str, size_bytes: int
) -> None:
    """The conditional write sees them, and what they stored stays."""

    def first(exchange: object) -> None:
        put(S3Location(proxy.upstream), tmp_path, size_bytes, seed=1)
        exchange.answer(*exchange.forward())  # type: ignore[attr-defined]

    proxy.fail(operation, first)

    with pytest.raises(StoreError, match="nothing is overwritten"):
        put(through(proxy), tmp_path, size_bytes)

    assert read_sha256(S3Location(proxy.upstream), BACKUP) == file_of(tmp_path, size_bytes, seed=1)[1]
    assert unfinished(proxy.upstream) == []


def _list(location: S3Location) -> object:
    return list(location.list(""))


DENIED = refuse(403, "AccessDenied")
REFUSALS: dict[str, tuple[str, Act, Callable[[S3Location], object], type[OpsError], str]] = {
    "list": ("ListObjectsV2", DENIED, _list, StoreError, "s3:ListBucket"),
    "delete": ("DeleteObject", DENIED, lambda s3: s3.delete("a"), StoreError, "s3:DeleteObject"),
    "put": ("PutObject", DENIED, lambda s3: s3.put_bytes("a", b""), StoreError, "s3:PutObject"),
    "get": ("GetObject", DENIED, lambda s3: s3.get_bytes("a"), StoreError, "s3:GetObject"),
    "check put": ("PutObject", DENIED, lambda s3: s3.check(), ConfigError, "s3:PutObject"),
    "check get": ("GetObject", DENIED, lambda s3: s3.check(), ConfigError, "s3:GetObject"),
    "check list": ("ListObjectsV2", DENIED, lambda s3: s3.check(), ConfigError, "s3:ListBucket"),
    "check delete": ("DeleteObject", DENIED, lambda s3: s3.check(), ConfigError, "s3:DeleteObject"),
    "expired": ("*", refuse(400, "ExpiredToken"), lambda s3: s3.check(), ConfigError, "expired"),
    "region": ("*", refuse(400, "AuthorizationHeaderMalformed"), _list, ConfigError, "another region"),
    "skew": (
        "*",
        refuse(403, "RequestTimeTooSkewed", more="<RequestTime>1</RequestTime><ServerTime>2</ServerTime>"),
        lambda s3: s3.check(),
        PreconditionError,
        "clock .* Ours says 1, the server's 2",
    ),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_B5_a_refusal_says_what_is_missing(proxy: Proxy, what: str) -> None:
    operation, act, call, kind, text = REFUSALS[what]
    proxy.fail(operation, act, times=1000)

    with pytest.raises(kind, match=text) as seen:
        call(through(proxy))

    assert type(seen.value) is kind
    assert support_s3.SECRET not in str(seen.value)


def test_B5_credentials_that_expire_in_the_middle_of_an_upload_are_named(proxy: Proxy, tmp_path: Path) -> None:
    """The abort of the upload is refused too; the first error is the one that counts."""
    for operation in ("UploadPart", "AbortMultipartUpload"):
        proxy.fail(operation, refuse(400, "ExpiredToken"), times=1000, after=operation == "UploadPart")

    with pytest.raises(ConfigError, match="the credentials have expired"):
        put(through(proxy), tmp_path, LARGE)


def test_B5_a_refused_look_says_why_though_its_answer_has_no_body(proxy: Proxy, tmp_path: Path) -> None:
    for operation in ("HeadObject", "GetObject"):
        proxy.fail(operation, refuse(400, "ExpiredToken"), times=1000)

    with pytest.raises(ConfigError, match="the credentials have expired"):
        put(through(proxy), tmp_path, SMALL)


WRONG: dict[str, tuple[dict[str, object], type[OpsError], str]] = {
    "bucket": ({"bucket": "no-such-bucket"}, ConfigError, "no-such-bucket.*no such bucket"),
    "bucket name": ({"bucket": "Not a/bucket"}, ConfigError, "Not a/bucket"),
    "key": ({"access_key_id": "AKIAWRONG"}, ConfigError, "does not know this access key id"),
    "secret": ({"secret_access_key": "wrong"}, ConfigError, "secret access key does not belong"),
    "address": ({"endpoint_url": "http://127.0.0.1:9"}, Unreachable, "no answer"),
    "no address": ({"endpoint_url": "not an address"}, ConfigError, "not an address"),
    "scheme": ({"endpoint_url": "https://"}, ConfigError, "https://"),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_settings_are_told_apart(rclone: S3Settings, what: str) -> None:
    change, kind, text = WRONG[what]
    settings = S3Settings.model_validate(rclone.model_dump() | change)

    with pytest.raises(kind, match=text) as seen:
        S3Location(settings, tries=1, connect_timeout_s=2).check()

    assert type(seen.value) is kind
    assert support_s3.SECRET not in str(seen.value)


def test_no_credentials_anywhere_is_a_config_error(
    rclone: S3Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))

    with pytest.raises(ConfigError, match="no credentials were found"):
        S3Location(rclone.model_copy(update={"access_key_id": ""})).check()


def test_empty_access_key_leaves_the_search_to_boto3(rclone: S3Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", support_s3.ACCESS_KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", support_s3.SECRET)

    S3Location(rclone.model_copy(update={"access_key_id": ""})).check()


def test_B8_more_than_ten_thousand_objects_are_listed_once_each(tmp_path: Path) -> None:
    """They are put where rclone keeps them, beside some that another program left."""
    with support_s3.rclone_server(tmp_path, prefix="p") as settings, run_proxy(settings) as between:
        names = [f"{number:06d}" for number in range(10_001)]
        for folder, count in {"many": 10_001, "some": 1001, "many-others": 1}.items():
            (tmp_path / "data" / settings.bucket / "p" / folder).mkdir(parents=True)
            for name in names[:count]:
                (tmp_path / "data" / settings.bucket / "p" / folder / name).touch()
        location = through(between)

        assert [found.key for found in location.list("many/")] == [f"many/{name}" for name in names]
        assert between.seen["ListObjectsV2"] == 11
        assert len(list(location.list("some/"))) == 1001
        assert len(list(location.list("many/0010"))) == 100

        between.fail("ListObjectsV2", refuse(403, "AccessDenied"), after=1)
        with pytest.raises(StoreError, match="s3:ListBucket"):
            list(location.list("some/"))


FETCHED = 3 << 20


@pytest.fixture
def stored(proxy: Proxy, tmp_path: Path) -> str:
    return put(S3Location(proxy.upstream), tmp_path, FETCHED)


@pytest.mark.parametrize("keep", [0, 1, FETCHED // 2, FETCHED - 1])
def test_B10_a_download_that_ends_early_goes_on_where_it_was(proxy: Proxy, stored: str, keep: int) -> None:
    proxy.fail("GetObject", truncate(keep), times=2)

    assert read_sha256(through(proxy), BACKUP) == stored
    assert proxy.seen["GetObject"] in {2, 3}  # what is left may be shorter than what is kept


@pytest.mark.parametrize("server", ["rclone", "moto"])
def test_B10_real_servers_answer_the_rest(request: pytest.FixtureRequest, tmp_path: Path, server: str) -> None:
    with run_proxy(request.getfixturevalue(server)) as between:
        location = through(between)
        sha256 = put(location, tmp_path, FETCHED)
        between.fail("GetObject", truncate(FETCHED // 3), times=2)

        assert read_sha256(location, BACKUP) == sha256
        assert between.seen["GetObject"] == 3


@pytest.mark.parametrize("wrong", [wrong_range, ignore_range])
def test_B10_a_wrong_range_is_asked_for_again(proxy: Proxy, stored: str, wrong: Act) -> None:
    proxy.fail("GetObject", truncate(1000))
    proxy.fail("GetObject", wrong)

    assert read_sha256(through(proxy), BACKUP) == stored


@pytest.mark.parametrize(("wrong", "text"), [(wrong_range, "bytes 0-"), (ignore_range, "everything")])
def test_B10_a_server_that_knows_no_ranges_is_an_error(proxy: Proxy, stored: str, wrong: Act, text: str) -> None:
    proxy.fail("GetObject", truncate(1000))
    proxy.fail("GetObject", wrong, times=1000)

    with pytest.raises(StoreError, match=f"gave '{text}.*at byte 1000 of {FETCHED}, 3 times"):
        read_sha256(through(proxy), BACKUP)


def test_B10_a_download_that_stays_short_is_an_error_and_no_end(proxy: Proxy, stored: str) -> None:
    proxy.fail("GetObject", truncate(10), times=1000)

    with pytest.raises(StoreError, match=f"at byte 30 of {FETCHED}, 3 times in a row"):
        read_sha256(through(proxy), BACKUP)


def test_B10_a_slow_server_is_left_and_the_rest_asked_for(proxy: Proxy, stored: str) -> None:
    proxy.fail("GetObject", drip(1000))

    assert read_sha256(through(proxy, stall_s=0.5), BACKUP) == stored
    assert proxy.seen["GetObject"] == 2


def test_B10_a_server_that_stays_slow_is_an_error(proxy: Proxy, stored: str) -> None:
    proxy.fail("GetObject", drip(1000), times=1000)

    with pytest.raises(StoreError, match=r"only .* bytes came in"):
        read_sha256(through(proxy, tries=2, stall_s=0.5), BACKUP)


def test_B10_a_reader_that_takes_its_time_is_not_taken_for_a_slow_server(proxy: Proxy, stored: str) -> None:
    with through(proxy, stall_s=0.01).open(BACKUP) as stream:
        while stream.read(1 << 18):
            proxy.stopping.wait(0.05)

    assert proxy.seen["GetObject"] == 1


def test_B10_an_object_that_is_replaced_while_it_is_read_is_an_error(proxy: Proxy, stored: str, tmp_path: Path) -> None:
    proxy.fail("GetObject", truncate(FETCHED // 2))

    with through(proxy).open(BACKUP) as stream:
        stream.read(1000)
        S3Location(proxy.upstream).put_bytes(BACKUP, b"x" * FETCHED)
        with pytest.raises(StoreError, match=r"PreconditionFailed|changed"):
            stream.read()


def test_an_address_that_is_no_s3_server_is_not_taken_for_one(proxy: Proxy) -> None:
    proxy.fail("*", lambda exchange: exchange.answer(200, [("Content-Type", "text/html")], b"<html>hello"), times=99)

    with pytest.raises(StoreError):
        through(proxy).check()
