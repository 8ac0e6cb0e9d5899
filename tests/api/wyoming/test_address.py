"""Tests of where the server may listen for Wyoming."""

from __future__ import annotations

import socket

import pytest

from api.settings import Settings
from api.wyoming.address import open_to_all, wyoming_problem
from tests.server import free_port

KEYS = {"WHISPER_API_KEYS": "a-key-of-the-tests"}
ANYONE = {"WHISPER_ALLOW_ANYONE": "true"}


def settings(**given: str) -> Settings:
    return Settings.from_environ({"WHISPER_WYOMING_PORT": str(free_port()), **given})


@pytest.mark.parametrize("given", [{}, KEYS, {"WHISPER_WYOMING_HOST": "::1"}])
def test_this_machine_alone_needs_no_leave(given: dict[str, str]) -> None:
    assert wyoming_problem(settings(**given), 8000) is None
    assert open_to_all(settings(**given)) is None


@pytest.mark.parametrize("given", [{}, KEYS])
def test_other_machines_need_leave_whether_there_are_keys_or_not(given: dict[str, str]) -> None:
    open_host = settings(WHISPER_WYOMING_HOST="0.0.0.0", **given)

    assert wyoming_problem(open_host, 8000) == (
        "the server does not listen for Wyoming on 0.0.0.0, for other machines: Wyoming has no API "
        "keys. Set WHISPER_ALLOW_ANYONE=true, or leave WHISPER_WYOMING_HOST at 127.0.0.1"
    )


@pytest.mark.parametrize("given", [ANYONE, ANYONE | KEYS])
def test_other_machines_by_leave_are_warned_of(given: dict[str, str]) -> None:
    allowed = settings(WHISPER_WYOMING_HOST="0.0.0.0", **given)

    assert wyoming_problem(allowed, 8000) is None
    assert open_to_all(allowed) == (
        f"{allowed.wyoming_port} on 0.0.0.0 has no keys: whoever reaches it may use the server"
    )


def test_port_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        problem = wyoming_problem(settings(WHISPER_WYOMING_PORT=str(port)), 8000)

    assert problem == (
        f"port {port} on 127.0.0.1 is in use: stop the other program or set WHISPER_WYOMING_PORT"
    )


def test_port_of_http() -> None:
    problem = wyoming_problem(settings(WHISPER_WYOMING_PORT="8000"), 8000)

    assert problem == (
        "WHISPER_WYOMING_PORT=8000 is the port for HTTP: set another one, usually 10300"
    )


def test_without_a_port_nothing_is_looked_at() -> None:
    off = Settings.from_environ({"WHISPER_WYOMING_HOST": "0.0.0.0"})

    assert wyoming_problem(off, 0) is None
    assert open_to_all(off) is None
