"""One way in to a Redis, and one place that says what went wrong with it."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import docker
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from pawpaw_ops.clients.docker import find_container
from pawpaw_ops.errors import OpsError, PreconditionError, Unreachable
from pawpaw_ops.models.redis import Redis
from pawpaw_ops.plans.redis import ACL

CONNECT_TIMEOUT_S = 10.0
ANSWER_TIMEOUT_S = 60.0


class Conn:
    """An open connection to one numbered database.

    Args:
        inner: The library's client.
    """

    def __init__(self, inner: "redis.Redis") -> None:
        self._inner: Any = inner

    def ask(self, *words: object) -> Any:
        """Send one command and return its answer, bytes undecoded."""
        return self._inner.execute_command(*words)

    def ask_all(self, commands: Sequence[tuple[object, ...]]) -> list[Any]:
        """Send commands in one go and return their answers; 0 where a key has become of another type meanwhile."""
        with self._inner.pipeline(transaction=False) as pipe:
            for words in commands:
                pipe.execute_command(*words)
            return [_unless_refused(answer) for answer in pipe.execute(raise_on_error=False)]

    def info(self, section: str) -> dict[str, Any]:
        """Return one section of INFO."""
        return dict(self._inner.info(section))

    def may(self, *words: object) -> bool | None:
        """Whether our user may send a command; None where we may not even ask that."""
        try:
            user = self.ask("ACL", "WHOAMI")
            return _text(self.ask("ACL", "DRYRUN", user, *words)) == "OK"
        except redis.exceptions.ResponseError:
            return None

    def setting(self, name: str) -> str:
        """Return one setting."""
        found = self._inner.config_get(name)
        return next((_text(value) for key, value in found.items() if _text(key) == name), "")


@contextlib.contextmanager
def connect(server: Redis, *, db: int = 0) -> Iterator[Conn]:
    """Connect while the block lasts.

    Raises:
        Unreachable: It does not answer, is still loading its data, or refused the login.
        PreconditionError: It refused a command; its own words are quoted.
    """
    with speaking(server):
        inner = redis.Redis(
            **_address(server),
            db=db,
            username=server.user if server.password.get_secret_value() else None,
            password=server.password.get_secret_value() or None,
            socket_connect_timeout=CONNECT_TIMEOUT_S,
            socket_timeout=ANSWER_TIMEOUT_S,
            protocol=2,
            retry=Retry(NoBackoff(), 0),
            driver_info=None,
        )
        try:
            yield Conn(inner)
        finally:
            inner.close()


def _address(server: Redis) -> dict[str, Any]:
    if server.host.startswith("/"):
        return {"unix_socket_path": server.host}
    if server.container:
        return {"host": find_container(docker.from_env, server.container).address, "port": server.port}
    return {"host": server.host, "port": server.port}


@contextlib.contextmanager
def speaking(server: Redis) -> Iterator[None]:
    """Turn what the library raises into our errors."""
    try:
        yield
    except redis.RedisError as seen:
        raise _error(server, seen) from seen


def _error(server: Redis, seen: redis.RedisError) -> OpsError:
    said = str(seen).strip().rstrip(".")
    if isinstance(seen, redis.exceptions.NoPermissionError) or said.startswith("NOPERM"):
        return PreconditionError(f"{server.where} refused a command: {said}.", hint=ACL)
    if isinstance(seen, redis.exceptions.AuthenticationError):
        return Unreachable(f"{server.where} refused the login: {said}.", hint=ACL)
    if isinstance(seen, redis.exceptions.BusyLoadingError):
        return Unreachable(f"{server.where} is still loading its data.", hint="Run again when it is done.")
    if isinstance(seen, redis.ConnectionError | redis.TimeoutError):
        return Unreachable(
            f"tried to reach {server.where}: {said}.", hint="Check the RedisServer block, and that the server runs."
        )
    return PreconditionError(f"{server.where} refused a command: {said}.")


def gone(server: Redis) -> bool:
    """Whether nothing listens there: its process has ended. A server that is silent or refuses us is not gone."""
    try:
        with connect(server) as conn:
            conn.ask("PING")
    except Unreachable as seen:
        return _refused(seen)
    except PreconditionError as seen:
        return server.container != "" and not isinstance(seen.__cause__, redis.RedisError)
    return False


def _refused(seen: BaseException | None) -> bool:
    """Whether an error began with a refused connection, or a socket that is not there."""
    while seen is not None:
        if isinstance(seen, ConnectionRefusedError | FileNotFoundError) and not isinstance(seen, OpsError):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _unless_refused(answer: Any) -> Any:
    if not isinstance(answer, Exception):
        return answer
    if str(answer).startswith("WRONGTYPE"):
        return 0
    raise answer


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
