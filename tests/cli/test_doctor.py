"""Findings of the doctor on sound machines and on broken ones."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.settings import Settings
from cli.doctor import main
from cli.doctor_checks import Problem, check_disk, check_python, check_wyoming
from models.checkpoints import store
from models.checkpoints.weights import Weights
from tests.server import PROJECT, free_port


def examined(**changes: str) -> tuple[int, dict[str, tuple[bool, str]]]:
    """Exit status and findings of a doctor of its own, for `tiny.en`."""
    settings = {"WHISPER_DEFAULT_MODEL": "tiny.en", "WHISPER_PORT": str(free_port())}
    done = subprocess.run(
        [sys.executable, "-m", "cli", "doctor", "--json"],
        cwd=PROJECT,
        env={**os.environ, **settings, **changes},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, {
        each["check"]: (each["ok"], each["detail"]) for each in json.loads(done.stdout)
    }


def home_of(folder: Path, *, damaged: bool) -> str:
    """A model store with `tiny.en` in it, of which one byte is another where it is damaged."""
    stored = store.find("tiny.en")
    assert stored is not None
    name, _, version = stored.tag.partition(":")
    path = folder / "models" / name / version
    shutil.copytree(Path(os.environ["BENTOML_HOME"]) / "models" / name / version, path)
    (path.parent / "latest").write_text(version, encoding="utf-8")
    if damaged:
        weights = max(path.rglob("*"), key=lambda file: file.stat().st_size)
        with weights.open("r+b") as file:
            file.seek(-1, os.SEEK_END)
            last = file.read(1)[0]
            file.seek(-1, os.SEEK_END)
            file.write(bytes([last ^ 1]))
    return str(folder)


def test_a_sound_machine_has_no_problem(
    weights: Callable[[str], Weights], capsys: pytest.CaptureFixture[str]
) -> None:
    weights("tiny.en")
    environ = {"WHISPER_DEFAULT_MODEL": "tiny.en", "WHISPER_PORT": str(free_port())}
    assert main([], environ) == 0

    lines = capsys.readouterr().out.splitlines()
    checks = ["settings", "python", "port", "wyoming", "disk", "models", "device", "transcription"]
    assert [line.split()[:2] for line in lines] == [["ok", f"{check}:"] for check in checks]
    assert lines[-1].endswith(" s for a window")


@pytest.mark.parametrize(
    ("settings", "detail"),
    [
        ({}, "off: WHISPER_WYOMING_PORT is not set"),
        ({"wyoming_port": 10300}, "10300 on 127.0.0.1 is free"),
        (
            {"wyoming_port": 10300, "wyoming_host": "0.0.0.0", "allow_anyone": True},
            "10300 on 0.0.0.0 has no keys: whoever reaches it may use the server",
        ),
    ],
)
def test_port_for_wyoming(settings: dict[str, Any], detail: str) -> None:
    port = free_port()
    given = settings | ({"wyoming_port": port} if settings else {})

    assert check_wyoming(Settings(**given)) == detail.replace("10300", str(port))


def test_port_for_wyoming_that_cannot_be_used() -> None:
    with pytest.raises(Problem, match="Wyoming has no API keys"):
        check_wyoming(Settings(wyoming_port=free_port(), wyoming_host="0.0.0.0"))


def test_malformed_settings_are_all_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], {"WHISPER_PORT": "eight", "WHISPER_DEVICE": "gpu"}) == 1

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("problem  settings: WHISPER_DEVICE='gpu': wanted auto, cpu")
    assert lines[1].startswith("problem  settings: WHISPER_PORT='eight': wanted a whole number")


def test_no_models_and_a_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        status, found = examined(BENTOML_HOME=str(tmp_path), WHISPER_PORT=port)

    assert status == 1
    assert found["port"][0] is False
    assert "set WHISPER_PORT" in found["port"][1]
    assert found["models"] == (
        False,
        "tiny.en is not in the store. Import it with: whisper-bento import tiny.en",
    )
    assert found["device"][0] is True
    assert "transcription" not in found


def test_a_damaged_model_is_found(weights: Callable[[str], Weights], tmp_path: Path) -> None:
    weights("tiny.en")
    assert examined(BENTOML_HOME=home_of(tmp_path / "sound", damaged=False))[0] == 0
    status, found = examined(BENTOML_HOME=home_of(tmp_path / "broken", damaged=True))

    assert status == 1
    assert [check for check, (ok, _) in found.items() if not ok] == ["models"]
    assert "tiny.en" in found["models"][1]


def test_a_gpu_that_pytorch_does_not_see(tmp_path: Path) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\n", encoding="utf-8")
    tool.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    # An empty list of devices: as if there were none, wherever the tests run.
    hidden = {"PATH": path, "CUDA_VISIBLE_DEVICES": ""}
    _, found = examined(**hidden)
    _, told = examined(**hidden, WHISPER_DEVICE="cpu")

    assert found["device"][0] is False
    assert "WHISPER_DEVICE=cpu" in found["device"][1]
    assert told["device"][0] is True


def test_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, 1500 * 2**20))

    assert check_disk(Settings()).startswith("1500 MiB are free")
    with pytest.raises(Problem, match=r"1500 MiB are free in .*, and 1600 MiB are needed .*TMPDIR"):
        check_disk(Settings(max_upload_mib=200))


def test_dependencies_that_are_not_there(tmp_path: Path) -> None:
    project = tmp_path / "project.toml"
    text = '[project]\nrequires-python = ">=3.11,<4"\ndependencies = {}\n'
    project.write_text(text.format('["no-such-package==1.0", "click==0.1"]'), encoding="utf-8")
    with pytest.raises(Problem, match=r"not installed: no-such-package 1.0, click 0.1\. Run"):
        check_python(project)

    for limits in (">=4.2,<5", ">=3.1,<3.2"):
        project.write_text(text.format("[]").replace(">=3.11,<4", limits), encoding="utf-8")
        with pytest.raises(Problem, match=f"install {limits}"):
            check_python(project)
