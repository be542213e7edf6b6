"""What `plans/upstreams.py` writes the gateway loads, and what the gateway logs `plans/traffic.py` counts."""

from pathlib import Path

from pawpaw_ops.plans.traffic import count
from pawpaw_ops.plans.upstreams import Marker, Member, Members, parse_marker, parse_members, render
from tests.integration.stack.support_docker import Container, World, docker
from tests.waiting import wait_until

NOBODY = "127.0.0.1"
"""Nobody listens there inside the gateway's container."""


def files(*addresses: str, generation: int = 7) -> dict[str, str]:
    members = tuple(
        Member(address=one, container_id="ab" * 32, name=f"shop-{nth}") for nth, one in enumerate(addresses)
    )
    services = [
        Members(service=name, port=port, addresses=members) for name, port in (("backend", 4000), ("frontend", 8082))
    ]
    return render(services, release="2026.11-3", generation=generation)


def write(folder: Path, texts: dict[str, str]) -> None:
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    for name, text in texts.items():
        (folder / name).write_text(text)


def ask(gateway: Container, path: str, *, scheme: str = "https", port: int = 8443) -> str:
    return gateway.exec("curl", "-sk", f"{scheme}://127.0.0.1:{port}{path}")


def test_the_gateway_loads_the_files_and_its_log_is_counted(world: World, gateway_image: str, tmp_path: Path) -> None:
    live = tmp_path / "live"
    write(live, files(NOBODY))
    mounts = (f"--volume={live}:/etc/nginx/upstreams.d:ro", world.mount("certs", "/etc/nginx/certs"))
    tmpfs = ("--tmpfs=/tmp:mode=1777", "--tmpfs=/run/nginx:uid=101,gid=101,mode=755")
    gateway = world.run(gateway_image, "gateway", *tmpfs, *mounts, network=world.network())
    gateway.wait_healthy()
    assert parse_marker(ask(gateway, "/release", scheme="http", port=8081)) == Marker(7, "2026.11-3")

    write(live / ".candidate", files("172.20.0.5", "fd00::8", generation=8))
    gateway.exec("gateway-check", "/etc/nginx/upstreams.d/.candidate")
    write(live, files(NOBODY, "127.0.0.2", generation=8))
    gateway.exec("gateway-reload")
    assert parse_marker(ask(gateway, "/release", scheme="http", port=8081)).generation == 8
    assert [one.address for one in parse_members((live / "backend.conf").read_text())] == [NOBODY, "127.0.0.2"]

    ask(gateway, "/api/products")
    (live / "maintenance.on").touch()
    ask(gateway, "/api/products")
    wait_until(lambda: len(docker("logs", gateway.name).splitlines()) >= 2, "both requests are logged")
    seen = count(docker("logs", gateway.name).splitlines())
    assert (seen.total, seen.failed, seen.announced, seen.retried, seen.unreadable) == (2, 1, 1, 1, 0)
    assert seen.by_release == {"2026.11-3": 2}
