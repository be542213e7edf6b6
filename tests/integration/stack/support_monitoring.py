"""Questions about the monitoring's files, and to a Prometheus that runs them; tests of the whole stack ask them too."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import yaml

from tests.integration.stack import support_docker
from tests.integration.stack.support_docker import REPOSITORY, STACK

MONITORING = STACK / "monitoring"
RULES = MONITORING / "prometheus" / "rules"
DASHBOARDS = MONITORING / "grafana" / "dashboards"

RARE = {
    'status_code=~"5.."': "no request of the backend has failed",
    'status=~"5.."': "no request of the gateway has failed",
    'status=~"502|504"': "the gateway has reached every backend",
    'wal_status="lost"': "no slot has lost its WAL",
    'result="half-done"': "no run has left anything half done",
    'result=~"undone|verification"': "no rollback has failed",
}
"""A matcher whose value nothing may have just now. Without it the selector has series, and they carry the label."""

OPTIONAL = {"pawpaw_backend_replicas_wanted": "written when another number than the default is wanted"}
"""Metrics that a healthy stack may not have."""

MAY_BE_EMPTY = {"-deriv(": "no disk is filling up"}
"""Part of a query -> why a healthy stack may answer nothing."""

NO_LOGS = {
    'job="loki"': "Loki cannot be had without a registry",
    'job="log_shipper"': "Alloy and Promtail cannot be had without a registry",
    "pawpaw_gateway_": "counted by the shipper",
}
"""For *without*: what a stack lacks whose images come from Debian's packages."""

NO_OPERATIONS = dict.fromkeys(
    (
        f"pawpaw_{name}_"
        for name in ("backup", "drill", "certificate", "run", "runs", "deploy", "release", "wal_archive")
    ),
    "pawpaw-ops has written no textfile",
)
"""For *without*: what a stack lacks that pawpaw-ops has not worked on yet."""


def standin(name: str) -> str:
    """Return the image of a program of the monitoring; it is built if it is not there."""
    image = f"pawpaw-offline/{name}"
    if support_docker.attempt("image", "inspect", image).returncode:
        support_docker.build(REPOSITORY / "tests" / "images" / name, image)
    return image


def rules() -> dict[str, dict[str, Any]]:
    """Every alert rule by its name, with the name of its file as `file`."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(RULES.glob("*.yml")):
        for group in yaml.safe_load(path.read_text())["groups"]:
            for rule in group["rules"]:
                assert rule["alert"] not in found, f"two alerts are called {rule['alert']}"
                found[rule["alert"]] = {**rule, "file": path.stem}
    return found


def dashboards() -> dict[str, dict[str, Any]]:
    """Every dashboard by the name of its file."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(DASHBOARDS.glob("*.json"))}


def queries(source: str) -> Iterator[tuple[str, str]]:
    """Every query of every panel that asks a data source, after where it stands."""
    for name, dashboard in dashboards().items():
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                if target["datasource"]["uid"] == source:
                    yield f"{name}: {panel['title']}", target["expr"]


def check_every_query(prometheus_url: str, without: Mapping[str, str] | None = None) -> list[str]:
    """Ask what every panel asks; returns what is wrong: errors, warnings, and answers without any series.

    *without* is what this stack lacks: part of a query -> why.
    """
    excused = {**MAY_BE_EMPTY, **(without or {})}
    problems = []
    for where, query in queries("prometheus"):
        answer = _ask(prometheus_url, "query", query=query)
        problems += [f"{where}: {said}" for said in _complaints(answer)]
        empty = answer["status"] == "success" and not answer["data"]["result"]
        if empty and not any(part in query for part in excused):
            problems.append(f"{where}: no series: {query}")
    return problems


def check_every_rule_selector(prometheus_url: str, without: Mapping[str, str] | None = None) -> list[str]:
    """Look for the series of every selector in every alert rule: without any, a rule is silently green."""
    problems = []
    for name, rule in rules().items():
        problems += [f"{name}: {said}" for said in missing_series(prometheus_url, rule["expr"], without)]
    loaded = _ask(prometheus_url, "rules", type="alert")["data"]["groups"]
    health = {rule["name"]: rule.get("lastError", "") for group in loaded for rule in group["rules"]}
    problems += [f"{name}: it is not loaded" for name in rules() if name not in health]
    problems += [f"{name}: {error}" for name, error in health.items() if error]
    return problems


def missing_series(prometheus_url: str, expression: str, without: Mapping[str, str] | None = None) -> list[str]:
    """Return the selectors of an expression that match nothing; Prometheus itself takes it apart."""
    parsed = _ask(prometheus_url, "parse_query", query=expression)
    problems = _complaints(parsed)
    excused = {**OPTIONAL, **(without or {})}
    for matchers in _selectors(parsed.get("data")):
        selector = _selector(matchers)
        if any(part in selector for part in excused) or _series(prometheus_url, selector):
            continue
        rare = [matcher for matcher in matchers if matcher in RARE]
        wider = _series(prometheus_url, _selector([matcher for matcher in matchers if matcher not in RARE]))
        labels = {re.split(r"[=!]", matcher)[0] for matcher in rare}
        if not rare or not any(labels <= series.keys() for series in wider):
            problems.append(f"no series: {selector}")
    return problems


def _selectors(node: Any) -> Iterator[list[str]]:
    if isinstance(node, list):
        for each in node:
            yield from _selectors(each)
    elif isinstance(node, dict):
        if node.get("type") in {"vectorSelector", "matrixSelector"}:
            yield [f"{found['name']}{found['type']}{json.dumps(found['value'])}" for found in node["matchers"]]
        for each in node.values():
            yield from _selectors(each)


def _selector(matchers: list[str]) -> str:
    name = next((m.partition("=")[2].strip('"') for m in matchers if m.startswith("__name__=") and m[9] == '"'), "")
    rest = [matcher for matcher in matchers if not name or not matcher.startswith("__name__")]
    return f"{name}{{{','.join(rest)}}}"


def _series(prometheus_url: str, selector: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = _ask(prometheus_url, "series", **{"match[]": selector})["data"]
    return found


def _complaints(answer: dict[str, Any]) -> list[str]:
    error = [answer["error"]] if answer["status"] != "success" else []
    # The exporters' counters of PostgreSQL have no `_total` at their ends, which is not ours to change.
    infos = [said for said in answer.get("infos", []) if "might not be a counter" not in said]
    return [*error, *answer.get("warnings", []), *infos]


def _ask(prometheus_url: str, what: str, **parameters: str) -> dict[str, Any]:
    answer: dict[str, Any] = httpx.get(
        f"{prometheus_url}/api/v1/{what}", params=parameters, timeout=30, trust_env=False
    ).json()
    return answer


def targets(prometheus_url: str) -> dict[str, list[str]]:
    """Each job's targets that are up."""
    found: dict[str, list[str]] = {}
    for target in _ask(prometheus_url, "targets", state="active")["data"]["activeTargets"]:
        found.setdefault(target["labels"]["job"], []).extend([target["scrapeUrl"]] * (target["health"] == "up"))
    return found


def alerts(prometheus_url: str) -> list[dict[str, Any]]:
    """What is pending or fires."""
    found: list[dict[str, Any]] = _ask(prometheus_url, "alerts")["data"]["alerts"]
    return found
