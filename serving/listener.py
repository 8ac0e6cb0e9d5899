"""Listening socket for Wyoming: the parent opens it, and its workers use it one at a time.

So the port is there from before the first worker until after the last one. While a worker is
replaced, clients wait to be accepted and are not refused.
"""

from __future__ import annotations

import socket

from bentoml.exceptions import BentoMLException

from api.server_log import logger
from api.settings import Settings, hand_down_listener, handed_down_listener
from api.wyoming.address import open_to_all

_BACKLOG = 128


def open_listener(settings: Settings) -> None:
    """In the parent: listen, until it ends, and hand the socket down to its workers.

    Raises:
        BentoMLException: it cannot listen there.
    """
    host, port = settings.wyoming_host, settings.wyoming_port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise BentoMLException(f"no place for Wyoming's clients: {error}") from error
    listener.set_inheritable(True)
    if warning := open_to_all(settings):
        logger.warning("Wyoming's port %s", warning)
    # Without an object that closes it when it goes.
    hand_down_listener(listener.detach())


def take_listener() -> socket.socket:
    """In a worker: the parent's socket, which no process of the worker's inherits.

    Raises:
        BentoMLException: no parent has handed one down.
    """
    descriptor = handed_down_listener()
    if descriptor is None:
        raise BentoMLException("WHISPER_WYOMING_PORT needs a server started by bentoml serve")
    listener = socket.socket(fileno=descriptor)
    listener.set_inheritable(False)
    return listener
