"""A server of our own is made, serves, dies, comes back and leaves nothing."""

import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pawpaw_ops.disposable import DisposableServer, disposable_server
from pawpaw_ops.errors import CommandError, CommandNotFound, PreconditionError, Unreachable
from pawpaw_ops.models.database import ClientTools


@pytest.fixture(scope="module")
def tools(embedded_tools: Path) -> ClientTools:
    """The embedded server's programs."""
    return ClientTools(folder=embedded_tools)


@pytest.fixture(scope="module")
def server(tools: ClientTools) -> Iterator[DisposableServer]:
    """A running server."""
    with disposable_server(tools=tools) as running:
        yield running


def test_it_serves_on_its_socket_alone(server: DisposableServer) -> None:
    """Nobody but its owner can reach the socket, and it listens on no port."""
    with server.postgres().connect() as conn:
        assert conn.execute("SHOW listen_addresses").fetchone() == ("",)
        assert conn.execute("SHOW data_checksums").fetchone() == ("on",)
    assert stat.S_IMODE(server.socket_folder.stat().st_mode) == 0o700


def test_its_password_is_asked_for_and_lies_nowhere(server: DisposableServer) -> None:
    """Another password is refused; the file it was made from is gone."""
    wrong = server.database().model_copy(update={"password": type(server.password)("wrong")})
    with pytest.raises(Unreachable), type(server.postgres())(wrong, "test").connect():
        pass
    assert not (server.root / "pw").exists()


def test_it_comes_back_from_a_crash_with_busy_sessions(server: DisposableServer) -> None:
    """Sessions that compute do not notice that their server died; they are killed with it."""
    with server.postgres().connect() as conn:
        conn.execute("CREATE TABLE kept AS SELECT 1 AS a")
    ended: list[type[BaseException]] = []
    busy = threading.Event()

    def compute() -> None:
        try:
            with server.postgres().connect() as conn:
                busy.set()
                conn.execute("SELECT count(*) FROM generate_series(1, 1000000000)")
        except Unreachable as seen:
            ended.append(type(seen))

    worker = threading.Thread(target=compute)
    worker.start()
    assert busy.wait(timeout=20)
    server.crash()
    assert not server.answers()
    worker.join(timeout=20)
    assert len(ended) == 1
    server.start()
    with server.postgres().connect() as conn:
        assert conn.execute("SELECT a FROM kept").fetchone() == (1,)


def test_it_stops_and_starts_again(server: DisposableServer) -> None:
    """Stopping twice is harmless."""
    server.stop()
    server.stop()
    assert not server.answers()
    server.start()
    assert server.answers()


def test_nothing_is_left_behind(tools: ClientTools) -> None:
    """The folder is gone and the socket with it."""
    with disposable_server(tools=tools) as running:
        root = running.root
        assert running.answers()
    assert not root.exists()
    assert running.process is None


def test_a_server_that_does_not_come_up_quotes_its_log(
    tmp_path_factory: pytest.TempPathFactory, tools: ClientTools
) -> None:
    """The error has the reason in the server's own words."""
    with disposable_server(tools=tools) as running:
        running.stop()
        running.settings["shared_buffers"] = "nonsense"
        with pytest.raises(CommandError, match="shared_buffers"):
            running.start()
        assert running.process is None


@pytest.mark.parametrize("folder", ["", "nowhere"])
def test_missing_programs_are_named(folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the folder that was made for the server is removed."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with (
        pytest.raises(CommandNotFound, match="initdb"),
        disposable_server(tools=ClientTools(folder=tmp_path / folder), prefix="s-"),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_path_too_long_for_a_socket_is_refused(tmp_path: Path, tools: ClientTools) -> None:
    """Before anything is made."""
    root = tmp_path / ("long" * 30)
    with pytest.raises(PreconditionError, match="too long"):
        DisposableServer(root, tools=tools).initialise()
    assert not root.exists()
