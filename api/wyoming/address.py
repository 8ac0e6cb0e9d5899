"""Wyoming's address: where the server may listen for clients of which it asks no keys."""

from __future__ import annotations

from api.middleware.access import is_loopback
from api.port import port_problem
from api.settings import Settings

_PREFIX = "WHISPER_WYOMING_"


def wyoming_problem(settings: Settings, http_port: int) -> str | None:
    """The reason not to listen for Wyoming as the settings say; None: there is none, or it is off.

    Keys are for HTTP. Who may reach this port may use the server, with keys or without.
    """
    host, port = settings.wyoming_host, settings.wyoming_port
    if not port:
        return None
    if port == http_port:
        return f"{_PREFIX}PORT={port} is the port for HTTP: set another one, usually 10300"
    if is_loopback(host) or settings.allow_anyone:
        return port_problem(host, port, _PREFIX)
    return (
        f"the server does not listen for Wyoming on {host}, for other machines: Wyoming has no API "
        f"keys. Set WHISPER_ALLOW_ANYONE=true, or leave {_PREFIX}HOST at 127.0.0.1"
    )


def open_to_all(settings: Settings) -> str | None:
    """The warning where other machines reach Wyoming's port; None: it is off, or for this one."""
    host, port = settings.wyoming_host, settings.wyoming_port
    if not port or is_loopback(host):
        return None
    return f"{port} on {host} has no keys: whoever reaches it may use the server"
