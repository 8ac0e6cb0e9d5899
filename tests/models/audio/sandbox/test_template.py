"""The fork server's process alone: a child whose samples nobody waits for."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from models.audio.sandbox.rlimits import Limits
from models.audio.sandbox.template import STATUS
from tests.models.audio.sandbox.test_reader import SECONDS, WORKS
from tests.server import PROJECT


def test_child_whose_requester_is_gone_says_nothing(tmp_path: Path) -> None:
    (path := tmp_path / "talk.wav").write_bytes(b"sound")
    control, theirs = socket.socketpair()
    output, their_output = socket.socketpair()
    line, their_line = socket.socketpair()
    command = [sys.executable, "-m", "models.audio.sandbox.template", f"{WORKS}:talk"]
    with theirs, their_output, their_line, line, path.open("rb") as source:
        process = subprocess.Popen(
            [*command, json.dumps(asdict(Limits()))],
            stdin=theirs.fileno(),
            stderr=subprocess.PIPE,
            cwd=PROJECT,
        )
        output.close()
        descriptors = [source.fileno(), their_output.fileno(), their_line.fileno()]
        socket.send_fds(control, [b"{}"], descriptors)
        their_output.close()
        line.settimeout(SECONDS)
        assert STATUS.unpack(line.recv(STATUS.size)) == (1,)
        control.close()
        _, errors = process.communicate(timeout=SECONDS)
    assert (process.returncode, errors) == (0, b"")
