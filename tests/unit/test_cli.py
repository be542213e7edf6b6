import re
import stat
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr
from pyrage import x25519

from pawpaw_ops import age, cli, evidence
from pawpaw_ops.commands.command import Command
from pawpaw_ops.errors import ConfigError
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.runner import LocalRunner
from tests.unit.support_drills import record


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["pawpaw", *words])
    with pytest.raises(SystemExit) as seen:
        cli.main()
    assert isinstance(seen.value.code, int)
    return seen.value.code


def test_help_names_every_command_and_imports_no_prefect() -> None:
    """Importing Prefect takes seconds."""
    ask = "import sys; from pawpaw_ops.cli import app; app(['--help'], result_action='return_value')"
    program = f"{ask}; sys.exit('prefect' in sys.modules)"
    said = LocalRunner().run(Command(argv=(sys.executable, "-c", program)))
    for name in ("apply", "approve", "demo", "demo-stop", "drain", "new-key", "status", "trigger"):
        assert re.search(rf"\b{name}\b", said), name


def test_a_new_key_goes_to_a_file_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "key"
    assert run(monkeypatch, "new-key", "--to", str(path)) == 0
    said = capsys.readouterr()
    secret = path.read_text(encoding="utf-8").splitlines()[-1]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert secret not in said.out + said.err
    assert str(age.identity(SecretStr(secret)).to_public()) == said.out.strip()


def test_a_key_is_never_written_over(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "key"
    path.write_text("precious", encoding="utf-8")
    assert run(monkeypatch, "new-key", "--to", str(path)) == cli.OUR_MISTAKE
    assert path.read_text(encoding="utf-8") == "precious"
    assert "File exists" in capsys.readouterr().err


def test_a_new_key_is_shown_only_on_request(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "new-key") == cli.OUR_MISTAKE
    said = capsys.readouterr()
    assert "AGE-SECRET-KEY" not in said.out + said.err
    assert run(monkeypatch, "new-key", "--show-secret") == 0
    assert "AGE-SECRET-KEY" in capsys.readouterr().out


def test_an_error_of_ours_is_its_text_and_its_hint(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(monkeypatch, "apply", str(tmp_path / "none.toml")) == cli.OUR_MISTAKE
    said = capsys.readouterr()
    assert "config: could not read" in said.err
    assert "→ Copy deployments/blocks.example.toml." in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a=1", 1),
        ("a=true", True),
        ("a=newest", "newest"),
        ("a=", ""),
        ("a=b=c", "b=c"),
        ('a=["x"]', ["x"]),
        ("a=2026-11-24", "2026-11-24"),
    ],
)
def test_a_parameter_is_json_where_it_can_be(text: str, value: object) -> None:
    assert cli._parameter(text) == ("a", value)


@pytest.mark.parametrize("text", ["a", "=1", ""])
def test_what_is_no_parameter_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="NAME=VALUE"):
        cli._parameter(text)


@pytest.mark.parametrize(("verdict", "code"), [(Verdict.VERIFIED, 0), (Verdict.FAILED, 1)])
def test_E6_evidence_is_checked_without_prefect(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, verdict: Verdict, code: int
) -> None:
    """Genuine and green, genuine and not, edited, signed by somebody else: each has its exit code."""
    identity = SecretStr(str(x25519.Identity.generate()))
    file = tmp_path / "evidence.json"
    file.write_bytes(evidence.sign(record(verdict=verdict), identity))
    assert run(monkeypatch, "verify-evidence", str(file)) == code
    assert "who signed it" in capsys.readouterr().out
    assert run(monkeypatch, "verify-evidence", str(file), "--key", evidence.public_key(identity)) == code
    assert "who signed it" not in capsys.readouterr().out
    stranger = evidence.public_key(SecretStr(str(x25519.Identity.generate())))
    assert run(monkeypatch, "verify-evidence", str(file), "--key", stranger) == cli.OUR_MISTAKE
    file.write_bytes(file.read_bytes().replace(b"1000", b"1001"))
    assert run(monkeypatch, "verify-evidence", str(file)) == cli.OUR_MISTAKE
    assert run(monkeypatch, "verify-evidence", str(tmp_path / "none")) == cli.OUR_MISTAKE


def test_the_help_of_trigger_has_every_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And so has the page for CI."""
    from deployments.trigger import Exit

    assert run(monkeypatch, "trigger", "--help") == 0
    said = " ".join(capsys.readouterr().out.split())
    page = (Path(__file__).parents[2] / "docs" / "ci.md").read_text(encoding="utf-8")
    for code in (*map(int, Exit), cli.OUR_MISTAKE):
        assert re.search(rf"\b{code} [a-z]", said), code
        assert re.search(rf"^\| {code} \|", page, re.MULTILINE), code
