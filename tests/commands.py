"""Commands as a person runs them: in this process, with real files and models."""

import json

from typer.testing import CliRunner

from tastemap.cli import app


def run(*words: object, code: int = 0) -> str:
    """Run a command in this process; its standard output, once the exit code is as expected."""
    result = CliRunner().invoke(app, [str(word) for word in words], prog_name="tastemap")
    assert result.exit_code == code, result.stderr or result.stdout
    assert "Traceback" not in result.stderr
    if code:
        assert len(result.stderr.splitlines()) == 1, result.stderr
        return result.stderr
    return result.stdout


def ask(*words: object) -> dict:
    """The JSON that a command prints."""
    return json.loads(run(*words, "--json"))
