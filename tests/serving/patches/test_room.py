"""Private parts of frameworks are reached in one room, but for what `docs/upstream.md` lists."""

from __future__ import annotations

import re

from tests.server import PROJECT

PRIVATE = re.compile(r"\b(?:_bentoml_impl|bentoml\._internal)\b|SLF001")
# The room; BentoML's store and openai-whisper's tables; what PyTorch knows of the processor.
ROOMS = ("serving/patches/", "models/checkpoints/", "models/engine/")


def test_private_parts_are_reached_in_the_room() -> None:
    folders = ("api", "cli", "models", "serving")
    paths = [PROJECT / "service.py"]
    paths += [path for folder in folders for path in (PROJECT / folder).rglob("*.py")]
    reaching = [
        path.relative_to(PROJECT).as_posix()
        for path in paths
        if PRIVATE.search(path.read_text(encoding="utf-8"))
    ]

    assert "serving/patches/bentoml_server.py" in reaching
    assert [name for name in reaching if not name.startswith(ROOMS)] == []
