"""`pawpaw up` and `pawpaw down`, as they are typed."""

from pathlib import Path

from rich.console import Console

from deployments.stack.up import Place, address, bring_up, take_down
from pawpaw_ops.clients.env_file import read_env

STACK = Path("stack")
console = Console(highlight=False)


def up(
    *,
    folder: Path = STACK,
    env_file: Path | None = None,
    domain: str = "",
    build: bool = True,
    seed: bool = True,
    timeout_s: float = 300.0,
) -> None:
    """Bring the shop's whole stack up on this host's Docker Engine: .env, images, containers, demo goods.

    Args:
        folder: The stack's folder.
        env_file: File with its variables; made with random secrets if it is not there. Default: .env in the folder.
        domain: Host name of the shop, written into a new .env. Default: localhost.
        build: Build the images first.
        seed: Put the demo shop's goods and its user in.
        timeout_s: Longest wait for everything to be healthy, in seconds.
    """
    place = Place(folder=folder, env_file=env_file or folder / ".env")
    bring_up(place, console, domain=domain, build=build, seed=seed, timeout_s=timeout_s)
    values = read_env(place.env_file)
    console.print(f"The shop:   {address(values)}")
    console.print(f"Prometheus: http://127.0.0.1:{values.get('PROMETHEUS_PORT', '9090')}")
    if "dashboards" in values.get("COMPOSE_PROFILES", ""):
        console.print(f"Grafana:    http://127.0.0.1:{values.get('GRAFANA_PORT', '3001')}, user admin")


def down(*, folder: Path = STACK, env_file: Path | None = None) -> None:
    """Stop the shop's stack and keep its data.

    Args:
        folder: The stack's folder.
        env_file: File with its variables. Default: .env in the folder.
    """
    take_down(Place(folder=folder, env_file=env_file or folder / ".env"))
    console.print("The stack is down; its data is kept.")
