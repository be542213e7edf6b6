"""The dashboards as code: `python stack/monitoring/grafana/build.py` writes dashboards/*.json."""  # noqa: INP001

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "dashboards"
PER_ROW = 3
COLUMNS, HEIGHT = 24, 8

REQUESTS = 'job="backend",path!~"/metrics|/health|/ready"'
VERIFIED = "pawpaw_backup_last_verified_timestamp_seconds"
GATEWAY = "pawpaw_gateway_http_requests_total"


@dataclass(frozen=True)
class Panel:
    """One picture: a title, a unit of Grafana's, and queries with what each line is called."""

    title: str
    unit: str
    queries: dict[str, str]
    kind: str = "timeseries"
    limits: tuple[float, float] | None = None  # from here on yellow, from here on red
    fewer_is_worse: bool = False  # red below the first, green from the second on
    width: int = COLUMNS // PER_ROW


def stat(
    title: str,
    unit: str,
    query: str,
    limits: tuple[float, float] | None = None,
    *,
    name: str = "",
    width: int = 4,
    fewer_is_worse: bool = False,
) -> Panel:
    """Make a panel that shows the newest value."""
    return Panel(title, unit, {query: name}, "stat", limits, fewer_is_worse, width)


def logs(title: str, query: str) -> Panel:
    """Make a panel of log lines."""
    return Panel(title, "", {query: ""}, kind="logs", width=COLUMNS)


P95 = f"histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{{{REQUESTS}}}[5m])))"
ERROR_RATIO = (
    f'(sum(rate(http_request_duration_seconds_count{{{REQUESTS},status_code=~"5.."}}[5m])) or vector(0))'
    f" / sum(rate(http_request_duration_seconds_count{{{REQUESTS}}}[5m]))"
)
BY_STATUS = f"sum by (status_code) (rate(http_request_duration_seconds_count{{{REQUESTS}}}[5m]))"
CPU = '1 - avg by (instance) (rate(node_cpu_seconds_total{job="node",mode="idle"}[5m]))'
MEMORY = 'node_memory_MemAvailable_bytes{job="node"} / node_memory_MemTotal_bytes{job="node"}'
DISK = 'node_filesystem_avail_bytes{job="node"} / (node_filesystem_size_bytes{job="node"} > 0)'
CONNECTIONS = 'sum(pg_stat_database_numbackends{job="postgres"}) / max(pg_settings_max_connections{job="postgres"})'
HITS = (
    'rate(redis_keyspace_hits_total{job="redis"}[5m]) / (rate(redis_keyspace_hits_total{job="redis"}[5m])'
    ' + rate(redis_keyspace_misses_total{job="redis"}[5m]))'
)

DASHBOARDS: dict[str, tuple[str, list[Panel]]] = {
    "resumen": (
        "Resumen",
        [
            stat("Réplicas del backend", "none", 'count(up{job="backend"} == 1)', (1, 2), fewer_is_worse=True),
            stat("Errores 5xx", "percentunit", ERROR_RATIO, (0.01, 0.05)),
            stat("Duración p95", "s", P95, (0.5, 1)),
            stat("Retraso de la réplica", "s", 'max(pg_replication_lag_seconds{job="postgres_replica"})', (5, 30)),
            stat("Edad del respaldo verificado", "s", f"time() - max by (database) ({VERIFIED})", (86400, 93600)),
            stat("Objetivos sin datos", "none", "count(up == 0) or vector(0)", (1, 1)),
            Panel(
                "Alertas encendidas",
                "none",
                {'sum by (alertname, severity) (ALERTS{alertstate="firing"})': "{{alertname}} ({{severity}})"},
                kind="table",
                width=8,
            ),
            Panel(
                "Peticiones por segundo",
                "reqps",
                {BY_STATUS: "{{status_code}}"},
            ),
            Panel("Servidor", "percentunit", {CPU: "procesador", f"1 - {MEMORY}": "memoria"}),
            Panel("Responden", "none", {"up": "{{job}} {{instance}}"}, kind="state-timeline", width=COLUMNS),
        ],
    ),
    "backend": (
        "Backend",
        [
            Panel(
                "Peticiones por segundo, por estado",
                "reqps",
                {BY_STATUS: "{{status_code}}"},
            ),
            Panel("Errores 5xx", "percentunit", {ERROR_RATIO: "5xx"}, limits=(0.01, 0.05)),
            Panel(
                "Duración",
                "s",
                {P95.replace("0.95", q): f"p{name}" for q, name in {"0.5": "50", "0.95": "95", "0.99": "99"}.items()},
                limits=(0.5, 1),
            ),
            Panel(
                "Peticiones por segundo, por réplica",
                "reqps",
                {f"sum by (instance) (rate(http_request_duration_seconds_count{{{REQUESTS}}}[5m]))": "{{instance}}"},
            ),
            Panel(
                "Duración p95, por réplica",
                "s",
                {P95.replace("sum by (le)", "sum by (le, instance)"): "{{instance}}"},
            ),
            Panel(
                "Rutas más lentas (promedio)",
                "s",
                {
                    f"topk(5, sum by (method, path) (rate(http_request_duration_seconds_sum{{{REQUESTS}}}[5m]))"
                    f" / sum by (method, path) (rate(http_request_duration_seconds_count{{{REQUESTS}}}[5m])))": (
                        "{{method}} {{path}}"
                    )
                },
            ),
            Panel(
                "Procesador, por réplica (1 = un núcleo)",
                "percentunit",
                {'rate(process_cpu_seconds_total{job="backend"}[5m])': "{{instance}}"},
                limits=(0.7, 0.85),
            ),
            Panel(
                "Retraso del ciclo de eventos (p99)",
                "s",
                {'nodejs_eventloop_lag_p99_seconds{job="backend"}': "{{instance}}"},
                limits=(0.1, 0.2),
            ),
            Panel(
                "Memoria, por réplica",
                "bytes",
                {'process_resident_memory_bytes{job="backend"}': "{{instance}}"},
            ),
            logs("Registros", '{container_name="pawpaw_backend"}'),
        ],
    ),
    "postgres": (
        "PostgreSQL",
        [
            stat("Primario", "none", 'max(pg_up{job="postgres"})', (1, 1), fewer_is_worse=True),
            stat("Réplica", "none", 'max(pg_up{job="postgres_replica"})', (1, 1), fewer_is_worse=True),
            stat("Conexiones en uso", "percentunit", CONNECTIONS, (0.6, 0.8)),
            stat("Retraso de la réplica", "s", 'max(pg_replication_lag_seconds{job="postgres_replica"})', (5, 30)),
            stat(
                "Último WAL archivado",
                "s",
                'max(pg_stat_archiver_last_archive_age{job="postgres"})',
                (3600, 86400),
            ),
            stat(
                "Fallas al archivar (1 h)",
                "none",
                'sum(increase(pg_stat_archiver_failed_count{job="postgres"}[1h]))',
                (1, 1),
            ),
            Panel(
                "Conexiones por estado",
                "none",
                {
                    'sum by (state) (pg_stat_activity_count{job="postgres"})': "{{state}}",
                    'max(pg_settings_max_connections{job="postgres"})': "máximo",
                },
            ),
            Panel(
                "Transacciones por segundo",
                "ops",
                {
                    'sum(rate(pg_stat_database_xact_commit{job="postgres"}[5m]))': "confirmadas",
                    'sum(rate(pg_stat_database_xact_rollback{job="postgres"}[5m]))': "deshechas",
                },
            ),
            Panel(
                "Transacción más larga",
                "s",
                {
                    'max by (usename) (pg_stat_activity_max_tx_duration{job="postgres",state!="idle"})': "{{usename}}",
                },
                limits=(60, 300),
            ),
            Panel(
                "Retraso de la réplica",
                "bytes",
                {
                    'max by (application_name, state) (pg_stat_replication_pg_wal_lsn_diff{job="postgres"})': (
                        "{{application_name}} ({{state}})"
                    )
                },
            ),
            Panel(
                "WAL retenido por ranura",
                "bytes",
                {
                    'max by (slot_name) (pg_replication_slots_pg_wal_lsn_diff{job="postgres"})': "{{slot_name}}",
                    'max(pg_settings_max_slot_wal_keep_size_bytes{job="postgres"} > 0)': "límite",
                },
            ),
            Panel("WAL en disco", "bytes", {'pg_wal_size_bytes{job=~"postgres.*"}': "{{job}}"}),
            Panel(
                "Aciertos de caché",
                "percentunit",
                {
                    'sum(rate(pg_stat_database_blks_hit{job="postgres"}[5m])) /'
                    ' (sum(rate(pg_stat_database_blks_hit{job="postgres"}[5m]))'
                    ' + sum(rate(pg_stat_database_blks_read{job="postgres"}[5m])))': "aciertos"
                },
            ),
            Panel("Tamaño", "bytes", {'pg_database_size_bytes{job="postgres"}': "{{datname}}"}),
            Panel(
                "Bloqueos mutuos",
                "none",
                {'sum by (datname) (increase(pg_stat_database_deadlocks{job="postgres"}[5m]))': "{{datname}}"},
            ),
        ],
    ),
    "redis": (
        "Redis",
        [
            stat("Redis", "none", 'max(redis_up{job="redis"})', (1, 1), fewer_is_worse=True),
            stat("AOF encendido", "none", 'max(redis_aof_enabled{job="redis"})', (1, 1), fewer_is_worse=True),
            stat(
                "Última escritura del AOF",
                "none",
                'min(redis_aof_last_write_status{job="redis"})',
                (1, 1),
                fewer_is_worse=True,
            ),
            stat(
                "Última compactación",
                "none",
                'min(redis_aof_last_bgrewrite_status{job="redis"})',
                (1, 1),
                fewer_is_worse=True,
            ),
            stat("Llaves desechadas", "none", 'max(redis_evicted_keys_total{job="redis"})', (1, 1)),
            stat("Conexiones rechazadas", "none", 'max(redis_rejected_connections_total{job="redis"})', (1, 1)),
            Panel(
                "Memoria",
                "bytes",
                {
                    'redis_memory_used_bytes{job="redis"}': "en uso",
                    'redis_memory_max_bytes{job="redis"} > 0': "límite",
                },
            ),
            Panel("Aciertos", "percentunit", {HITS: "aciertos"}),
            Panel("Órdenes por segundo", "ops", {'rate(redis_commands_processed_total{job="redis"}[5m])': "órdenes"}),
            Panel(
                "Tamaño del AOF",
                "bytes",
                {
                    'redis_aof_current_size_bytes{job="redis"}': "ahora",
                    'redis_aof_base_size_bytes{job="redis"}': "tras compactar",
                },
            ),
            Panel("Llaves", "none", {'sum(redis_db_keys{job="redis"})': "llaves"}),
            Panel("Clientes", "none", {'redis_connected_clients{job="redis"}': "clientes"}),
        ],
    ),
    "puerta": (
        "Puerta de entrada",
        [
            Panel("Respuestas por segundo", "reqps", {f"sum by (status) (rate({GATEWAY}[5m]))": "{{status}}"}),
            Panel(
                "Errores 5xx",
                "percentunit",
                {f'(sum(rate({GATEWAY}{{status=~"5.."}}[5m])) or vector(0)) / sum(rate({GATEWAY}[5m]))': "5xx"},
                limits=(0.01, 0.05),
            ),
            Panel(
                "Conexiones",
                "none",
                {
                    f'nginx_connections_{state}{{job="nginx"}}': name
                    for state, name in {
                        "active": "activas",
                        "reading": "leyendo",
                        "writing": "escribiendo",
                        "waiting": "en espera",
                    }.items()
                },
            ),
            Panel(
                "Peticiones por segundo, según Nginx",
                "reqps",
                {'rate(nginx_http_requests_total{job="nginx"}[5m])': "peticiones"},
            ),
            Panel(
                "Conexiones que no se atendieron",
                "none",
                {
                    'increase(nginx_connections_accepted{job="nginx"}[5m])'
                    ' - increase(nginx_connections_handled{job="nginx"}[5m])': "perdidas"
                },
            ),
            Panel(
                "Vigencia de los certificados",
                "s",
                {"pawpaw_certificate_not_after_timestamp_seconds - time()": "{{name}}"},
            ),
            logs("Respuestas 5xx", '{container_name="pawpaw_nginx"} | json | status >= 500'),
        ],
    ),
    "servidor": (
        "Servidor",
        [
            Panel("Procesador", "percentunit", {CPU: "en uso"}, limits=(0.7, 0.8)),
            Panel(
                "Procesador, por uso",
                "percentunit",
                {
                    'avg by (mode) (rate(node_cpu_seconds_total{job="node",mode!="idle"}[5m]))': "{{mode}}",
                },
            ),
            Panel(
                "Carga",
                "none",
                {f'node_load{n}{{job="node"}}': f"{n} min" for n in (1, 5, 15)}
                | {'count(node_cpu_seconds_total{job="node",mode="idle"})': "núcleos"},
            ),
            Panel(
                "Memoria",
                "bytes",
                {
                    'node_memory_MemTotal_bytes{job="node"} - node_memory_MemAvailable_bytes{job="node"}': "en uso",
                    'node_memory_MemTotal_bytes{job="node"}': "total",
                },
            ),
            Panel("Disco libre", "percentunit", {DISK: "{{mountpoint}}"}),
            Panel(
                "Horas hasta llenarse",
                "h",
                {
                    'node_filesystem_avail_bytes{job="node"}'
                    ' / (-deriv(node_filesystem_avail_bytes{job="node"}[6h]) > 0) / 3600': "{{mountpoint}}"
                },
            ),
            Panel(
                "Disco ocupado",
                "percentunit",
                {'rate(node_disk_io_time_seconds_total{job="node"}[5m])': "{{device}}"},
            ),
            Panel(
                "Lectura y escritura",
                "Bps",
                {
                    'rate(node_disk_read_bytes_total{job="node"}[5m])': "{{device}} lee",
                    'rate(node_disk_written_bytes_total{job="node"}[5m])': "{{device}} escribe",
                },
            ),
            Panel(
                "Inodos libres",
                "percentunit",
                {'node_filesystem_files_free{job="node"} / (node_filesystem_files{job="node"} > 0)': "{{mountpoint}}"},
            ),
        ],
    ),
    "respaldos": (
        "Respaldos",
        [
            stat(
                "Edad del último respaldo verificado",
                "s",
                f"time() - max by (database) ({VERIFIED})",
                (86400, 93600),
                name="{{database}}",
                width=8,
            ),
            stat(
                "Tamaño",
                "bytes",
                "max by (database) (pawpaw_backup_size_bytes)",
                name="{{database}}",
                width=8,
            ),
            stat(
                "Último ensayo de restauración",
                "s",
                "time() - max(pawpaw_drill_last_success_timestamp_seconds)",
                (604800, 691200),
                width=8,
            ),
            Panel(
                "Edad del último respaldo verificado",
                "s",
                {f"time() - max by (database) ({VERIFIED})": "{{database}}"},
                limits=(86400, 93600),
                width=12,
            ),
            Panel("Tamaño", "bytes", {"max by (database) (pawpaw_backup_size_bytes)": "{{database}}"}, width=12),
        ],
    ),
    "operaciones": (
        "Operaciones",
        [
            stat("Desde el último despliegue", "s", "time() - max(pawpaw_deploy_last_timestamp_seconds)"),
            stat(
                "Peticiones que falló",
                "none",
                'max(pawpaw_deploy_last_requests{outcome="failed"})',
                (1, 1),
            ),
            stat("Peticiones en su ventana", "none", 'max(pawpaw_deploy_last_requests{outcome="total"})'),
            stat("Cambio de la puerta", "s", "max(pawpaw_deploy_last_switch_seconds)"),
            stat("De la compilación a servir", "s", "max(pawpaw_deploy_last_lead_seconds)"),
            stat("Corridas a medias", "none", 'sum(pawpaw_runs_total{result="half-done"}) or vector(0)', (1, 1)),
            Panel(
                "Versión que sirve",
                "none",
                {"max by (release, version) (pawpaw_release_info)": "{{release}}"},
                kind="table",
            ),
            Panel(
                "Corridas por día",
                "none",
                {"sum by (verb, result) (increase(pawpaw_runs_total[1d]))": "{{verb}} {{result}}"},
            ),
            Panel(
                "Duración de la última",
                "s",
                {"max by (verb, result) (pawpaw_run_last_duration_seconds)": "{{verb}} {{result}}"},
            ),
            Panel(
                "Desde la última, por resultado",
                "s",
                {"time() - max by (verb, result) (pawpaw_run_last_end_timestamp_seconds)": "{{verb}} {{result}}"},
                kind="table",
                width=COLUMNS,
            ),
        ],
    ),
}
"""File name -> title and panels."""


def _panel(number: int, panel: Panel, x: int, y: int) -> dict[str, Any]:
    source = "loki" if panel.kind == "logs" else "prometheus"
    instant = {"instant": True, "format": "table"} if panel.kind == "table" else {}
    made: dict[str, Any] = {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "datasource": {"type": source, "uid": source},
        "gridPos": {"x": x, "y": y, "w": panel.width, "h": 5 if panel.kind == "stat" else HEIGHT},
        "targets": [
            {
                "refId": chr(ord("A") + at),
                "datasource": {"type": source, "uid": source},
                "expr": query,
                "legendFormat": name,
                **instant,
            }
            for at, (query, name) in enumerate(panel.queries.items())
        ],
    }
    if panel.kind != "logs":
        made["fieldConfig"] = {"defaults": _defaults(panel), "overrides": []}
    return made


def _defaults(panel: Panel) -> dict[str, Any]:
    # "Sin datos" and not an empty frame or a zero: unknown is a state of its own.
    defaults: dict[str, Any] = {"unit": panel.unit, "noValue": "sin datos"}
    if panel.kind == "timeseries":
        defaults["min"] = 0
    if panel.limits:
        colours = ("red", "yellow", "green") if panel.fewer_is_worse else ("green", "yellow", "red")
        steps = dict(zip((None, *panel.limits), colours, strict=True))  # of two equal limits the last holds
        defaults["color"] = {"mode": "thresholds" if panel.kind == "stat" else "palette-classic"}
        defaults["thresholds"] = {"mode": "absolute", "steps": [{"color": c, "value": v} for v, c in steps.items()]}
    return defaults


def dashboard(name: str) -> dict[str, Any]:
    """Return a dashboard as Grafana reads it."""
    title, panels = DASHBOARDS[name]
    made, x, y, high = [], 0, 0, 0
    for number, panel in enumerate(panels, 1):
        if x + panel.width > COLUMNS:
            x, y, high = 0, y + high, 0
        made.append(_panel(number, panel, x, y))
        x, high = x + panel.width, max(high, made[-1]["gridPos"]["h"])
    return {
        "uid": f"pawpaw-{name}",
        "title": f"Paw Paw: {title}",
        "tags": ["pawpaw"],
        "timezone": "browser",
        "schemaVersion": 41,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "links": [{"type": "dashboards", "title": "Paw Paw", "tags": ["pawpaw"], "asDropdown": True}],
        "panels": made,
    }


def text(name: str) -> str:
    """Return a dashboard's file."""
    return json.dumps(dashboard(name), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for each in DASHBOARDS:
        (FOLDER / f"{each}.json").write_text(text(each))
