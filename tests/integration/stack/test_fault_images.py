"""Each release for tests really has its fault, and no other."""

import json
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

import httpx
import pytest

from tests.e2e.fault_images import WRONG_PORT, Fault, Images, Migration, table_in_use
from tests.integration.stack import support_docker
from tests.integration.stack.support_docker import STACK, Container, World, base_image, build, docker
from tests.waiting import wait_until

PASSWORDS = ("POSTGRES_PASSWORD", "DB_PASSWORD", "BACKUP_DB_PASSWORD", "EXPORTER_DB_PASSWORD", "ROTATOR_DB_PASSWORD",
             "REPLICATOR_DB_PASSWORD", "REDIS_APP_PASSWORD", "REDIS_BACKUP_PASSWORD", "REDIS_EXPORTER_PASSWORD",
             "REDIS_ADMIN_PASSWORD")  # fmt: skip
DATABASE = "pawpaw_db"
LIMIT = "--memory=128m"


@dataclass(frozen=True)
class Ground:
    """A database with the shop's tables, a Redis, and images that use both."""

    world: World
    network: str
    postgres: Container
    images: Images
    env: dict[str, str]

    def run(self, image: str, *options: str, command: tuple[str, ...] = ()) -> Container:
        """Start a backend beside all others."""
        name = f"b{secrets.token_hex(3)}"
        return self.world.run(image, name, "--user=1000:1000", "--tmpfs=/tmp", *options, network=self.network,
                              env=self.env, command=command)  # fmt: skip

    def start(self, release: str, fault: Fault = Fault.NONE, *options: str, seconds: float = 3.0) -> Container:
        """Build a backend with a fault and start it."""
        return self.run(self.images.backend(release, fault, seconds=seconds), *options)

    def migrate(self, image: str) -> Container:
        """Run the image's migrations to their end."""
        container = self.run(image, command=("node", "dist/migrate.js"))
        container.wait_ended()
        return container

    def ask(self, container: Container, path: str, *, port: int = 4000) -> httpx.Response:
        """Ask a container as the gateway would."""
        url = f"http://{container.address(self.network)}:{port}{path}"
        return httpx.get(url, timeout=20, trust_env=False)

    def sql(self, statement: str) -> str:
        """Ask the database."""
        return self.postgres.exec("psql", "-qXAt", "-U", "postgres", "-d", DATABASE, "-c", statement).strip()


@pytest.fixture(scope="module")
def ground(docker_engine: None, postgres_image: str, redis_image: str) -> Iterator[Ground]:
    """One for all: nothing here changes what another test sees."""
    bases = {name: base_image(name) for name in ("BASE_NODE", "BASE_NGINX")}
    backend = build(STACK / "backend", "pawpaw-test/backend:local", {"BASE_NODE": bases["BASE_NODE"]})
    frontend = build(STACK / "frontend", "pawpaw-test/frontend:local", bases)
    env = {name: secrets.token_hex(16) for name in PASSWORDS} | {"DB_NAME": DATABASE, "DB_USER": "pawpaw_app_a"}
    with support_docker.world() as world:
        network = world.network()
        data = (world.mount("data", "/var/lib/postgresql/data"), world.mount("wal", "/wal_archive"))
        sockets = "--tmpfs=/var/run/postgresql:uid=999,gid=999,mode=775"
        postgres = world.run(postgres_image, "postgres", "--tmpfs=/tmp", sockets, *data, network=network, env=env)
        redis = world.run(redis_image, "redis", "--tmpfs=/tmp", "--tmpfs=/run/redis:uid=999,gid=999,mode=700",
                          world.mount("redis", "/data"), network=network, env=env)  # fmt: skip
        postgres.wait_healthy()
        redis.wait_healthy()
        postgres.exec("make-roles")
        login = {"DB_HOST": "postgres", "DB_OWNER": "pawpaw_owner", "REDIS_HOST": "redis", "REDIS_USER": "pawpaw_app",
                 "REDIS_PASSWORD": env["REDIS_APP_PASSWORD"], "DB_PASSWORD": env["DB_PASSWORD"], "DB_NAME": DATABASE,
                 "DB_USER": env["DB_USER"], "JWT_SECRET": "x" * 32, "JWT_KID": "1", "PORT": "4000"}  # fmt: skip
        images = Images(backend, frontend, prefix=world.id)
        made = Ground(world, network, postgres, images, login)
        try:
            assert made.migrate(backend).state["ExitCode"] == 0
            yield made
        finally:
            images.remove()


@pytest.fixture(autouse=True)
def alone(ground: Ground) -> Iterator[None]:
    """Replicas of a test that is over would take the processor from the next one with their health checks."""
    yield
    lasting = {ground.postgres.name, f"{ground.world.id}-redis"}
    if over := [one.name for one in ground.world.containers() if one.name not in lasting]:
        docker("rm", "--force", *over)


def health(container: Container) -> str:
    return str(container.state["Health"]["Status"])


def test_a_good_one_tells_its_release_and_has_a_slow_route(ground: Ground) -> None:
    """A stop waits for the slow request, as for any other; what was executed is in the log once."""
    good = ground.start("r-2")
    good.wait_healthy()
    assert ground.ask(good, "/ready").json() == {"ready": True}
    assert ground.ask(good, "/api/version").json()["release"] == "r-2"
    assert ground.ask(good, "/api/products").status_code == 200
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(ground.ask, good, "/api/slow?ms=1500&id=one")
        good.wait_log('{"slow":"one","release":"r-2"}')
        good.stop()
        assert asked.result().json() == {"release": "r-2", "ms": 1500}
    assert good.logs().count('"slow":"one"') == 1
    assert good.state["ExitCode"] == 0
    assert '"drained"' in good.logs()


def test_events_never_end_and_are_not_buffered(ground: Ground) -> None:
    good = ground.start("r-3")
    good.wait_healthy()
    url = f"http://{good.address(ground.network)}:4000/api/ticks"
    with httpx.stream("GET", url, trust_env=False, timeout=20) as events:
        lines = (line for line in events.iter_lines() if line)
        assert [next(lines), next(lines)] == ["data: r-3"] * 2
        assert events.headers["X-Accel-Buffering"] == "no"


@pytest.mark.parametrize("fault", [Fault.EXITS, Fault.CRASH_LOOPS])
def test_it_exits(ground: Ground, fault: Fault) -> None:
    gone = ground.start(f"x-{fault}", fault)
    assert gone.wait_ended() == 1
    assert "leaving with exit code 1" in gone.logs()


def test_it_is_restarted_again_and_again(ground: Ground) -> None:
    looping = ground.start("x-loop", Fault.CRASH_LOOPS, "--restart=unless-stopped")
    wait_until(lambda: looping.inspect()["RestartCount"] >= 2, "it was restarted twice")


def test_it_is_never_healthy(ground: Ground) -> None:
    unwell = ground.start("x-unwell", Fault.UNHEALTHY)
    wait_until(lambda: health(unwell) == "unhealthy", "it is unhealthy")
    unwell.wait_log("listening")
    assert ground.ask(unwell, "/health").json()["fault"] == "unhealthy"
    assert unwell.state["Running"]


def test_it_is_healthy_and_dies(ground: Ground) -> None:
    dying = ground.start("x-dies", Fault.DIES, seconds=2)
    dying.wait_healthy()
    assert dying.wait_ended() == 1


def test_it_boots_slowly(ground: Ground) -> None:
    late = ground.start("x-late", Fault.SLOW_BOOT, seconds=3)
    late.wait_log("boot takes 3 s")
    late.wait_healthy()
    logged = [json.loads(line) for line in late.logs().splitlines()]
    listening = next(datetime.fromisoformat(line["time"]) for line in logged if line.get("msg") == "listening")
    assert (listening - datetime.fromisoformat(late.state["StartedAt"][:26] + "+00:00")).total_seconds() > 3


@pytest.mark.parametrize(("fault", "status", "to"), [(Fault.READY_301, 301, "/entrar"), (Fault.READY_404, 404, None)])
def test_it_is_healthy_and_not_ready(ground: Ground, fault: Fault, status: int, to: str | None) -> None:
    odd = ground.start(f"x-{fault}", fault)
    odd.wait_healthy()
    answer = ground.ask(odd, "/ready")
    assert (answer.status_code, answer.headers.get("Location")) == (status, to)


def test_it_listens_elsewhere(ground: Ground) -> None:
    elsewhere = ground.start("x-port", Fault.WRONG_PORT)
    elsewhere.wait_healthy()
    assert ground.ask(elsewhere, "/ready", port=WRONG_PORT).status_code == 200
    with pytest.raises(httpx.ConnectError):
        ground.ask(elsewhere, "/ready")


def test_it_takes_all_memory_and_is_killed(ground: Ground) -> None:
    greedy = ground.start("x-oom", Fault.OOM, LIMIT, "--memory-swap=128m")
    assert greedy.wait_ended() == 137
    assert greedy.state["OOMKilled"]


def test_exactly_one_of_three_is_never_healthy(ground: Ground) -> None:
    image = ground.images.backend("x-one", Fault.ONE_UNHEALTHY)
    replicas = [ground.run(image) for _ in range(3)]
    wait_until(lambda: sorted(map(health, replicas)) == ["healthy", "healthy", "unhealthy"], "one is unhealthy")
    assert sum("this is the one" in one.logs() for one in replicas) == 1


def test_it_has_no_healthcheck(ground: Ground) -> None:
    unchecked = ground.start("x-none", Fault.NO_HEALTHCHECK)
    unchecked.wait_log('"listening"')
    assert "Health" not in unchecked.state


def test_it_does_not_hear_sigterm(ground: Ground) -> None:
    deaf = ground.start("x-deaf", Fault.DEAF)
    deaf.wait_healthy()
    deaf.stop(grace_s=1)
    assert deaf.state["ExitCode"] == 137
    assert "and nothing happens" in deaf.logs()


def test_it_cuts_what_is_under_way(ground: Ground) -> None:
    rude = ground.start("x-rude", Fault.ABRUPT)
    rude.wait_healthy()
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(ground.ask, rude, "/api/slow?ms=15000&id=two")
        rude.wait_log('"slow":"two"')
        rude.stop()
        with pytest.raises(httpx.RemoteProtocolError):
            asked.result()
    assert rude.state["ExitCode"] == 143


def test_migrations(ground: Ground) -> None:
    """What breaks leaves nothing; what is marked as contracting is known as such."""
    broken = ground.migrate(ground.images.backend("m-1", migration=Migration("breaks", 9001)))
    assert broken.state["ExitCode"] == 1
    assert "22012" in broken.logs()
    for number, kind in enumerate(("expands", "contracts"), start=9002):
        assert (
            ground.migrate(ground.images.backend(f"m-{number}", migration=Migration(kind, number))).state["ExitCode"]
            == 0
        )
    known = "SELECT string_agg(version || kind, ' ' ORDER BY version) FROM schema_migrations WHERE version > 9000"
    assert ground.sql(known) == "9002expand 9003contract"
    assert ground.sql("SELECT to_regclass('variant_9001') IS NULL AND to_regclass('variant_9003') IS NOT NULL") == "t"


def test_a_migration_waits_for_who_reads_and_gives_up(ground: Ground) -> None:
    image = ground.images.backend("m-block", migration=Migration("blocks", 9009))
    with table_in_use(ground.postgres.name, DATABASE):
        blocked = ground.migrate(image)
    assert blocked.state["ExitCode"] == 1
    assert "55P03" in blocked.logs()
    assert ground.migrate(image).state["ExitCode"] == 0


def serve(ground: Ground, release: str, fault: Fault = Fault.NONE) -> Container:
    image = ground.images.frontend(release, fault)
    return ground.world.run(image, f"f-{release}", "--user=101:101", "--tmpfs=/tmp", network=ground.network)


def test_a_frontend_tells_its_release_and_has_a_chunk_of_its_own(ground: Ground) -> None:
    good = serve(ground, "r-9")
    good.wait_healthy()
    assert ground.ask(good, "/release.txt", port=8080).text == "r-9\n"
    chunk = ground.ask(good, f"/assets/{Images.chunk('r-9')}", port=8080)
    assert (chunk.text, "immutable" in chunk.headers["Cache-Control"]) == ("// r-9\n", True)
    assert ground.ask(good, f"/assets/{Images.chunk('r-8')}", port=8080).status_code == 404
    assert 'id="root"' in ground.ask(good, "/", port=8080).text


def test_frontends_with_faults(ground: Ground) -> None:
    gone, unwell = serve(ground, "fx-exits", Fault.EXITS), serve(ground, "fx-unwell", Fault.UNHEALTHY)
    unchecked = serve(ground, "fx-none", Fault.NO_HEALTHCHECK)
    assert gone.wait_ended() == 1
    wait_until(lambda: health(unwell) == "unhealthy", "it is unhealthy")
    assert "the shop is unwell" in json.dumps(unwell.state["Health"])
    assert "Health" not in unchecked.state


def test_a_variant_costs_nothing_and_is_labelled(ground: Ground) -> None:
    tag = ground.images.backend("r-7")
    seen = json.loads(docker("image", "inspect", tag))[0]
    assert seen["Config"]["Labels"]["org.opencontainers.image.version"] == "r-7"
    assert "RELEASE_ID=r-7" in seen["Config"]["Env"]
    assert seen["Config"]["User"] == "1000:1000"
    assert tag == f"{ground.world.id}-backend:r-7"
