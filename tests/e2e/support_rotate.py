"""What secrets the running stack has, seen from outside: by logging in, and by tokens."""

from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg
import redis

from blocks import Stack
from flows.retire_secrets import retire_secrets
from flows.rotate_secrets import rotate_secrets
from pawpaw_ops.clients import rotations
from pawpaw_ops.clients.env_file import read_env
from pawpaw_ops.commands import compose
from pawpaw_ops.models.base import utc_now
from pawpaw_ops.models.secrets import Rotation, Turn
from pawpaw_ops.plans.tokens import mint
from pawpaw_ops.runner import LocalRunner
from tests.e2e.support_deploy import QUICK, Shop

PACE: dict[str, Any] = {name: QUICK[name] for name in ("deadline_s", "stable_s", "soak_s")}
SECRETS = ("DB_PASSWORD", "REDIS_APP_PASSWORD", "JWT_SECRET", "GRAFANA_ADMIN_PASSWORD")


@dataclass
class Vault:
    """The secrets of a running stack.

    Attributes:
        shop: The stack.
        seen: Every secret that the `.env` ever had while a test looked.
    """

    shop: Shop
    seen: set[str] = field(default_factory=set)

    def env(self) -> dict[str, str]:
        """Return the `.env`."""
        values = read_env(self.shop.stack.project.env_file)
        self.seen |= {values[name] for name in SECRETS}
        return values

    def text(self) -> bytes:
        """Return the `.env`, byte for byte."""
        return self.shop.stack.project.env_file.read_bytes()

    def rotate(self, which: str = "all", **more: Any) -> int:
        """Rotate, without the patience that production has."""
        self.env()
        made: int = rotate_secrets(stack=self.shop.name, which=which, **(PACE | more))  # type: ignore[assignment]
        self.env()
        return made

    def retire(self, **more: Any) -> str:
        """End the old ones."""
        said: str = retire_secrets(stack=self.shop.name, **(PACE | more))
        return said

    def open(self) -> Rotation | None:
        """Return the rotation that is not over."""
        return rotations.find_open(Stack.named(self.shop.name).settings())

    def turns(self) -> list[tuple[int, str]]:
        """Return generation and end of every rotation on record."""
        return [(one.generation, one.what) for one in self.records()]

    def records(self) -> tuple[Turn, ...]:
        """Return the record of rotations."""
        return rotations.turns(self.shop.state_dir)

    def database_takes(self, user: str, password: str) -> bool:
        """Whether the database lets a login in; it has to answer."""
        address = self.address("postgres")
        name = self.shop.stack.values["DB_NAME"]
        try:
            psycopg.connect(host=address, dbname=name, user=user, password=password, connect_timeout=5).close()
        except psycopg.OperationalError:
            assert psycopg.pq.PGconn.ping(f"host={address}".encode()) == psycopg.pq.Ping.OK
            return False
        return True

    def redis_takes(self, password: str, user: str = "pawpaw_app") -> bool:
        """Whether Redis lets the shop in."""
        with redis.Redis(host=self.address("redis"), username=user, password=password) as client:
            try:
                return bool(client.ping())
            except redis.AuthenticationError:
                return False

    def replicas_take(self, secret: str, kid: str) -> set[int]:
        """Return the answers of all replicas to a token that is signed with a key."""
        token = mint(secret, kid, now=utc_now())
        found = {one["Id"] for one in self.shop.stack.containers("backend")}
        assert found
        headers = {"Authorization": f"Bearer {token}"}
        urls = (f"http://{address}:4000/api/orders" for address in self._addresses("backend"))
        return {httpx.get(url, headers=headers, timeout=5).status_code for url in urls}

    def users(self) -> set[str]:
        """Return the logins of the shop that have a session."""
        rows = self.shop.stack.sql(
            "SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name = 'pawpaw-backend'"
        )
        return set(rows.split())

    def holds(self, values: dict[str, str]) -> bool:
        """Whether what the `.env` says is what runs and what the servers accept, and the shop works."""
        hashes = LocalRunner().ask(compose.hashes(self.shop.stack.project, env={}))
        made = {
            one["Config"]["Labels"]["com.docker.compose.config-hash"] for one in self.shop.stack.containers("backend")
        }
        customer = self.shop.stack.shop()
        customer.register()
        customer.fill_cart()
        return (
            made == {hashes["backend"]}
            and self.database_takes(values["DB_USER"], values["DB_PASSWORD"])
            and self.redis_takes(values["REDIS_APP_PASSWORD"])
            and self.replicas_take(values["JWT_SECRET"], values["JWT_KID"]) == {200}
            and customer.order().is_success
        )

    def _addresses(self, service: str) -> list[str]:
        found = [one["NetworkSettings"]["Networks"] for one in self.shop.stack.containers(service)]
        return [next(iter(networks.values()))["IPAddress"] for networks in found]

    def address(self, service: str) -> str:
        """Return the address of a service's first container."""
        return self._addresses(service)[0]
