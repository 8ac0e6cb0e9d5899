"""Two minutes of soak against a float32 server: every threshold but memory's is met.

In float32 no text depends on what is decoded beside it; in int8 a word that is as likely as another
may.

The long form: `python -m scripts.load_tests.soak --minutes 30`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from models.checkpoints.weights import Weights
from scripts.load_tests import soak
from tests.operation.homes import own_home
from tests.server import serving


def test_two_minutes_of_rude_clients_and_live_sessions(
    weights: Callable[[str], Weights], tmp_path: Path
) -> None:
    weights("base")
    report = tmp_path / "soak.json"
    precision = {"WHISPER_DTYPE": "float32", "WHISPER_PADDING": "thin"}
    home = own_home(tmp_path)
    with serving(tmp_path / "output.txt", BENTOML_HOME=home, **precision) as server:
        soak.main(["--url", server.url, "--minutes", "2", "--json", str(report)])
        assert server.stop() == 0
    found = json.loads(report.read_text())
    bars = found["bars"]
    assert len(bars) == 7
    # In thirds of 40 s memory follows what is asked just then: whether it grows is told by the long
    # form, and by tests/operation/test_memory.py.
    assert [bar for bar in bars if not (bar["is_met"] or "memory" in bar["promise"])] == []
    assert "Traceback" not in server.printed
