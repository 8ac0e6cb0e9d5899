"""Tests of hugging_face.py against a server on this machine that speaks the hub's protocol."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from models.checkpoints.sources.hugging_face import fetch_from_hub
from models.checkpoints.sources.source import Source
from models.checkpoints.weights import fingerprint
from models.errors import CheckpointFormatError, ChecksumError, DownloadError
from tests.checkpoint_files import write_ctranslate2, write_transformers
from tests.hub import Hub, running_hub
from tests.tiny import tiny_weights

REPO = "Someone/Tiny-Whisper"
# Larger than what the client takes at once, so that a part of it is on the disk.
WIDE = {"n_audio_state": 128, "n_text_state": 128}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    """The only hub that the client knows, beside an empty cache."""
    with running_hub() as server:
        template = f"{server.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield server


@pytest.fixture(scope="module")
def transformers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return contents(write_transformers(tiny_weights(), tmp_path_factory.mktemp("hub") / "one"))


@pytest.fixture(scope="module")
def sharded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    path = tmp_path_factory.mktemp("hub") / "sharded"
    return contents(write_transformers(tiny_weights(), path, shards=2))


@pytest.fixture(scope="module")
def ctranslate2(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return contents(write_ctranslate2(tiny_weights(), tmp_path_factory.mktemp("hub") / "ct2"))


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def fetch(model: str = REPO, timeout: float = 60.0) -> Source:
    told: list[str] = []
    return fetch_from_hub(model, timeout, told.append)


def test_transformers_model_comes_from_one_commit(hub: Hub, transformers: dict[str, bytes]) -> None:
    others = {"README.md": b"x", "pytorch_model.bin": b"x", "model.bin": b"x", "vocab.json": b"x"}
    commit = hub.add(REPO, "main", transformers | others)
    source = fetch()
    assert source.description == f"Hugging Face {REPO}@{commit}"
    assert sorted(source.sha256) == [
        f"{REPO}@{commit}/config.json",
        f"{REPO}@{commit}/model.safetensors",
    ]
    assert hub.downloaded() == ["config.json", "model.safetensors", "generation_config.json"]


def test_every_format_has_the_same_weights(
    hub: Hub,
    transformers: dict[str, bytes],
    sharded: dict[str, bytes],
    ctranslate2: dict[str, bytes],
) -> None:
    hub.add("org/one", "main", transformers)
    hub.add("org/sharded", "main", sharded)
    hub.add("org/ct2", "main", ctranslate2)
    found = {fingerprint(fetch(f"org/{each}").weights) for each in ("one", "sharded", "ct2")}
    assert found == {fingerprint(tiny_weights())}


def test_revision_is_what_is_read(hub: Hub, ctranslate2: dict[str, bytes]) -> None:
    first = hub.add(REPO, "v1", ctranslate2)
    second = hub.add(REPO, "main", {"config.json": b"{}"})
    assert fetch(f"{REPO}@v1").description.endswith(f"@{first}")
    assert fetch(f"{REPO}@{first}").description.endswith(f"@{first}")
    with pytest.raises(CheckpointFormatError, match=r"^it has neither model\.safetensors"):
        fetch(f"{REPO}@{second}")
    with pytest.raises(DownloadError, match="no such revision"):
        fetch(f"{REPO}@v2")


def test_transfer_goes_on_where_it_broke_off(hub: Hub, tmp_path: Path) -> None:
    weights = tiny_weights(**WIDE)
    hub.add(REPO, "main", contents(write_ctranslate2(weights, tmp_path / "wide")))
    hub.breaks = [12_000_000]
    assert fingerprint(fetch().weights) == fingerprint(weights)
    ranges = [asked for method, file, asked in hub.asked if (method, file) == ("GET", "model.bin")]
    assert ranges == [None, f"bytes={constants.DOWNLOAD_CHUNK_SIZE}-"]


def test_model_with_terms_needs_the_token(
    hub: Hub, ctranslate2: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add(REPO, "main", ctranslate2)
    hub.token = "hf_secret"
    with pytest.raises(DownloadError, match=r"terms must be accepted .* then set HF_TOKEN"):
        fetch()
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    fetch()


def test_offline_takes_what_the_cache_has(
    hub: Hub, ctranslate2: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add(REPO, "main", ctranslate2)
    source = fetch()
    asked = len(hub.asked)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert fetch().sha256 == source.sha256
    with pytest.raises(DownloadError, match="HF_HUB_OFFLINE is set, and the cache has not all"):
        fetch("Someone/else")
    assert len(hub.asked) == asked


def test_content_of_another_hash_is_refused_and_removed(
    hub: Hub, ctranslate2: dict[str, bytes], tmp_path: Path
) -> None:
    hub.add(REPO, "main", ctranslate2)
    source = fetch()
    (blob,) = (path for path in tmp_path.rglob("blobs/*") if path.stat().st_size > 1e6)
    blob.write_bytes(blob.read_bytes()[:-1] + b"x")
    with pytest.raises(ChecksumError, match=r"^model\.bin is not what its SHA-256 says"):
        fetch()
    assert not blob.exists()
    assert fetch().sha256 == source.sha256


def test_what_cannot_be_had_is_one_line(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.add(REPO, "main", {"README.md": b"x"})
    for model, line in (
        ("Someone/gone", f"Someone/gone at {hub.url}: no such model, or a private one"),
        (REPO, "it has no config.json"),
        ("a/b/c", "Repo id must be"),
    ):
        with pytest.raises(DownloadError, match=line) as failure:
            fetch(model)
        assert "\n" not in failure.value.message
    closed = "http://127.0.0.1:9/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", closed)
    with pytest.raises(DownloadError, match=r"could not be reached \(.*refused"):
        fetch()


def test_time_limit_ends_a_download(hub: Hub, ctranslate2: dict[str, bytes]) -> None:
    hub.add(REPO, "main", ctranslate2)
    with pytest.raises(DownloadError, match="the time limit is over"):
        fetch(timeout=0.0)


def test_pickles_are_not_downloaded(hub: Hub, transformers: dict[str, bytes]) -> None:
    hub.add(REPO, "main", {"config.json": transformers["config.json"], "pytorch_model.bin": b"x"})
    with pytest.raises(CheckpointFormatError, match=r"^it has neither"):
        fetch()
    assert hub.downloaded() == ["config.json"]
