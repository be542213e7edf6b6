"""What a deploy does when the gateway is not as it should be."""

import json
import os
import signal
import threading
from pathlib import Path

import httpx
import pytest

from pawpaw_ops.errors import PreconditionError, Undone
from pawpaw_ops.plans import upstreams
from tests.e2e.support_deploy import Shop
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("logs_of_failures", "prefect_api")


@pytest.mark.usefixtures("nobody_notices")
def test_deploy_C1_files_that_nginx_refuses_never_take_the_live_names(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shop.everything()
    render = upstreams.render

    def broken(*args: object, **more: object) -> dict[str, str]:
        files = render(*args, **more)  # type: ignore[arg-type]
        return {**files, "backend.conf": files["backend.conf"].replace("keepalive", "keepalife")}

    monkeypatch.setattr(upstreams, "render", broken)
    with pytest.raises(Undone, match="keepalife"):
        shop.deploy(shop.offer())
    assert shop.everything() == before


@pytest.mark.usefixtures("nobody_notices")
def test_deploy_C3_a_gateway_that_does_not_take_the_files_up_goes_on_with_the_old_ones(shop: Shop) -> None:
    """Its master is frozen until it was told to reload and has not; workers go on meanwhile."""
    before = shop.everything()
    master = shop.stack.process("nginx", "nginx: master process")
    os.kill(master, signal.SIGSTOP)

    def thaw() -> None:
        try:
            wait_until(lambda: bool(shop.stack.process("nginx", "gateway-reload")), "it is told")
            told = Path(f"/proc/{shop.stack.process('nginx', 'gateway-reload')}")
            # The way back tells it again, at once.
            wait_until(lambda: not told.exists(), "nobody waits any more for what it was told first")
        finally:
            os.kill(master, signal.SIGCONT)

    version, thread = shop.offer(), threading.Thread(target=thaw)
    thread.start()
    with pytest.raises(Undone, match="kept its old configuration"):
        shop.deploy(version)
    thread.join()
    assert shop.everything() == before


@pytest.mark.usefixtures("nobody_notices")
def test_deploy_B3_B4_C4_a_client_that_never_lets_go_is_let_go_and_counted_and_the_deploy_ends(shop: Shop) -> None:
    url = f"https://localhost:{shop.stack.values['HTTPS_PORT']}/api/ticks"
    ticks: list[str] = []

    def listen() -> None:
        with httpx.stream("GET", url, verify=False, timeout=120) as stream:  # noqa: S501 - nobody's certificate
            try:
                ticks.extend(stream.iter_lines())
            except httpx.TransportError as seen:
                ticks.append(f"closed: {seen}")

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    version = shop.offer()
    shop.deploy(version)
    assert shop.serves(version)
    listener.join(60)
    assert not listener.is_alive()
    record = json.loads((shop.state_dir / "audit.jsonl").read_text().splitlines()[-1])
    assert record["verb"] == "deploy"
    assert record["requests"]["cut"] > 0
    assert record["requests"]["failed"] == 0


def test_deploy_C2_without_a_gateway_the_old_replicas_stay(shop: Shop) -> None:
    before = shop.everything()
    shop.stack.compose("stop", "nginx")
    try:
        with pytest.raises(PreconditionError, match="is not running"):
            shop.deploy(shop.offer())
    finally:
        shop.stack.compose("start", "nginx")
        shop.stack.wait_healthy("nginx")
    assert shop.everything() == before
    wait_until(lambda: shop.stack.shop().http.get("/api/products").status_code == 200, "the shop answers again")
