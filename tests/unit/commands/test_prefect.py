from pathlib import Path

from pydantic import SecretStr

from pawpaw_ops.commands import prefect

SETTINGS: prefect.Settings = {
    "PREFECT_API_URL": "http://127.0.0.1:4200/api",
    "PREFECT_API_AUTH_STRING": SecretStr("admin:hush"),
}
BEFORE = ("py", "-P", "-m", "prefect")


def test_a_server_listens_on_loopback() -> None:
    line = prefect.server("py", port=4201, settings=SETTINGS)
    assert line.argv == (*BEFORE, "server", "start", "--host", "127.0.0.1", "--port", "4201")
    assert line.timeout_s is None


def test_a_worker_asks_every_second() -> None:
    line = prefect.worker("py", pool="pawpaw", name="demo", settings=SETTINGS)
    assert line.argv == (*BEFORE, "worker", "start", "--type", "process", "--pool", "pawpaw", "--name", "demo")
    assert line.env == {**SETTINGS, "PREFECT_WORKER_QUERY_SECONDS": "1"}


def test_deploying_names_its_file_and_its_deployments() -> None:
    line = prefect.deploy("py", file=Path("/p/prefect.yaml"), names=("prod", "demo"), settings=SETTINGS)
    assert line.argv == (
        *BEFORE,
        *("--no-prompt", "deploy", "--prefect-file", "/p/prefect.yaml", "--name", "prod", "--name", "demo"),
    )


def test_a_run_is_watched_and_its_parameters_are_json() -> None:
    line = prefect.run_deployment("py", "restore-db/demo", {"approve": True, "into": "ñ b"}, settings=SETTINGS)
    assert line.argv == (
        *BEFORE,
        *("deployment", "run", "restore-db/demo", "--watch", "--param", "approve=true", "--param", 'into="\\u00f1 b"'),
    )


def test_settings_never_reach_the_command_line() -> None:
    assert "hush" not in str(prefect.server("py", port=1, settings=SETTINGS))
