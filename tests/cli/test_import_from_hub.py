"""Imports of `ORG/MODEL` as people run them, from a server on this machine in the hub's place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checkpoint_files import write_ctranslate2, write_transformers
from tests.hub import Hub, running_hub
from tests.importing import Store, tag_in
from tests.tiny import tiny_weights


@pytest.fixture
def hub() -> Iterator[Hub]:
    with running_hub() as server:
        yield server


@pytest.fixture
def store(hub: Hub, tmp_path: Path) -> Store:
    """A store, and a cache of Hugging Face's beside it, on a machine that reaches the hub alone."""
    (tmp_path / "home").mkdir()
    store = Store(tmp_path / "home")
    store.environment |= {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "hf")}
    store.environment |= {"NO_PROXY": "127.0.0.1", "HTTPS_PROXY": "http://127.0.0.1:9"}
    return store


def test_model_has_the_last_part_of_its_name_and_its_commit(
    store: Store, hub: Hub, tmp_path: Path
) -> None:
    directory = write_transformers(tiny_weights(), tmp_path / "one")
    commit = hub.add("Org/Tiny-V1", "main", {p.name: p.read_bytes() for p in directory.iterdir()})
    out = store.succeed("import", "Org/Tiny-V1")
    assert tag_in(out).startswith("whisper-tiny-v1:")
    assert f"from Hugging Face Org/Tiny-V1@{commit} " in out
    other = tag_in(store.succeed("import", f"Org/Tiny-V1@{commit}", "--as", "mine"))
    assert other.partition(":")[2] == tag_in(out).partition(":")[2]


def test_official_name_from_the_hub_is_that_of_openai(
    store: Store, hub: Hub, tmp_path: Path
) -> None:
    directory = write_ctranslate2(tiny_weights(), tmp_path / "ct2")
    hub.add("openai/whisper-base", "main", {p.name: p.read_bytes() for p in directory.iterdir()})
    status, out, errors = store.run("import", "base", "--source", "hub")
    assert (status, out, store.tags()) == (1, "", [])
    assert "base has n_audio_state = 512, this checkpoint 32" in errors


def test_somebody_elses_model_takes_no_official_name(store: Store) -> None:
    assert store.fail("import", "Someone/whisper-base").endswith("name it with --as NAME")


def test_unknown_model_is_one_line(store: Store, hub: Hub) -> None:
    assert f"Someone/gone at {hub.url}: no such model" in store.fail("import", "Someone/gone")


def test_other_imports_do_without_the_hubs_client(store: Store, tmp_path: Path) -> None:
    source = write_ctranslate2(tiny_weights(), tmp_path / "ct2")
    code = (
        "import sys; from cli.import_model import main;"
        f"status = main(['mine', '--from', {str(source)!r}]);"
        "print(status, 'huggingface_hub' in sys.modules)"
    )
    out, _ = store.start("-c", code).communicate(timeout=60)
    assert out.splitlines()[-1] == "0 False"
