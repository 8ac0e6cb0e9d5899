"""Contents of a bento: all that is needed, nothing else, and no secrets."""

from __future__ import annotations

import ast
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.image.bentos import Bento, build, wheels
from tests.image.conftest import SECRET
from tests.server import PROJECT

FOLDERS = ("api", "bulk", "cli", "client", "models", "serving")


def modules(path: Path) -> set[str]:
    """The modules of this project that a file imports, or imports something from."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module))
    return {name for name in found if name.partition(".")[0] in (*FOLDERS, "scripts", "service")}


def test_it_carries_the_code_and_nothing_else(bento: Bento) -> None:
    code = {
        str(path.relative_to(PROJECT))
        for folder in FOLDERS
        for path in (PROJECT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    beside = {"service.py", "pyproject.toml", "LICENSE", "bentofile.yaml", "uv.toml"}

    assert bento.files == code | beside


def test_what_it_carries_imports_only_what_it_carries(bento: Bento) -> None:
    imported = {name: path for path in (bento.path / "src").rglob("*.py") for name in modules(path)}

    assert "models.checkpoints.store" in imported
    missing = {
        name: path
        for name, path in imported.items()
        if not {f"{name.replace('.', '/')}{end}" for end in (".py", "/__init__.py")} & bento.files
    }
    assert missing == {}


@pytest.mark.parametrize(
    ("which", "model", "device"), [("bento", "base", "cpu"), ("cuda", "tiny.en", "cuda")]
)
def test_it_names_one_version_of_the_model(
    which: str, model: str, device: str, request: pytest.FixtureRequest
) -> None:
    info: Any = request.getfixturevalue(which).info
    [service] = info["services"]
    [packed] = service["models"]

    assert packed["tag"].startswith(f"whisper-{model}:")
    assert info["labels"]["model"] == packed["tag"]
    assert info["labels"]["device"] == device
    assert info["labels"]["project"] == "whisper-bento"


def test_for_cpus_it_locks_no_cuda(bento: Bento) -> None:
    assert bento.locked["torch"] == "2.13.0+cpu"
    assert [name for name in bento.locked if name.startswith(("cuda-", "nvidia-c", "triton"))] == []


def test_for_gpus_it_locks_pytorch_with_cuda(cuda: Bento) -> None:
    assert cuda.locked["torch"] == "2.13.0"
    assert {"triton", "cuda-bindings"} <= set(cuda.locked)
    assert any(name.startswith("nvidia-cublas") for name in cuda.locked)
    image = (cuda.path / "env" / "docker" / "Dockerfile").read_text(encoding="utf-8")
    assert "ARG NVIDIA_VISIBLE_DEVICES=all" in image
    assert "ARG NVIDIA_DRIVER_CAPABILITIES=compute,utility" in image
    # As variables of the container, which NVIDIA's runtime reads.
    for name in ("NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES"):
        assert f"ENV {name}=${name}" in image


def test_in_its_image_the_server_is_reached_from_outside(bento: Bento) -> None:
    image = (bento.path / "env" / "docker" / "Dockerfile").read_text(encoding="utf-8")

    assert "ARG WHISPER_HOST=0.0.0.0" in image


def test_it_locks_every_dependency_as_it_is_pinned(bento: Bento, cuda: Bento) -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = dict(pin.split("==") for pin in project["dependencies"])

    assert cuda.locked | pins == cuda.locked
    assert bento.locked | pins == bento.locked | {"torch": pins["torch"]}


def test_it_keeps_no_secret_and_no_place_of_the_builder(bento: Bento) -> None:
    texts = [path.read_bytes() for path in bento.path.rglob("*") if path.is_file()]

    assert len(texts) > 100
    for kept_out in (SECRET, bento.home, str(PROJECT), *wheels().values()):
        assert not any(kept_out.encode() in text for text in texts)


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        (("--arg", "model=nobodys"), {}, f"{sys.executable} -m cli import nobodys"),
        (("--arg", "modle=base"), {}, "modle"),
        (("--arg", "device=gpu"), {}, "'cpu' or 'cuda'"),
        ((), {"WHISPER_DEFAULT_MODEL": "tiny.en"}, "--arg model=NAME"),
    ],
)
def test_what_cannot_be_built_is_said(
    home: str, arguments: tuple[str, ...], variables: dict[str, str], said: str
) -> None:
    done = build(home, *arguments, variables=variables)

    assert done.returncode == 1
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
