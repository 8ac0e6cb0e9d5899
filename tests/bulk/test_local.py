"""The local runner on real weights: texts are those of `--local`, broken files are failed rows."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from models.checkpoints.weights import Weights
from tests.bulk.doubles import by_content, manifest_of
from tests.server import PROJECT, SECONDS
from tests.speech_clips import BROKEN, OWN_SPEECH

MANIFEST = OWN_SPEECH / "manifest.jsonl"
COMMAND = [sys.executable, "-m", "cli"]


def shortest(count: int) -> list[Path]:
    """The shortest recordings, which have one window each."""
    clips = [json.loads(line) for line in MANIFEST.read_text("utf-8").splitlines()]
    clips.sort(key=lambda clip: float(clip["seconds"]))
    return [OWN_SPEECH / clip["path"] for clip in clips[:count]]


def ran(*arguments: str | Path) -> tuple[int, str]:
    """Exit status and output of the command, which is the project's."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
        timeout=4 * SECONDS,
        check=False,
    )
    return done.returncode, done.stdout


def test_texts_are_those_of_the_command_line(
    weights: Callable[[str], Weights], tmp_path: Path
) -> None:
    weights("base")
    clips = shortest(8)
    broken = sorted(path for path in BROKEN.iterdir() if path.suffix != ".md")
    manifest = manifest_of(tmp_path / "m.jsonl", [*clips, *broken])
    model = ("--model", "base")
    status, printed = ran("bulk", "run", manifest, "--out", tmp_path / "out", *model, "--srt")
    summary: dict[str, Any] = json.loads(printed)
    found = by_content(tmp_path / "out")
    told = [
        json.loads(line) for line in ran("--local", "--json-lines", *model, *clips)[1].splitlines()
    ]
    assert {Path(each["file"]).name: each["text"] for each in told} == {
        path.name: found[path.name]["text"] for path in clips
    }
    assert {found[path.name]["model_tag"].partition(":")[0] for path in clips} == {"whisper-base"}
    assert (status, summary["left"]) == (1, 0)
    codes = {path.name: (found[path.name]["error"] or {}).get("code") for path in broken}
    assert "audio_error" in codes.values()
    assert set(codes.values()) <= {"audio_error", None}
    assert len(list((tmp_path / "out" / "srt").iterdir())) == summary["ok"] + summary["empty"]


def test_a_model_that_is_not_there_is_status_3(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path / "m.jsonl", shortest(1))
    given = ("bulk", "run", manifest, "--out", tmp_path / "out", "--model", "nothing")
    assert ran(*given) == (3, "")
    assert not (tmp_path / "out" / "run.json").exists()
