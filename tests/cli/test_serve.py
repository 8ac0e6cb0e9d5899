"""`whisper-bento serve` in real processes: what stops it, and what it becomes."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from models.checkpoints.weights import Weights
from tests.server import PROJECT, SECONDS, STOP_SECONDS, Server, free_port, wait_until_ready

SERVE = [sys.executable, "-m", "cli", "serve"]


def stopped(*arguments: str, **settings: str) -> tuple[int, str, str]:
    """Exit status, output and errors of a start that ends by itself."""
    done = subprocess.run(
        [*SERVE, *arguments],
        cwd=PROJECT,
        env={**os.environ, "WHISPER_PORT": str(free_port()), **settings},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@contextmanager
def serving(output: Path, *arguments: str, **settings: str) -> Iterator[Server]:
    """A server that was started by the command, of a shell that heeds Ctrl-C."""
    environment = {**os.environ, "WHISPER_PORT": str(free_port()), **settings}
    port = arguments[arguments.index("--port") + 1] if "--port" in arguments else None
    url = f"http://127.0.0.1:{port or environment['WHISPER_PORT']}"
    with output.open("wb") as out:
        process = subprocess.Popen(
            [*SERVE, *arguments],
            cwd=PROJECT,
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
    server = Server(url, process, output)
    try:
        wait_until_ready(server)
        yield server
    finally:
        if process.poll() is None:
            server.stop()


def test_bad_settings_are_a_line_each_and_status_2() -> None:
    status, out, errors = stopped(WHISPER_DEVICE="gpu", WHISPER_PORT="eight")

    assert (status, out) == (2, "")
    device, port = errors.splitlines()
    assert device == "WHISPER_DEVICE='gpu': wanted auto, cpu, cuda or cuda:N"
    assert port.startswith("WHISPER_PORT='eight': wanted a whole number")


def test_a_busy_port_is_one_line_and_status_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        told = stopped(WHISPER_PORT=str(port))

    advice = "stop the other program or set WHISPER_PORT"
    assert told == (2, "", f"port {port} on 127.0.0.1 is in use: {advice}\n")


def test_a_model_that_cannot_be_had_ends_the_start(tmp_path: Path) -> None:
    status, out, errors = stopped(BENTOML_HOME=str(tmp_path), WHISPER_DEFAULT_MODEL="nobodys")

    assert (status, out) == (1, "")
    assert errors.startswith("error: no official checkpoint is named 'nobodys'; known: tiny, ")
    assert len(errors.splitlines()) == 1


def test_ctrl_c_ends_the_server_with_status_0(
    weights: Callable[[str], Weights], tmp_path: Path
) -> None:
    weights("tiny.en")
    with serving(tmp_path / "out", WHISPER_DEFAULT_MODEL="tiny.en") as server:
        assert httpx.get(f"{server.url}/health", timeout=SECONDS).json()["models"]
        server.process.send_signal(signal.SIGINT)

        assert server.process.wait(STOP_SECONDS) == 0
    assert "Traceback" not in server.printed


def test_arguments_reach_bentoml(weights: Callable[[str], Weights], tmp_path: Path) -> None:
    weights("tiny.en")
    port = str(free_port())
    with serving(tmp_path / "out", "--port", port, WHISPER_DEFAULT_MODEL="tiny.en") as server:
        assert server.url.endswith(f":{port}")
        assert httpx.get(f"{server.url}/readyz", timeout=SECONDS).status_code == 200
        # The server is the process that was started: a service manager's signal reaches it.
        assert server.stop() == 0


def test_exit_status_is_that_of_bentoml(weights: Callable[[str], Weights]) -> None:
    weights("tiny.en")
    status, _, errors = stopped("--no-such-option", WHISPER_DEFAULT_MODEL="tiny.en")

    assert status == 2
    assert "--no-such-option" in errors


def test_in_a_bento_the_bento_is_served(tmp_path: Path) -> None:
    source = tmp_path / "bento" / "src"
    for folder in ("api", "cli", "client", "models"):
        shutil.copytree(PROJECT / folder, source / folder)
    shutil.copy(PROJECT / "pyproject.toml", source)
    (source.parent / "bento.yaml").write_text("", encoding="utf-8")
    # In place of BentoML: a module that prints what it is told.
    (source / "bentoml.py").write_text("import sys; print(sys.argv[1:])\n", encoding="utf-8")
    done = subprocess.run(
        [*SERVE, "--reload"], cwd=source, capture_output=True, text=True, check=True
    )

    assert done.stdout == f"{['serve', str(source.parent), '--reload']}\n"
