"""Port check: an address that the server could not listen on."""

from __future__ import annotations

import errno
import socket


def port_problem(host: str, port: int, prefix: str = "WHISPER_") -> str | None:
    """The reason that nothing can listen there, and the variable to set; None if there is none.

    Its name begins with `prefix`.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as listener:
            # as the server does: connections that only linger do not count
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
    except OSError as error:
        return _advice(error, host, port, prefix)
    return None


def _advice(error: OSError, host: str, port: int, prefix: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is in use: stop the other program or set {prefix}PORT"
    if error.errno == errno.EACCES:
        return f"port {port} may not be opened by this user: set {prefix}PORT to 1024 or higher"
    return f"this machine cannot listen on {host} ({error.strerror}): set {prefix}HOST"
