"""How compose-lint is asked."""

from pathlib import Path

from pawpaw_ops.commands.lint import EXCEPTIONS, compose_lint


def test_hardening_HRD_05_the_env_is_not_read_so_that_none_of_it_is_told(tmp_path: Path) -> None:
    file = tmp_path / "docker-compose.prod.yml"
    words = compose_lint(file).command.argv
    assert words[1:] == ("check", "--no-env", "--allow-partial-coverage", "--format", "json", str(file))
    (tmp_path / EXCEPTIONS).write_text("rules: {}\n")
    assert compose_lint(file).command.argv[6:8] == ("--config", str(tmp_path / EXCEPTIONS))
