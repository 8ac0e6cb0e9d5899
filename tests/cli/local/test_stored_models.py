"""Models of the store in this process: what names mean, and a load that is interrupted."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from api.settings import Settings
from cli.local.stored_models import StoredModels
from client.backend.errors import NoServiceError
from models.checkpoints import store
from models.transcription.transcriber import Transcriber
from tests.own_store import own_store, saved
from tests.server import SECONDS


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[None]:
    """A store with `base` and `mine`, both tiny."""
    with own_store(tmp_path / "home"):
        saved("base")
        saved("mine")
        yield


def models(**settings: str) -> StoredModels:
    """Those of the store, with these settings."""
    environ = {f"WHISPER_{name.upper()}": value for name, value in settings.items()}
    return StoredModels(Settings.from_environ(environ), lambda line: None)


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(
    ("model_id", "name"),
    [
        ("whisper-1", "mine"),
        ("gpt-4o-transcribe", "mine"),
        ("mine", "mine"),
        ("base", "base"),
        ("whisper-base", "base"),
        ("openai/whisper-base", "base"),
        ("Systran/faster-whisper-base", "base"),
        ("ours", "base"),
    ],
)
def test_names_mean_what_they_do_on_a_server(model_id: str, name: str) -> None:
    found = models(default_model="mine", aliases="ours=base").find(model_id)
    assert found.tag == saved(name).tag


@pytest.mark.usefixtures("stored")
def test_a_damaged_model_is_a_line() -> None:
    checkpoint = store.find("base")
    assert checkpoint is not None
    for path in checkpoint.path.glob("*.safetensors"):
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    with closing(models()) as ours, pytest.raises(NoServiceError, match=r"^base cannot be loaded"):
        asyncio.run(ours.use("base"))


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("dtype", ["auto", "float32"])
def test_the_format_that_was_measured_is_told(dtype: str) -> None:
    told = list[str]()
    settings = Settings.from_environ({"WHISPER_DTYPE": dtype})
    with closing(StoredModels(settings, told.append)) as ours:
        found = asyncio.run(ours.use("base")).state().dtype
    measured = [f"loaded base in {found}"] if dtype == "auto" else []
    assert told == ["loading base", *measured]


@pytest.mark.usefixtures("stored")
def test_an_interrupted_load_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def load(self: StoredModels, checkpoint: store.StoredCheckpoint) -> Transcriber:
        begun.set()
        go_on.wait(SECONDS)
        ended.set()
        raise NoServiceError("nobody hears of it")

    monkeypatch.setattr(StoredModels, "_load", load)

    async def interrupted() -> None:
        loading = asyncio.create_task(models().use("base"))
        await asyncio.to_thread(begun.wait, SECONDS)
        loading.cancel()
        await asyncio.gather(loading, return_exceptions=True)

    # Returns with the loop closed, all of whose threads have ended.
    asyncio.run(interrupted())
    assert not ended.is_set()
    go_on.set()
    assert ended.wait(SECONDS)
