"""Preflight checks: problems that stop a start before anything is loaded."""

from __future__ import annotations

import socket

import pytest

from api.port import port_problem
from api.settings import SettingError
from cli.preflight import PreflightError, preflight
from tests.server import free_port


def test_every_model_is_named_once() -> None:
    environ = {"WHISPER_PORT": str(free_port()), "WHISPER_MODELS": "tiny.en,base"}
    assert preflight(environ) == ("base", "tiny.en")
    assert preflight({**environ, "WHISPER_ON_DEMAND": "base,small"}) == ("base", "tiny.en", "small")
    assert preflight({**environ, "WHISPER_ON_DEMAND": "all"}) == ("base", "tiny.en")


def test_every_malformed_setting_is_named() -> None:
    with pytest.raises(SettingError) as caught:
        preflight({"WHISPER_PORT": "eight", "WHISPER_DEVICE": "gpu"})
    assert [line.split(":")[0] for line in caught.value.message.splitlines()] == [
        "WHISPER_DEVICE='gpu'",
        "WHISPER_PORT='eight'",
    ]


def test_port_is_left_to_the_server_where_arguments_may_name_another() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        environ = {"WHISPER_PORT": str(server.getsockname()[1])}
        assert preflight(environ, ["--port", "9000"]) == ("base",)


def test_busy_port_names_port_and_variable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(PreflightError) as caught:
            preflight({"WHISPER_PORT": str(port)})
    assert caught.value.message == (
        f"port {port} on 127.0.0.1 is in use: stop the other program or set WHISPER_PORT"
    )
    assert port_problem("127.0.0.1", port) is None


def test_other_machines_are_not_let_in_without_keys() -> None:
    environ = {"WHISPER_PORT": str(free_port()), "WHISPER_HOST": "0.0.0.0"}
    with pytest.raises(PreflightError, match="WHISPER_API_KEYS"):
        preflight(environ)
    assert preflight({**environ, "WHISPER_ALLOW_ANYONE": "true"}) == ("base",)


def test_port_for_wyoming_is_looked_at() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        environ = {"WHISPER_PORT": str(free_port()), "WHISPER_WYOMING_PORT": str(port)}
        with pytest.raises(PreflightError, match=f"port {port} on .* set WHISPER_WYOMING_PORT"):
            preflight(environ)
    assert preflight(environ) == ("base",)


def test_port_problem_foreign_address() -> None:
    # 192.0.2.0/24 is kept for documentation (RFC 5737): no machine has it
    problem = port_problem("192.0.2.1", free_port())
    assert problem is not None
    assert problem.startswith("this machine cannot listen on 192.0.2.1")
    assert problem.endswith("set WHISPER_HOST")


def test_webhooks_are_not_sent_unsigned() -> None:
    environ = {"WHISPER_PORT": str(free_port()), "WHISPER_WEBHOOK_HOSTS": "example.org"}
    with pytest.raises(PreflightError) as caught:
        preflight(environ, ["--reload"])
    assert caught.value.message == (
        "WHISPER_WEBHOOK_HOSTS is set without WHISPER_WEBHOOK_SECRET, and no webhook is sent "
        "unsigned: set both, or neither"
    )
    assert preflight({**environ, "WHISPER_WEBHOOK_SECRET": f"whsec_{'A' * 32}"}) == ("base",)
