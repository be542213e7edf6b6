"""The monitoring's files. Grafana, Loki and Alloy cannot be had without a registry; their tests say so by name."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jmespath  # type: ignore[import-untyped]
import pytest
import yaml

from pawpaw_ops.clients.compose_project import parse
from pawpaw_ops.plans.log_targets import log_targets
from stack.monitoring.grafana import build
from tests.integration.stack import support_docker
from tests.integration.stack import support_monitoring as monitoring
from tests.integration.stack.support_docker import REPOSITORY, World, base_image

MANUAL = REPOSITORY / "docs" / "manual-operaciones.md"
MONITORING, RULES = monitoring.MONITORING, monitoring.RULES


def tool(image: str, *words: str, folder: Path) -> str:
    """Run promtool or amtool on a folder, which it sees as /files; returns what it printed, also when it failed."""
    done = support_docker.attempt(
        *("run", "--rm", "--user=0:0", "--network=none", f"--label={support_docker.LABEL}=tool"),
        *(
            f"--volume={folder}:/files:ro",
            "--workdir=/files",
            f"--entrypoint={words[0]}",
            monitoring.standin(image),
            *words[1:],
        ),
    )
    return f"{done.stdout}{done.stderr}\nexit code {done.returncode}"


def test_every_rule_says_how_bad_what_and_where_to_read_on() -> None:
    anchors = {
        re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in MANUAL.read_text().splitlines()
        if line.startswith("#")
    }
    for name, rule in monitoring.rules().items():
        assert rule["labels"]["severity"] in {"critical", "warning", "none"}, name
        assert rule["labels"]["area"], name
        assert set(rule["annotations"]) == {"summary", "description", "runbook"}, name
        page, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert page == "docs/manual-operaciones.md", name
        assert anchor in anchors, f"{name}: the manual has no heading for #{anchor}"


def test_every_job_is_missed_when_it_has_no_target() -> None:
    jobs = [each["job_name"] for each in _yaml("prometheus/prometheus.yml")["scrape_configs"]]
    missed = re.findall(r'absent\(up\{job="(\w+)"\}\)', monitoring.rules()["MonitoringBlind"]["expr"])
    assert missed == jobs


def test_backends_are_found_by_address_so_that_each_replica_is_a_target() -> None:
    backend = _yaml("prometheus/prometheus.yml")["scrape_configs"][0]
    assert backend == {
        "job_name": "backend",
        "dns_sd_configs": [{"names": ["backend"], "type": "A", "port": 4000, "refresh_interval": "5s"}],
    }


@pytest.mark.parametrize("name", build.DASHBOARDS)
def test_dashboards_are_fresh(name: str) -> None:
    """Write them anew with `python stack/monitoring/grafana/build.py`."""
    assert (monitoring.DASHBOARDS / f"{name}.json").read_text() == build.text(name)


def test_dashboards_and_data_sources_by_structure_as_grafana_cannot_run_here() -> None:
    sources = {each["uid"]: each for each in _yaml("grafana/provisioning/datasources/pawpaw.yml")["datasources"]}
    assert {uid: source["type"] for uid, source in sources.items()} == {"prometheus": "prometheus", "loki": "loki"}
    (provider,) = _yaml("grafana/provisioning/dashboards/pawpaw.yml")["providers"]
    assert provider["type"] == "file"
    assert list(monitoring.dashboards()) == sorted(build.DASHBOARDS)
    for name, dashboard in monitoring.dashboards().items():
        assert dashboard["uid"] == f"pawpaw-{name}"
        assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
        taken: set[tuple[int, int]] = set()
        for panel in dashboard["panels"]:
            spot = panel["gridPos"]
            cells = {(spot["x"] + x, spot["y"] + y) for x in range(spot["w"]) for y in range(spot["h"])}
            assert not cells & taken, f"{name}: {panel['title']} lies on another panel"
            assert spot["x"] + spot["w"] <= build.COLUMNS
            taken |= cells
            assert {target["datasource"]["uid"] for target in panel["targets"]} <= set(sources)


def test_loki_keeps_a_fortnight_on_its_volume_by_structure_as_loki_cannot_run_here() -> None:
    loki = _yaml("loki/loki.yml")
    assert loki["limits_config"]["retention_period"] == "14d"
    assert loki["compactor"]["retention_enabled"] is True
    assert loki["compactor"]["delete_request_store"] == "filesystem"
    assert loki["schema_config"]["configs"][0]["index"]["period"] == "24h", "retention needs daily indexes"
    paths = [loki["common"]["path_prefix"], loki["compactor"]["working_directory"]]
    paths += loki["common"]["storage"]["filesystem"].values()
    assert [path for path in paths if not path.startswith("/loki")] == []


def test_promtool_accepts_configuration_and_rules(docker_engine: None) -> None:
    said = tool(
        "prometheus",
        *(
            "sh",
            "-c",
            "ln -s /files/rules /etc/prometheus/ && promtool check config --lint-fatal *.yml",
        ),
        folder=MONITORING / "prometheus",
    )
    assert said.endswith("exit code 0"), said
    assert said.count("rules found") == len(list(RULES.glob("*.yml"))), said


def test_every_alert_fires_stays_quiet_and_is_tried_without_series(docker_engine: None) -> None:
    said = _test_rules(RULES)
    assert said.endswith("exit code 0"), said


@pytest.mark.parametrize(
    ("instead", "wanted"),
    [("vector(0) > 1", "[1-9]"), ("vector(1)", "0E")],
    ids=["an alert that never fires", "an alert that always fires"],
)
def test_the_tests_of_the_rules_notice(docker_engine: None, tmp_path: Path, instead: str, wanted: str) -> None:
    """For every alert there is a test that fails without its expression."""
    shutil.copytree(RULES, tmp_path / "rules")
    for path in (tmp_path / "rules").glob("*.yml"):
        content = yaml.safe_load(path.read_text())
        for group in content["groups"]:
            for rule in group["rules"]:
                rule["expr"] = instead
        path.write_text(yaml.safe_dump(content))

    said = _test_rules(tmp_path / "rules")

    failed = set(re.findall(rf'alertname=\\"(\w+)\\".*\n +exp: \{{\}} {wanted}', said))
    always = {"Watchdog"} if wanted == "0E" else set()
    assert failed == set(monitoring.rules()) - always
    # Where nothing is scraped, what must be silent and what must speak is one list.
    assert "count by (alertname)" in said


def _test_rules(folder: Path) -> str:
    return tool(
        "prometheus",
        *("sh", "-c", "cd tests && promtool test rules *.yml"),
        folder=folder,
    )


@pytest.mark.parametrize(("config", "receiver"), [("alertmanager", "nobody"), ("alertmanager-webhook", "webhook")])
def test_amtool_accepts_the_configuration_and_every_alert_has_its_receiver(
    docker_engine: None, config: str, receiver: str
) -> None:
    said = tool("alertmanager", "amtool", "check-config", f"{config}.yml", folder=MONITORING / "alertmanager")
    assert said.endswith("exit code 0"), said
    for alert in ("Watchdog", "BackendDown"):
        words = ("amtool", "config", "routes", "test", f"--config.file={config}.yml", f"alertname={alert}")
        assert tool("alertmanager", *words, folder=MONITORING / "alertmanager").split()[0] == receiver


def test_both_configurations_differ_in_where_alerts_go_only() -> None:
    plain, webhook = (_yaml(f"alertmanager/{name}.yml") for name in ("alertmanager", "alertmanager-webhook"))
    assert plain["inhibit_rules"] == webhook["inhibit_rules"]
    assert webhook["receivers"][0]["webhook_configs"][0]["url_file"] == "/etc/alertmanager/secrets/webhook_url"


def test_inhibitions_name_alerts_that_exist() -> None:
    names = set(monitoring.rules())
    for rule in _yaml("alertmanager/alertmanager.yml")["inhibit_rules"]:
        for matcher in (*rule["source_matchers"], *rule["target_matchers"]):
            pattern = matcher.split('"')[1]
            for alternative in pattern.split("|"):
                assert any(re.fullmatch(alternative, name) for name in names), f"{alternative} is no alert"


def _alloy_pipeline() -> dict[str, Any]:
    text = (MONITORING / "alloy" / "config.alloy").read_text()
    first, second = re.findall(r"expressions = \{(.*?)\}", text, flags=re.DOTALL)
    pairs = re.compile(r"(\w+)\s*=\s*(?:\"(.*?)\"|`(.*?)`)")
    kept = re.search(r"stage\.label_keep \{\s*values = \[(.*?)\]", text)
    assert kept
    return {
        "line": {name: plain or raw for name, plain, raw in pairs.findall(first)},
        "inner": {name: plain or raw for name, plain, raw in pairs.findall(second)},
        "keep": re.findall(r'"(\w+)"', kept[1]),
    }


def _promtail_pipeline() -> dict[str, Any]:
    stages = _yaml("promtail/promtail.yml")["scrape_configs"][0]["pipeline_stages"]
    first, second = (stage["json"]["expressions"] for stage in stages if "json" in stage)
    return {"line": first, "inner": second, "keep": next(s["labelallow"] for s in stages if "labelallow" in s)}


PIPELINES: dict[str, Callable[[], dict[str, Any]]] = {"alloy": _alloy_pipeline, "promtail": _promtail_pipeline}


def test_alloy_and_promtail_make_the_same_labels_and_metric() -> None:
    assert _alloy_pipeline() == _promtail_pipeline()
    alloy, promtail = ((MONITORING / name).read_text() for name in ("alloy/config.alloy", "promtail/promtail.yml"))
    for same in ("pawpaw_gateway_", "http_requests_total", "/etc/log-targets/*.json", 'TrimSuffix .Value "\\n"'):
        assert same in alloy
        assert same in promtail


def test_alloys_parts_are_joined_by_structure_as_alloy_cannot_run_here() -> None:
    text = re.sub(r"//.*", "", (MONITORING / "alloy" / "config.alloy").read_text().replace("http://", ""))
    assert text.count("{") == text.count("}")
    parts = {f"{kind}.{label}" for kind, label in re.findall(r'^([\w.]+) "(\w+)" \{', text, flags=re.MULTILINE)}
    used = set(re.findall(r"= \[?([\w.]+)\.(?:receiver|targets)\]?$", text, flags=re.MULTILINE))
    assert used <= parts
    assert parts - used == {"loki.source.file.containers"}


@pytest.mark.parametrize("shipper", PIPELINES)
def test_a_real_log_line_gets_the_manuals_label_by_reading_the_pipeline_as_no_shipper_can_run_here(
    world: World, shipper: str
) -> None:
    """The line is the engine's, read with the shipper's rights; JMESPath's own library evaluates the expressions."""
    says = json.dumps({"level": "warn", "msg": "carrito vacío"})
    labels = {"service": "backend", "container-number": "2"}
    writer = world.run(
        base_image("BASE_NODE"),
        "writer",
        *(f"--label=com.docker.compose.{name}={value}" for name, value in labels.items()),
        "--log-driver=json-file",
        network=world.network(),
        command=("node", "-e", f"console.log({says!r})"),
    )
    writer.wait_ended()
    (target,) = json.loads(log_targets("pawpaw", [parse(writer.inspect())]))

    line = as_shipper(world, "cat", target["labels"]["__path__"]).stdout

    pipeline = PIPELINES[shipper]()
    found = {name: jmespath.search(expression, json.loads(line)) for name, expression in pipeline["line"].items()}
    found |= {
        name: jmespath.search(expression, json.loads(found["line"])) for name, expression in pipeline["inner"].items()
    }
    found |= {name: value for name, value in target["labels"].items() if not name.startswith("__")}
    assert {name: found[name] for name in pipeline["keep"]} == {
        "container_name": "pawpaw_backend",
        "service": "backend",
        "replica": "2",
        "stream": "stdout",
        "level": "warn",
    }
    assert found["time"].endswith("Z")
    assert found["line"].strip() == says


def test_the_shipper_may_read_no_containers_environment(world: World) -> None:
    """The engine keeps it beside the log; with root's rights the shipper would read every secret of the stack."""
    writer = world.run(
        base_image("BASE_NODE"), "writer", network=world.network(), env={"SECRET": "canary"}, command=("true",)
    )
    writer.wait_ended()
    beside = Path(writer.inspect()["LogPath"]).parent / "config.v2.json"
    assert "canary" in beside.read_text()
    refused = as_shipper(world, "cat", str(beside))
    assert refused.returncode != 0
    assert "Permission denied" in refused.stderr


def as_shipper(world: World, *words: str) -> subprocess.CompletedProcess[str]:
    """Run something with the rights and the mount that the log shipper has in the compose file."""
    shipper = yaml.safe_load((support_docker.STACK / "docker-compose.prod.yml").read_text())["services"]["alloy"]
    mount = next(one for one in shipper["volumes"] if "DOCKER_CONTAINERS_DIR" in one)
    folder = mount.rpartition("}")[0].partition(":-")[2]
    assert mount.endswith(f"}}:{folder}:ro")
    assert shipper["cap_drop"] == ["ALL"]
    return support_docker.attempt(
        *("run", "--rm", "--label", world.label, "--network=none", "--read-only", f"--user={shipper['user']}"),
        *("--cap-drop=ALL", "--security-opt=no-new-privileges", f"--volume={folder}:{folder}:ro"),
        *(base_image("BASE_NODE"), *words),
    )


def test_log_queries_use_labels_that_the_shipper_makes_as_loki_cannot_run_here() -> None:
    asked = list(monitoring.queries("loki"))
    assert [query for _, query in asked if query == '{container_name="pawpaw_backend"}'], "the manual's query"
    compose = yaml.safe_load((support_docker.STACK / "docker-compose.prod.yml").read_text())
    logged = re.findall(r'\\?"(\w+)\\?":', (support_docker.STACK / "gateway/pawpaw/log.conf").read_text())
    for where, query in asked:
        selector, _, rest = query.partition("}")
        for label, value in re.findall(r'(\w+)="(\w+)"', selector):
            assert label in _alloy_pipeline()["keep"], f"{where}: {label}"
            assert value.removeprefix("pawpaw_") in compose["services"], f"{where}: {value}"
        assert set(re.findall(r"\| (\w+) [<>=!]", rest)) <= set(logged), where


def _yaml(name: str) -> Any:
    return yaml.safe_load((MONITORING / name).read_text())
