"""What stops a start before anything is loaded, one line each."""

from __future__ import annotations

import socket

import pytest

from api.port import port_problem
from cli.preflight import main


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_preflight_prints_every_model_once(capsys: pytest.CaptureFixture[str]) -> None:
    environ = {"WHISPER_PORT": str(free_port()), "WHISPER_MODELS": "tiny.en,base"}
    assert main(environ) == 0
    assert capsys.readouterr() == ("base\ntiny.en\n", "")


def test_preflight_names_every_malformed_setting(capsys: pytest.CaptureFixture[str]) -> None:
    assert main({"WHISPER_PORT": "eight", "WHISPER_DEVICE": "gpu"}) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split(":")[0] for line in err.splitlines()] == [
        "WHISPER_DEVICE='gpu'",
        "WHISPER_PORT='eight'",
    ]


def test_preflight_leaves_the_port_to_the_server_where_arguments_may_name_another(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        environ = {"WHISPER_PORT": str(server.getsockname()[1])}
        assert main(environ, ["--port", "9000"]) == 0
    assert capsys.readouterr() == ("base\n", "")


def test_preflight_busy_port_names_port_and_variable(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert main({"WHISPER_PORT": str(port)}) == 2
    assert capsys.readouterr().err == (
        f"port {port} on 127.0.0.1 is in use: stop the other program or set WHISPER_PORT\n"
    )
    assert port_problem("127.0.0.1", port) is None


def test_port_problem_foreign_address() -> None:
    # 192.0.2.0/24 is kept for documentation (RFC 5737): no machine has it
    problem = port_problem("192.0.2.1", free_port())
    assert problem is not None
    assert problem.startswith("this machine cannot listen on 192.0.2.1")
    assert problem.endswith("set WHISPER_HOST")
