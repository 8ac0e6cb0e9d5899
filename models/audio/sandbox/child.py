"""Sandboxed child process, as the server sees it."""

from __future__ import annotations

import socket
from collections.abc import Callable

from models.audio.sandbox.messages import Kind, receive
from models.audio.sandbox.template import STATUS


class Child:
    """A child of the template, which works for one request.

    `output` is where its messages come from, `line` the template's; `on_silence` is called when
    the template does not answer any more.
    """

    def __init__(
        self,
        output: socket.socket,
        line: socket.socket,
        patience_seconds: float,
        on_silence: Callable[[], None],
    ) -> None:
        output.settimeout(patience_seconds)
        line.settimeout(patience_seconds)
        with output:
            self._output = output.makefile("rb")
        self._line, self._on_silence = line, on_silence

    def receive(self) -> tuple[Kind, bytes]:
        """Its next message.

        Raises:
            TimeoutError: it has sent none for `patience_seconds`.
            EOFError: it has ended.
        """
        return receive(self._output)

    def end(self) -> int | None:
        """Kill it, if it has not ended; its exit status, or minus the signal; None: unknown."""
        with self._line, self._output:
            try:
                self._line.shutdown(socket.SHUT_WR)
                status = self._line.recv(STATUS.size)
            except TimeoutError:
                self._on_silence()
                return None
            except OSError:
                return None
        return int(STATUS.unpack(status)[0]) if status else None
