"""What is sealed comes back whole, and nothing else opens."""

import io
import random
import resource
import signal
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

import pyrage
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from pyrage import x25519

from pawpaw_ops import sealing
from pawpaw_ops.errors import (
    BackupCorrupt,
    ConfigError,
    DiskTooSmall,
    OpsError,
    PreconditionError,
    StoreError,
    Unreachable,
    WrongKey,
)
from pawpaw_ops.models.backup import AnyContents
from tests.unit.support_backups import contents

AT = datetime(2026, 8, 1, 9, tzinfo=UTC)
AGE_CHUNK = 64 * 1024 + 16
"""age encrypts 64 KiB at a time and adds a tag of 16 bytes. Source: age's specification, "Payload"."""
KEY = x25519.Identity.generate()
SECRET = SecretStr(str(KEY))
RECIPIENT = str(KEY.to_public())


def seal_folder(folder: Path, to: Path, *, recipient: str = RECIPIENT) -> sealing.Sealed:
    """Seal all files of a folder."""
    made = contents(AT).model_copy(update={"files": sealing.list_files(folder)})
    return sealing.seal(folder, made, to=to, recipients=[recipient])


def unseal(data: bytes | BinaryIO, to: Path, *, keys: tuple[SecretStr, ...] = (SECRET,)) -> sealing.Opened[AnyContents]:
    """Open an artefact."""
    return sealing.unseal(io.BytesIO(data) if isinstance(data, bytes) else data, identities=keys, to=to)


def tree(folder: Path) -> dict[str, bytes]:
    """Return path -> bytes of every file below *folder*."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def artefact(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An artefact of five and a bit of age's chunks that no compressor makes smaller."""
    folder = tmp_path_factory.mktemp("plain")
    (folder / "dump").mkdir()
    (folder / "dump" / "1.dat").write_bytes(random.Random(1).randbytes(330_000))
    (folder / "dump" / "toc.dat").write_bytes(b"PGDMP")
    return seal_folder(folder, folder.parent / "sealed").path.read_bytes()


def payload_start(data: bytes) -> int:
    """Return where the first chunk begins: after the header's last line and the nonce."""
    return data.index(b"\n", data.index(b"\n--- ") + 1) + 1 + 16


def boundaries(data: bytes) -> list[int]:
    """Return where each chunk begins."""
    return list(range(payload_start(data), len(data), AGE_CHUNK))


NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/"), min_size=1, max_size=40).filter(
    lambda name: name.strip(".") != "" and len(name.encode()) < 120
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.dictionaries(st.tuples(NAMES, NAMES), st.binary(max_size=5000), max_size=8))
def test_whatever_is_sealed_comes_back(
    files: dict[tuple[str, str], bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Names and bytes of any kind survive, and so does the list of contents."""
    root = tmp_path_factory.mktemp("tree")
    plain = root / "plain"
    plain.mkdir()
    for (parent, name), data in files.items():
        (plain / parent).mkdir(exist_ok=True)
        (plain / parent / name).write_bytes(data)
    sealed = seal_folder(plain, root / "sealed")
    opened = unseal(sealed.path.read_bytes(), root / "opened")
    assert tree(root / "opened") == tree(plain)
    assert opened.contents.files == sealing.list_files(plain)
    assert (opened.size_bytes, opened.sha256) == (sealed.size_bytes, sealed.sha256)


def test_sealing_is_a_tar_in_zstd_in_age(artefact: bytes) -> None:
    """The format is public tools' own: `age -d | zstd -d | tar x` opens it without this product."""
    plain = zstandard.ZstdDecompressor().decompressobj().decompress(pyrage.decrypt(artefact, [KEY]))
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        assert tar.getnames() == ["contents.json", "dump/1.dat", "dump/toc.dat"]


def test_rows_are_counted_where_a_data_file_is_complete(tmp_path: Path) -> None:
    """A COPY file's rows are its lines before the terminator; a cut one says -1."""
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "1.dat").write_bytes(b"1\ta\n2\tb\\nc\n\\.\n\n\n")
    (tmp_path / "plain" / "2.dat").write_bytes(b"\\.\n\n\n")
    (tmp_path / "plain" / "3.dat").write_bytes(b"1\ta\n2\tb\n")
    sealed = seal_folder(tmp_path / "plain", tmp_path / "sealed")
    assert unseal(sealed.path.read_bytes(), tmp_path / "out").rows == {"1.dat": 2, "2.dat": 0, "3.dat": -1}


def test_A9_any_flipped_bit_is_found(artefact: bytes, tmp_path: Path) -> None:
    """100 bits at random places, and every byte of the header: none opens."""
    rng = random.Random(9)
    places = [rng.randrange(len(artefact)) for _ in range(100)] + list(range(payload_start(artefact)))
    for place in places:
        flipped = bytearray(artefact)
        flipped[place] ^= 1 << rng.randrange(8)
        with pytest.raises((BackupCorrupt, WrongKey)):
            unseal(bytes(flipped), tmp_path / "out")


def test_A10_truncation_at_every_chunk_boundary_is_found(artefact: bytes, tmp_path: Path) -> None:
    """A cut exactly between two chunks leaves whole chunks, and still does not open."""
    assert len(boundaries(artefact)) == 6
    for cut in [0, payload_start(artefact) - 16, *boundaries(artefact), len(artefact) - 1]:
        with pytest.raises(BackupCorrupt):
            unseal(artefact[:cut], tmp_path / "out")


def _swapped(one: bytes, other: bytes, at: list[int]) -> bytes:
    del other
    return one[: at[1]] + one[at[2] : at[3]] + one[at[1] : at[2]] + one[at[3] :]


def _doubled(one: bytes, other: bytes, at: list[int]) -> bytes:
    del other
    return one[: at[2]] + one[at[1] : at[2]] + one[at[2] :]


def _dropped(one: bytes, other: bytes, at: list[int]) -> bytes:
    del other
    return one[: at[1]] + one[at[2] :]


def _spliced(one: bytes, other: bytes, at: list[int]) -> bytes:
    return one[: at[2]] + other[boundaries(other)[2] :]


def _lengthened(one: bytes, other: bytes, at: list[int]) -> bytes:
    del at
    return one + other


@pytest.mark.parametrize("mangle", [_swapped, _doubled, _dropped, _spliced, _lengthened])
def test_A10_reordered_chunks_are_found(
    mangle: Callable[[bytes, bytes, list[int]], bytes], artefact: bytes, tmp_path: Path
) -> None:
    """Chunks swapped, doubled, dropped, joined from two artefacts of one key, or added: none opens."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "1.dat").write_bytes(random.Random(2).randbytes(330_000))
    other = seal_folder(tmp_path / "other", tmp_path / "sealed").path.read_bytes()
    with pytest.raises(BackupCorrupt):
        unseal(mangle(artefact, other, boundaries(artefact)), tmp_path / "out")


def test_A11_wrong_missing_and_broken_keys_have_errors_of_their_own(artefact: bytes, tmp_path: Path) -> None:
    """Another key is `WrongKey`, no key and no-key text `ConfigError`, a header that is none `BackupCorrupt`."""
    other = SecretStr(str(x25519.Identity.generate()))
    with pytest.raises(WrongKey):
        unseal(artefact, tmp_path / "out", keys=(other,))
    with pytest.raises(ConfigError):
        unseal(artefact, tmp_path / "out", keys=())
    with pytest.raises(ConfigError) as raised:
        unseal(artefact, tmp_path / "out", keys=(SecretStr("AGE-SECRET-KEY-1CANARY"),))
    assert "CANARY" not in str(raised.value)
    with pytest.raises(BackupCorrupt):
        unseal(b"garbage" + artefact[7:], tmp_path / "out")
    assert tree(tmp_path / "out") == {}


def test_A11_a_rotated_key_still_opens_old_backups(artefact: bytes, tmp_path: Path) -> None:
    """Old and new key side by side open what was sealed for either."""
    new = SecretStr(str(x25519.Identity.generate()))
    assert unseal(artefact, tmp_path / "out", keys=(new, SECRET)).contents.stack == "shop"


def test_A11_the_manifest_tells_the_wrong_key_before_anything_is_read() -> None:
    """The error names the public keys that would open it, and those at hand."""
    other = x25519.Identity.generate()
    with pytest.raises(WrongKey) as raised:
        sealing.check_recipient([SecretStr(str(other))], [RECIPIENT], backup_id="b")
    assert RECIPIENT in str(raised.value)
    assert str(other.to_public()) in str(raised.value)
    assert str(other) not in str(raised.value)
    sealing.check_recipient([SecretStr(str(other)), SECRET], [RECIPIENT], backup_id="b")


def craft(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """Seal a tar that our own sealing would never make; everybody with the public key can."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        for info, data in members:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    sealed: bytes = pyrage.encrypt(zstandard.ZstdCompressor().compress(plain.getvalue()), [KEY.to_public()])
    return sealed


def listing() -> tuple[tarfile.TarInfo, bytes]:
    """Return contents that list no file."""
    return tarfile.TarInfo("contents.json"), contents(AT).model_copy(update={"files": {}}).model_dump_json().encode()


def _link() -> tarfile.TarInfo:
    link = tarfile.TarInfo("link")
    link.type, link.linkname = tarfile.SYMTYPE, "../outside"
    return link


@pytest.mark.parametrize(
    "members",
    [
        (),
        ((tarfile.TarInfo("1.dat"), b"x"),),
        ((tarfile.TarInfo("contents.json"), b"{}"),),
        (listing(), (tarfile.TarInfo("../outside"), b"x")),
        (listing(), (tarfile.TarInfo("/outside"), b"x")),
        (listing(), (_link(), b"")),
        (listing(), (tarfile.TarInfo("unlisted"), b"x")),
    ],
    ids=["empty", "no list first", "list is none", "above", "absolute", "link", "unlisted"],
)
def test_a_foreign_artefact_does_not_open(members: tuple[tuple[tarfile.TarInfo, bytes], ...], tmp_path: Path) -> None:
    """What is inside must be the list and the listed plain files; nothing is written outside the folder."""
    with pytest.raises(BackupCorrupt):
        unseal(craft(*members), tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_file_that_changed_after_it_was_listed_is_found(tmp_path: Path) -> None:
    """The list inside is the truth; other bytes than listed do not open."""
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "1.dat").write_bytes(b"one")
    made = contents(AT).model_copy(update={"files": sealing.list_files(plain)})
    (plain / "1.dat").write_bytes(b"two")
    sealed = sealing.seal(plain, made, to=tmp_path / "sealed", recipients=[RECIPIENT])
    with pytest.raises(BackupCorrupt, match=r"1\.dat"):
        unseal(sealed.path.read_bytes(), tmp_path / "out")


class Failing(io.RawIOBase):
    """A stream that breaks off with an error, as a network does."""

    def __init__(self, data: bytes, error: Exception) -> None:
        self.inner, self.error = io.BytesIO(data), error

    def read(self, size: int = -1, /) -> bytes:
        if self.inner.tell() > 100_000:
            raise self.error
        return self.inner.read(min(size, 10_000) if size > 0 else 10_000)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Unreachable("gone"), Unreachable),
        (StoreError("mangled"), StoreError),
        (ConnectionResetError(104, "reset"), StoreError),
        (BrokenPipeError(32, "broken"), StoreError),
    ],
)
def test_a_read_that_fails_is_not_called_corrupt(
    error: Exception, kind: type[OpsError], artefact: bytes, tmp_path: Path
) -> None:
    """Whether a backup is sound is not known when it could not be read."""
    with pytest.raises(kind):
        unseal(cast("BinaryIO", Failing(artefact, error)), tmp_path / "out")


@contextmanager
def files_of_at_most(size_bytes: int) -> Iterator[None]:
    """Let no file grow beyond that, as a full disk would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_A5_a_full_disk_leaves_no_artefact(tmp_path: Path) -> None:
    """The half-written artefact is removed and the error says that room is missing."""
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "1.dat").write_bytes(random.Random(4).randbytes(500_000))
    with files_of_at_most(200_000), pytest.raises(DiskTooSmall):
        seal_folder(tmp_path / "plain", tmp_path / "sealed")
    assert not (tmp_path / "sealed").exists()


def test_A5_a_full_disk_while_opening_is_not_called_corrupt(artefact: bytes, tmp_path: Path) -> None:
    """The backup is sound; the staging disk is too small."""
    with files_of_at_most(100_000), pytest.raises(DiskTooSmall):
        unseal(artefact, tmp_path / "out")


def test_an_artefact_that_is_there_is_not_touched(tmp_path: Path) -> None:
    """Sealing onto an existing file refuses and leaves it."""
    (tmp_path / "plain").mkdir()
    (tmp_path / "sealed").write_bytes(b"precious")
    with pytest.raises(PreconditionError):
        seal_folder(tmp_path / "plain", tmp_path / "sealed")
    assert (tmp_path / "sealed").read_bytes() == b"precious"


def test_a_listed_file_that_is_gone_leaves_no_artefact(tmp_path: Path) -> None:
    """The error names the file, and is not about room."""
    made = contents(AT)
    with pytest.raises(PreconditionError, match=r"1\.dat") as raised:
        sealing.seal(tmp_path, made, to=tmp_path / "sealed", recipients=[RECIPIENT])
    assert not isinstance(raised.value, DiskTooSmall)
    assert not (tmp_path / "sealed").exists()


@pytest.mark.parametrize("recipients", [(), ("age1nonsense",), (RECIPIENT, "")])
def test_nothing_is_sealed_for_nobody(recipients: tuple[str, ...], tmp_path: Path) -> None:
    """No recipient, or one that is no key, refuses before anything is written."""
    with pytest.raises(ConfigError):
        sealing.seal(tmp_path, contents(AT), to=tmp_path / "sealed", recipients=recipients)
    assert not (tmp_path / "sealed").exists()


def test_progress_counts_plain_and_sealed_bytes(tmp_path: Path) -> None:
    """Both callbacks end at the whole size."""
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "1.dat").write_bytes(b"x" * 3000)
    made = contents(AT).model_copy(update={"files": sealing.list_files(tmp_path / "plain")})
    plain: list[int] = []
    sealed = sealing.seal(
        tmp_path / "plain", made, to=tmp_path / "sealed", recipients=[RECIPIENT], on_bytes=plain.append
    )
    read: list[int] = []
    with sealed.path.open("rb") as stream:
        sealing.unseal(stream, identities=[SECRET], to=tmp_path / "out", on_bytes=read.append)
    with sealed.path.open("rb") as stream:
        assert sealing.hash_stream(stream) == (sealed.size_bytes, sealed.sha256)
    assert (plain[-1], read[-1]) == (3000, sealed.size_bytes)
