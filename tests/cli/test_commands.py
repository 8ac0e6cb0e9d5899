"""`whisper-bento` itself: help, version, misspelt commands and exit statuses, in real processes."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

import pytest

from api.version import project_version
from cli.__main__ import COMMANDS, main
from cli.bench import main as bench
from tests.server import PROJECT, SECONDS

PROGRAM = [sys.executable, "-m", "cli"]
HEAVY = "torch, numpy, bentoml, whisper, fastapi, pydantic"


def ran(*arguments: str) -> tuple[int, str, str]:
    """Exit status, output and errors of a command."""
    done = subprocess.run(
        [*PROGRAM, *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_help_lists_every_command_and_fits_a_terminal() -> None:
    status, out, errors = ran("--help")

    assert (status, errors) == (0, "")
    for name, command in COMMANDS.items():
        assert f"  {name:12}  {command.summary}\n" in out
    assert max(map(len, out.splitlines())) <= 80
    assert len(out.splitlines()) <= 24


@pytest.mark.parametrize(
    "command",
    [
        *[[name] for name in COMMANDS],
        ["models", "list"],
        ["models", "verify"],
        ["models", "export"],
        ["models", "delete"],
    ],
    ids=" ".join,
)
def test_every_command_has_help(command: list[str]) -> None:
    status, out, errors = ran(*command, "--help")

    assert (status, errors) == (0, "")
    assert out.startswith(f"usage: whisper-bento {' '.join(command)} ")


@pytest.mark.parametrize("name", ["offline", "server"])
def test_bench_becomes_the_script(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cli", "bench", name, "--help"]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    told = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True)

    assert told.stdout.decode().startswith(f"usage: python -m scripts.bench.{name} ")


def test_version_is_that_of_the_project() -> None:
    text = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    version = tomllib.loads(text)["project"]["version"]

    assert ran("--version") == (0, f"whisper-bento {version}\n", "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["srve"], "there is no command 'srve': did you mean 'serve'? (see whisper-bento --help)"),
        (
            ["model"],
            "there is no command 'model': did you mean 'models'? (see whisper-bento --help)",
        ),
        (
            ["xyzzy"],
            "there is no command 'xyzzy'; there are serve, import, models, doctor, bench, ",
        ),
        (["--port"], "unrecognized arguments: --port (see whisper-bento --help)"),
        (["models", "lst"], "did you mean 'list'? (see whisper-bento models --help)"),
        (
            ["models", "list", "x"],
            "unrecognized arguments: x (see whisper-bento models list --help)",
        ),
        (["bench", "ofline"], "did you mean 'offline'? (see whisper-bento bench --help)"),
        (["doctor", "--jsn"], "unrecognized arguments: --jsn (see whisper-bento doctor --help)"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(arguments: list[str], said: str) -> None:
    status, out, errors = ran(*arguments)

    assert (status, out) == (2, "")
    (line,) = errors.splitlines()
    assert line.startswith("error: ")
    assert said in line


@pytest.mark.parametrize("group", [[], ["models"], ["bench"]])
def test_without_a_command_the_help_is_an_error(group: list[str]) -> None:
    status, out, errors = ran(*group)

    assert (status, out) == (2, "")
    assert errors == ran(*group, "--help")[1]


def test_help_imports_nothing_heavy_and_is_quick() -> None:
    code = (
        "import sys; from cli.__main__ import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        f"print({{*'{HEAVY}'.split(', ')}} & {{*sys.modules}}, file=sys.stderr)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert told.stderr == "set()\n"

    def seconds(*command: str) -> float:
        before = getrusage(RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *command], cwd=PROJECT, capture_output=True, check=True)
        after = getrusage(RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    # Of a core, beyond what an empty program takes here, the best of several.
    best = [
        min(seconds(*command) for _ in range(5)) for command in (("-m", "cli", "-h"), ("-c", ""))
    ]
    assert best[0] - best[1] < 0.5


def test_it_runs_from_any_folder_where_it_is_installed(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("whisper-bento")
    command = [sys.executable, str(program), "--version"]
    if not program.exists():
        pytest.skip("not installed in place: scripts/setup does it")
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    told = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True)

    assert told.stdout.decode() == f"whisper-bento {project_version()}\n"


def test_a_copy_outside_of_a_checkout_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("cli.__main__.PROJECT_FILE", tmp_path / "pyproject.toml")

    assert main(["--version"]) == 1
    assert capsys.readouterr().err == (
        "error: installed apart from its checkout: run scripts/setup there\n"
    )


def test_a_bento_has_no_benchmarks(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert bench(["offline", "--limit", "1"], tmp_path) == 1
    assert capsys.readouterr().err == "error: only a checkout has benchmarks, in scripts/bench\n"
