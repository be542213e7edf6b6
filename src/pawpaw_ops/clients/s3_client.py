"""How boto3 is set up: as servers that know less than AWS need it, with bounded waits and tries."""

import functools
import random
import threading
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from pawpaw_ops.clients.s3_errors import BLOCK
from pawpaw_ops.errors import ConfigError
from pawpaw_ops.models.store import S3Settings

MANY_REQUESTS = 429
LONGEST_WAIT_S = 20.0
_one_at_a_time = threading.Lock()
"""A session of boto3 makes its clients in one thread only; the clients themselves may be shared."""


def connect(settings: S3Settings, *, where: str, tries: int, timeouts_s: tuple[float, float]) -> Any:
    """Return a client of boto3; nothing is sent yet.

    Args:
        settings: Address and credentials; without an access key id boto3 searches for them itself.
        where: Name of the location, for errors.
        tries: How often a request is sent before its failure counts; the waits grow from at most 1 s to 20 s.
        timeouts_s: For a connection, and for the server's silence, in seconds.

    Raises:
        ConfigError: The settings make no address.

    Source:
        boto3 issue 4435: since 1.36 a checksum trailer is sent by default, which some servers refuse and one stored
        inside the object.
    """
    config = Config(
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"addressing_style": "path" if settings.endpoint_url else "auto"},
        connect_timeout=timeouts_s[0],
        read_timeout=timeouts_s[1],
        retries={"mode": "standard", "total_max_attempts": tries},
        max_pool_connections=16,
        tcp_keepalive=True,
    )
    own = {
        "aws_access_key_id": settings.access_key_id,
        "aws_secret_access_key": settings.secret_access_key.get_secret_value(),
        "aws_session_token": settings.session_token.get_secret_value() or None,
    }
    session = _shared_session() if settings.access_key_id else boto3.session.Session()
    try:
        with _one_at_a_time:
            client = session.client(
                "s3",
                endpoint_url=settings.endpoint_url or None,
                region_name=settings.region,
                verify=settings.verify_tls,
                config=config,
                **(own if settings.access_key_id else {}),
            )
    except (ValueError, BotoCoreError) as seen:
        raise ConfigError(f"{where}: {seen}.", hint=BLOCK) from seen
    client.meta.events.register("needs-retry.s3", _Patience(tries).wait_s)
    return client


@functools.cache
def _shared_session() -> boto3.session.Session:
    """Return one session for all clients that bring credentials: it has read boto3's large tables already."""
    return boto3.session.Session()


class _Patience:
    """Sends again after a bare 429, which botocore takes for final: it knows the codes of AWS only."""

    def __init__(self, tries: int) -> None:
        self.tries = tries

    def wait_s(self, *, response: Any, attempts: int, **_: Any) -> float | None:
        """Answer botocore's question how long to wait before sending again; None leaves the answer to others."""
        if response is None or response[0].status_code != MANY_REQUESTS or attempts >= self.tries:
            return None
        return random.random() * min(LONGEST_WAIT_S, 2.0 ** (attempts - 1))  # noqa: S311 - jitter
