"""An HTTP proxy in front of an S3 server that does what networks and odd servers do."""

import base64
import contextlib
import hashlib
import http.client
import http.server
import re
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from pawpaw_ops.models.store import S3Settings
from tests.integration.support_s3 import client
from tests.loopback import served

Headers = list[tuple[str, str]]
HOP = {"connection", "keep-alive", "expect", "transfer-encoding"}
CHUNKED = "aws-chunked"


@dataclass
class Fault:
    """What happens to the next requests of one operation; `*` means every operation."""

    operation: str
    act: "Act"
    times: int
    after: int


@dataclass
class Proxy:
    """The proxy while it runs.

    Args:
        upstream: The real server.
        strict: Refuse what servers that know less than AWS refuse, and hold checksums against the body as AWS does.
        conditional: Know If-None-Match.
    """

    upstream: S3Settings
    strict: bool = False
    conditional: bool = True
    url: str = ""
    seen: Counter[str] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def settings(self) -> S3Settings:
        """How to reach the real server through the proxy."""
        return self.upstream.model_copy(update={"endpoint_url": self.url})

    def fail(self, operation: str, act: "Act", *, times: int = 1, after: int = 0) -> None:
        """Do *act* to *times* requests of an operation, the first *after* ones excepted."""
        self.faults.append(Fault(operation, act, times, after))

    def next_act(self, operation: str) -> "Act | None":
        """Count a request, and return what shall happen to it."""
        with self.lock:
            self.seen[operation] += 1
            for fault in self.faults:
                if fault.operation in {operation, "*"} and fault.times > 0:
                    if fault.after > 0:
                        fault.after -= 1
                        return None
                    fault.times -= 1
                    return fault.act
        return None


@contextlib.contextmanager
def proxy(upstream: S3Settings, *, strict: bool = False, conditional: bool = True) -> Iterator[Proxy]:
    """Run a proxy on a free port."""
    running = Proxy(upstream, strict=strict, conditional=conditional)

    class Bound(Exchange):
        proxy = running

    with served(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bound)) as port:
        running.url = f"http://127.0.0.1:{port}"
        try:
            yield running
        finally:
            running.stopping.set()


class Exchange(http.server.BaseHTTPRequestHandler):
    """One request and its answer."""

    proxy: Proxy
    protocol_version = "HTTP/1.1"
    body: bytes

    def handle_one_request(self) -> None:
        with contextlib.suppress(OSError):
            super().handle_one_request()

    def log_message(self, *_: object) -> None:
        pass

    def do_any(self) -> None:
        self.rest = int(self.headers.get("Content-Length") or 0)
        self.body = b""
        if self.headers.get("If-None-Match") and not self.proxy.conditional:
            self.body = self.rfile.read(self.rest)
            refuse(501, "NotImplemented")(self)
            return
        act = self.proxy.next_act(self.operation)
        if act is not cut_upload:
            self.body = self.rfile.read(self.rest)
            act = (self.refusal() if self.proxy.strict else None) or act
        if act is not None:
            act(self)
        else:
            self.answer(*self.forward())

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_any  # noqa: N815

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.path).query, keep_blank_values=True)

    @property
    def where(self) -> dict[str, str]:
        bucket, _, key = unquote(urlsplit(self.path).path).lstrip("/").partition("/")
        return {"Bucket": bucket, "Key": key}

    @property
    def operation(self) -> str:
        """The name that boto3 has for this request."""
        whole = {"GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject", "DELETE": "DeleteObject"}
        part = {"PUT": "UploadPart", "POST": "CompleteMultipartUpload", "DELETE": "AbortMultipartUpload"}
        if "uploads" in self.query:
            return "CreateMultipartUpload" if self.command == "POST" else "ListMultipartUploads"
        if "uploadId" in self.query:
            return part[self.command]
        return "ListObjectsV2" if "list-type" in self.query else whole[self.command]

    def refusal(self) -> "Act | None":
        """What a server that knows less than AWS refuses, and a wrong checksum."""
        chunked = CHUNKED in self.headers.get("Content-Encoding", "") or self.headers.get("x-amz-trailer")
        if chunked or self.headers.get("x-amz-content-sha256", "").startswith("STREAMING-"):
            return refuse(400, "InvalidRequest")
        if self.command == "PUT" and self.headers.get("Content-Length") is None:
            return refuse(411, "MissingContentLength")
        sums = {"x-amz-checksum-sha256": hashlib.sha256, "Content-MD5": hashlib.md5}
        for name, kind in sums.items():
            given = self.headers.get(name)
            if given and base64.b64encode(kind(self.body).digest()).decode() != given:
                return refuse(400, "BadDigest")
        return None

    def forward(self) -> tuple[int, Headers, bytes]:
        """Ask the real server."""
        upstream = http.client.HTTPConnection(urlsplit(self.proxy.upstream.endpoint_url).netloc, timeout=30)
        with contextlib.closing(upstream):
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in HOP:
                    upstream.putheader(name, value)
            upstream.endheaders(self.body)
            with upstream.getresponse() as found:
                headers = [(name, value) for name, value in found.getheaders() if name.lower() not in HOP]
                return found.status, headers, found.read()

    def answer(self, status: int, headers: Headers, body: bytes) -> None:
        """Send an answer."""
        self.begin(status, headers, len(body))
        self.wfile.write(body)

    def begin(self, status: int, headers: Headers, size: int) -> None:
        """Send the head of an answer."""
        self.send_response_only(status)
        names = {name.lower() for name, _ in headers}
        if "content-length" not in names:
            headers = [*headers, ("Content-Length", str(size))]
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()

    def cut(self) -> None:
        """Reset the connection."""
        self.close_connection = True
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for thing in (self.rfile, self.wfile, self.connection):
            thing.close()


Act = Callable[[Exchange], None]


def refuse(status: int, code: str, *, more: str = "") -> Act:
    """Answer an error without asking the server."""

    def act(exchange: Exchange) -> None:
        body = f"<Error><Code>{code}</Code><Message>made up</Message>{more}</Error>".encode()
        exchange.answer(status, [("Content-Type", "application/xml")], b"" if exchange.command == "HEAD" else body)

    return act


def cut_upload(exchange: Exchange) -> None:
    """Reset the connection in the middle of the request's body."""
    exchange.rfile.read(exchange.rest // 2)
    exchange.cut()


def lose_answer(exchange: Exchange) -> None:
    """Let the server do it, and reset the connection instead of answering."""
    exchange.forward()
    exchange.cut()


def store_instead(change: Callable[[bytes], bytes]) -> Act:
    """Say that it was stored, and store other bytes."""

    def act(exchange: Exchange) -> None:
        answer = exchange.forward()
        with client(exchange.proxy.upstream) as s3:
            found = s3.get_object(**exchange.where)
            body = found["Body"].read()
            s3.put_object(**exchange.where, Body=change(body), Metadata=found["Metadata"])
        exchange.answer(*answer)

    return act


def truncate(keep: int) -> Act:
    """Promise the whole answer, send *keep* bytes, and close."""

    def act(exchange: Exchange) -> None:
        status, headers, body = exchange.forward()
        exchange.begin(status, headers, len(body))
        exchange.wfile.write(body[:keep])
        exchange.wfile.flush()
        exchange.close_connection = True

    return act


def wrong_range(exchange: Exchange) -> None:
    """Answer the first bytes whatever range was asked for."""
    status, headers, body = exchange.forward()
    with client(exchange.proxy.upstream) as s3:
        whole = s3.get_object(**exchange.where)["Body"].read()
    kept = [(name, value) for name, value in headers if name.lower() != "content-range"]
    span = f"bytes 0-{len(body) - 1}/{len(whole)}"
    exchange.answer(status, [*kept, ("Content-Range", span)], whole[: len(body)])


def ignore_range(exchange: Exchange) -> None:
    """Answer everything whatever range was asked for."""
    with client(exchange.proxy.upstream) as s3:
        found = s3.get_object(**exchange.where)
        exchange.answer(200, [("ETag", found["ETag"])], found["Body"].read())


def drip(bytes_per_s: int) -> Act:
    """Answer very slowly, until the other side gives up."""

    def act(exchange: Exchange) -> None:
        status, headers, body = exchange.forward()
        exchange.begin(status, headers, len(body))
        step = max(1, bytes_per_s // 20)
        for at in range(0, len(body), step):
            if exchange.proxy.stopping.wait(step / bytes_per_s):
                return
            exchange.wfile.write(body[at : at + step])
            exchange.wfile.flush()

    return act


def hide(wanted: Callable[[str], bool]) -> Act:
    """List only objects whose key is wanted, as a list does that is older than its objects."""

    def act(exchange: Exchange) -> None:
        status, headers, body = exchange.forward()
        kept = re.sub(
            rb"<Contents>.*?</Contents>",
            lambda one: one[0] if wanted(unquote(_key_of(one[0]))) else b"",
            body,
            flags=re.DOTALL,
        )
        exchange.answer(status, [(name, value) for name, value in headers if name.lower() != "content-length"], kept)

    return act


def _key_of(listed: bytes) -> str:
    return listed.partition(b"<Key>")[2].partition(b"</Key>")[0].decode()
