"""An engine's process that does not keep to its messages."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from bulk.engine import RowFile
from bulk.errors import EngineDiedError
from bulk.runners.engine_process import start_child
from client.backend.request import Request


def test_an_engine_that_sends_no_messages_has_ended(tmp_path: Path) -> None:
    program = (
        "import socket, sys\n"
        "from bulk.runners.messages import message_bytes\n"
        "peer = socket.socket(fileno=int(sys.argv[1]))\n"
        "peer.recv(1)\n"
        "peer.sendall(message_bytes({'model_tag': 'a', 'in_flight': 1}) + message_bytes({}))\n"
        "while peer.recv(4096): pass\n"
    )

    async def main() -> None:
        engine = await start_child([sys.executable, "-c", program], Request())
        with pytest.raises(EngineDiedError, match="SIGKILL"):
            await engine.transcribe(RowFile("a", tmp_path, "a", Request()))
        await engine.close()

    asyncio.run(main())
