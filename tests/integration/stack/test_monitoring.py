"""The monitoring as it runs: a real Prometheus, real exporters, and the servers that they watch.

The backend, Loki and the log shipper are doubles here; the whole stack's tests have the real backend.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import yaml

from tests.integration.stack import support_docker
from tests.integration.stack import support_monitoring as monitoring
from tests.integration.stack.support_docker import Container, World, base_image
from tests.integration.stack.support_monitoring import MONITORING, RULES, standin
from tests.integration.stack.test_postgres_image import Cluster, sql
from tests.integration.stack.test_redis_image import Server
from tests.waiting import wait_until

HERE = Path(__file__).parent
BUCKETS = {"0.005": 2, "0.01": 5, "0.025": 8, "0.05": 9, "0.1": 9, "0.25": 10, "0.5": 10, "1": 10, "2.5": 10, "5": 10}
GOLDEN = 'method="GET",path="/api/products",status_code='
BACKEND = "\n".join(
    [
        *(
            f'http_request_duration_seconds_bucket{{le="{le}",{GOLDEN}"200"}} {n}t'
            for le, n in {**BUCKETS, "10": 10, "+Inf": 10}.items()
        ),
        f'http_request_duration_seconds_sum{{{GOLDEN}"200"}} 0.4t',
        f'http_request_duration_seconds_count{{{GOLDEN}"200"}} 10t',
        f'http_request_duration_seconds_count{{{GOLDEN}"500"}} 1t',
        "process_cpu_seconds_total 0.1t",
        "process_resident_memory_bytes 90000000",
        "nodejs_eventloop_lag_p99_seconds 0.01",
    ]
)
"""What express-prom-bundle serves, as far as a query or a rule asks for it."""
SHIPPER = "\n".join(
    f'pawpaw_gateway_http_requests_total{{container_name="pawpaw_nginx",service="nginx",status="{status}"}} {n}t'
    for status, n in {"200": 9, "502": 1}.items()
)
LOKI = 'loki_distributor_lines_received_total{tenant="fake"} 5t'
TEXTFILE = """
pawpaw_backup_last_verified_timestamp_seconds{database="pawpaw_db"} 1790000000
pawpaw_backup_size_bytes{database="pawpaw_db"} 123456
pawpaw_wal_archive_unbounded 0
pawpaw_drill_last_success_timestamp_seconds 1790000000
pawpaw_certificate_not_after_timestamp_seconds{name="tienda"} 1990000000
pawpaw_deploy_last_timestamp_seconds 1790000000
pawpaw_deploy_last_requests{outcome="total"} 1200
pawpaw_deploy_last_requests{outcome="failed"} 0
pawpaw_deploy_last_switch_seconds 0.4
pawpaw_deploy_last_lead_seconds 900
pawpaw_release_info{release="v2-7",version="v2"} 1
pawpaw_run_last_end_timestamp_seconds{verb="deploy",result="ok"} 1790000000
pawpaw_run_last_end_timestamp_seconds{verb="rollback",result="ok"} 1790000000
pawpaw_run_last_duration_seconds{verb="deploy",result="ok"} 42
pawpaw_runs_total{verb="deploy",result="ok"} 7
"""
NODE = (
    "--path.procfs=/proc",
    "--collector.disable-defaults",
    *(
        f"--collector.{name}"
        for name in (
            "cpu",
            "diskstats",
            "filesystem",
            "loadavg",
            "meminfo",
            "stat",
            "textfile",
            "time",
            "uname",
            "vmstat",
        )
    ),
    "--collector.textfile.directory=/textfile",
    "--collector.filesystem.mount-points-include=^/(disks/.+|textfile)$",
)
"""As in docker-compose.prod.yml."""


def healthy(port: int, path: str = "/metrics") -> tuple[str, ...]:
    """Return the health check of docker-compose.prod.yml."""
    return ("wget", "-q", "-O", "/dev/null", f"http://127.0.0.1:{port}{path}")


@dataclass(frozen=True)
class Watched:
    """A Prometheus, what it watches, and the Alertmanager that it tells."""

    prometheus: Container
    alertmanager: Container

    @property
    def url(self) -> str:
        """Where Prometheus answers on this machine."""
        return f"http://127.0.0.1:{self.prometheus.port(9090)}"

    def told(self) -> set[str]:
        """The alerts that have reached Alertmanager."""
        url = f"http://127.0.0.1:{self.alertmanager.port(9093)}/api/v2/alerts"
        return {alert["labels"]["alertname"] for alert in httpx.get(url, timeout=30, trust_env=False).json()}


def _double(world: World, network: str, name: str, alias: str, *, port: int, metrics: str) -> None:
    world.run(
        base_image("BASE_NODE"),
        name,
        *(f"--network-alias={alias}", f"--volume={HERE / 'metrics_double.mjs'}:/double.mjs:ro", "--user=65534:65534"),
        network=network,
        env={"PORT": str(port), "METRICS": metrics},
        command=("node", "/double.mjs"),
    )


def _exporters(world: World, network: str, cluster: Cluster, server: Server, textfile: Path) -> None:
    image = standin("exporters")
    for name, host in (("postgres_exporter", "postgres"), ("postgres_replica_exporter", "replica")):
        world.run(
            image,
            name,
            "--entrypoint=/bin/postgres_exporter",
            network=network,
            env={
                "DATA_SOURCE_URI": f"{host}:5432/postgres?sslmode=disable",
                "DATA_SOURCE_USER": "pawpaw_exporter",
                "DATA_SOURCE_PASS": cluster.passwords["EXPORTER_DB_PASSWORD"],
            },
        )
    world.run(
        image,
        "redis_exporter",
        "--entrypoint=/redis_exporter",
        network=network,
        env={
            "REDIS_ADDR": "redis://redis:6379",
            "REDIS_USER": "pawpaw_exporter",
            "REDIS_PASSWORD": server.passwords["REDIS_EXPORTER_PASSWORD"],
        },
    )
    world.run(
        image,
        "nginx_exporter",
        "--entrypoint=/usr/bin/nginx-prometheus-exporter",
        network=network,
        command=("--nginx.scrape-uri=http://nginx:8081/stub_status",),
    )
    world.run(
        image,
        "node_exporter",
        *("--entrypoint=/bin/node_exporter", f"--volume={textfile}:/textfile:ro"),
        world.mount("disk", "/disks/docker", read_only=True),
        network=network,
        command=NODE,
    )


@pytest.fixture(scope="module")
def watched(
    docker_engine: None,
    gateway_image: str,
    postgres_image: str,
    redis_image: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Watched]:
    """The stack as Prometheus sees it: all exporters and servers real; backend, Loki and shipper are doubles."""
    folder = tmp_path_factory.mktemp("monitoring")
    textfile, config = folder / "textfile", folder / "prometheus.yml"
    textfile.mkdir()
    textfile.chmod(0o755)
    (textfile / "pawpaw.prom").write_text(TEXTFILE)
    # The same configuration, but nobody waits a quarter of a minute for a sample.
    config.write_text(re.sub(r"\b(15s|10s|5s|1m)\b", "1s", (MONITORING / "prometheus/prometheus.yml").read_text()))
    with support_docker.world() as world:
        network = world.network()
        cluster = Cluster(world, postgres_image, network)
        server = Server(world, redis_image, network)
        _servers(cluster, server, gateway_image)
        _doubles(world, network)
        _exporters(world, network, cluster, server, textfile)
        yield _watch(world, network, config)


def _servers(cluster: Cluster, server: Server, gateway_image: str) -> None:
    world = cluster.world
    primary = cluster.primary(healthy=False)
    server.launch()
    world.run(
        gateway_image,
        "nginx",
        *("--tmpfs=/tmp:mode=1777", "--tmpfs=/run/nginx:uid=101,gid=101,mode=755"),
        *(world.mount("certs", "/etc/nginx/certs"), world.mount("acme", "/var/www/acme")),
        world.mount("upstreams", "/etc/nginx/upstreams.d", read_only=True),
        network=cluster.network,
        env={"SHOP_DOMAIN": "localhost"},
    )
    primary.wait_healthy()
    cluster.replica()
    server.container.wait_healthy()
    server.ask("pawpaw_app", "SET", "pawpaw:cart:1", "{}")
    server.ask("pawpaw_app", "GET", "pawpaw:cart:1")
    sql(primary, "SELECT pg_switch_wal()")


def _doubles(world: World, network: str) -> None:
    for number in (1, 2):
        _double(world, network, f"replica-{number}", "backend", port=4000, metrics=BACKEND)
    _double(world, network, "loki-double", "loki", port=3100, metrics=LOKI)
    _double(world, network, "alloy-double", "alloy", port=12345, metrics=SHIPPER)


def _watch(world: World, network: str, config: Path) -> Watched:
    alertmanager = world.run(
        standin("alertmanager"),
        "alertmanager",
        *("--publish=127.0.0.1::9093", world.mount("alertmanager", "/alertmanager")),
        f"--volume={MONITORING / 'alertmanager'}:/etc/alertmanager:ro",
        network=network,
        command=(
            *("--config.file=/etc/alertmanager/alertmanager.yml", "--storage.path=/alertmanager"),
            "--cluster.listen-address=",
        ),
    )
    wait_until(lambda: alertmanager.attempt(*healthy(9093, "/-/ready")).returncode == 0, "Alertmanager is ready")
    prometheus = world.run(
        standin("prometheus"),
        "prometheus",
        *("--publish=127.0.0.1::9090", world.mount("prometheus", "/prometheus")),
        *(f"--volume={config}:/etc/prometheus/prometheus.yml:ro", f"--volume={RULES}:/etc/prometheus/rules:ro"),
        network=network,
        command=(
            *("--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"),
            *("--storage.tsdb.retention.time=15d", "--storage.tsdb.retention.size=5GB"),
            "--rules.alert.resend-delay=2s",  # the first may come before it knows Alertmanager
        ),
    )
    ready = ("/bin/promtool", "check", "ready", "--url=http://127.0.0.1:9090")
    wait_until(lambda: prometheus.attempt(*ready).returncode == 0, "Prometheus is ready")
    return Watched(prometheus, alertmanager)


JOBS = {
    each["job_name"]: 2 if each["job_name"] == "backend" else 1
    for each in yaml.safe_load((MONITORING / "prometheus/prometheus.yml").read_text())["scrape_configs"]
}


def test_the_health_checks_pass_in_the_exporters_and_fail_where_nothing_listens(watched: Watched) -> None:
    world = watched.prometheus.name.removesuffix("-prometheus")
    ports = {"postgres": 9187, "postgres_replica": 9187, "redis": 9121, "nginx": 9113, "node": 9100}
    for name, port in ports.items():
        exporter = Container(f"{world}-{name}_exporter")
        assert exporter.attempt(*healthy(port)).returncode == 0, name
        assert exporter.attempt(*healthy(port + 1)).returncode != 0, name


def test_every_target_is_up_and_each_replica_is_one(watched: Watched) -> None:
    def up() -> dict[str, int]:
        return {job: len(found) for job, found in monitoring.targets(watched.url).items()}

    try:
        wait_until(lambda: up() == JOBS, "every target is up")
    finally:
        print(up())  # noqa: T201


def _none_within(check: Callable[[], list[str]], deadline_s: float = 90) -> list[str]:
    """Return what is left of the problems once there are none, or when the time is over."""
    left: list[str] = []

    def none() -> bool:
        left[:] = check()
        return not left

    try:
        wait_until(none, "no problems", deadline_s=deadline_s, every_s=1)
    except AssertionError:
        return left
    return []


def test_every_panels_query_has_series_from_the_real_exporters_and_a_double_of_the_backend(watched: Watched) -> None:
    assert _none_within(lambda: monitoring.check_every_query(watched.url)) == []


def test_every_rules_selector_has_series_from_the_real_exporters_and_a_double_of_the_backend(watched: Watched) -> None:
    assert _none_within(lambda: monitoring.check_every_rule_selector(watched.url)) == []


@pytest.mark.parametrize(
    ("expression", "missing"),
    [
        ("sum(pg_stat_database_numbackend) > 1", ["no series: pg_stat_database_numbackend{}"]),
        ('pg_up{job="postgresql"} == 0', ['no series: pg_up{job="postgresql"}']),
        ('rate(http_request_duration_seconds_count{status=~"5.."}[5m])', [
            'no series: http_request_duration_seconds_count{status=~"5.."}'
        ]),
        ('up{job="backend"} and absent(up{job="nothing"})', ['no series: up{job="nothing"}']),
    ],
)  # fmt: skip
def test_the_check_of_selectors_notices(watched: Watched, expression: str, missing: list[str]) -> None:
    """A mistyped metric, job, or label would be silently green; a value that is rare is not mistaken for one."""
    assert monitoring.missing_series(watched.url, expression) == missing
    assert monitoring.missing_series(watched.url, 'pg_replication_slot_wal_status{wal_status="lost"} == 1') == []


def test_alerts_reach_alertmanager_with_their_texts_filled_in(watched: Watched) -> None:
    wait_until(lambda: "Watchdog" in watched.told(), "Watchdog has reached Alertmanager", every_s=0.5)
    texts = [text for alert in monitoring.alerts(watched.url) for text in alert["annotations"].values()]
    assert texts
    assert [text for text in texts if "<" in text or "{{" in text] == []


def test_a_healthy_stack_raises_nothing_about_its_servers(watched: Watched) -> None:
    """What may be pending is about the doubles' made-up errors and dates."""
    made_up = {
        "Watchdog",
        "BackendErrorRatio",
        "GatewayErrorRatio",
        "GatewayStaleUpstream",
        "BackupTooOld",
        "DrillTooOld",
    }

    def raised() -> list[str]:
        names = {alert["labels"]["alertname"] for alert in monitoring.alerts(watched.url)} - made_up
        return sorted(name for name in names if not name.startswith("Host"))  # this machine is what it is

    assert _none_within(raised) == []


def test_a_server_that_dies_is_noticed(watched: Watched, request: pytest.FixtureRequest) -> None:
    """Last in this file: it stops Redis, and its exporter says so rather than vanish."""
    name = watched.prometheus.name.removesuffix("-prometheus")
    redis = Container(f"{name}-redis")
    redis.stop()

    def pending() -> set[str]:
        return {alert["labels"]["alertname"] for alert in monitoring.alerts(watched.url)}

    wait_until(lambda: "RedisDown" in pending(), "RedisDown is pending", every_s=0.5)
    redis.start()
    wait_until(lambda: "RedisDown" not in pending(), "RedisDown is over", every_s=0.5)
