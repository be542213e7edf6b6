"""A certificate authority of the tests' own: Pebble, and the name server that it asks."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.waiting import wait_until

DAYS_90 = 90 * 24 * 3600
BLOCKED = "blocked.example.com"


@dataclass(frozen=True)
class Authority:
    """A running authority.

    Attributes:
        directory: Its address.
        bundle: File with the certificate that its own address is certified by.
        log: What it did.
    """

    directory: str
    bundle: Path
    log: Path

    def issued(self) -> int:
        """Return how many certificates it issued."""
        return self.log.read_text().count("Issued certificate serial")


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody listens on a port of loopback."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def port_for_http() -> int:
    """Return a free port; the authority will come to the gateway by it."""
    return free_port()


def write_config(folder: Path, *, listen: int, http: int, validity_s: int) -> Path:
    """Write Pebble's settings, and the certificate of its own address."""
    openssl = shutil.which("openssl") or "openssl"
    words = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    where = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    files = ("-keyout", str(folder / "key.pem"), "-out", str(folder / "ca.pem"))
    subprocess.run((openssl, *words, *where, *files), check=True, capture_output=True)
    settings = {
        "listenAddress": f"127.0.0.1:{listen}",
        "managementListenAddress": "",
        "certificate": str(folder / "ca.pem"),
        "privateKey": str(folder / "key.pem"),
        "httpPort": http,
        "tlsPort": free_port(),
        "certificateValidityPeriod": validity_s,
        "domainBlocklist": [BLOCKED],
    }
    path = folder / "pebble.json"
    path.write_text(json.dumps({"pebble": settings}))
    return path


@contextlib.contextmanager
def authority(folder: Path, *, http: int, validity_s: int = DAYS_90, refused_nonces: int = 0) -> Iterator[Authority]:
    """Run one while the block lasts; every name leads to loopback, and there to *http*.

    Of its good nonces it refuses a share, in percent: that is how Pebble plays an authority with a bad day.
    """
    pebble, names = shutil.which("pebble"), shutil.which("pebble-challtestsrv")
    if pebble is None or names is None:
        pytest.skip("needs the certificate authority Pebble; Debian: apt-get install pebble")
    folder.mkdir(exist_ok=True)
    listen, dns = free_port(), free_port()
    config, log = write_config(folder, listen=listen, http=http, validity_s=validity_s), folder / "pebble.log"
    quiet = ("-http01", "", "-https01", "", "-tlsalpn01", "", "-management", f"127.0.0.1:{free_port()}")
    env = {**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": str(refused_nonces)}
    with log.open("wb") as out, contextlib.ExitStack() as running:
        for argv in (
            (names, "-dns01", f"127.0.0.1:{dns}", "-defaultIPv6", "", *quiet),
            (pebble, "-config", str(config), "-dnsserver", f"127.0.0.1:{dns}"),
        ):
            process = running.enter_context(subprocess.Popen(argv, stdout=out, stderr=out, env=env))
            running.callback(process.kill)
        wait_until(lambda: listens(listen), "Pebble listens")
        yield Authority(f"https://127.0.0.1:{listen}/dir", folder / "ca.pem", log)
