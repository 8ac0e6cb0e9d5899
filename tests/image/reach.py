"""Run in a container: what a process that reads a recording can reach, as JSON."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from tempfile import TemporaryDirectory

from models.audio.sandbox.reader import Sandbox
from models.errors import AudioError


def main() -> None:
    """Let a child try, with a file and a port that this process has."""
    box = Sandbox(work="tests.models.audio.sandbox.works:reach")
    with TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as server:
        secret, wanted = Path(folder) / "secret.txt", Path(folder) / "wanted.json"
        secret.write_text("secret", encoding="utf-8")
        given = {"path": str(secret), "port": server.getsockname()[1]}
        wanted.write_text(json.dumps(given), encoding="utf-8")
        try:
            with wanted.open("r+b") as file:
                next(box.read(file))
        except AudioError as error:
            print(error.message)  # noqa: T201
    box.close()


if __name__ == "__main__":
    main()
