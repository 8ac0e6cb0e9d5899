"""Tests of models/checkpoints/sources/local.py."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from models.checkpoints.sources.local import open_source
from models.checkpoints.weights import Weights, fingerprint
from models.errors import CheckpointFormatError
from tests.checkpoint_files import write_ctranslate2, write_openai, write_transformers
from tests.tiny import tiny_weights


@pytest.mark.parametrize("write", [write_openai, write_transformers, write_ctranslate2])
def test_open_source_tells_the_format_by_the_content(
    tmp_path: Path, write: Callable[[Weights, Path], Path]
) -> None:
    source = open_source(write(tiny_weights(), tmp_path / "anything"))
    assert fingerprint(source.weights) == fingerprint(tiny_weights())
    assert source.description.endswith("anything")


def test_open_source_refuses_random_bytes(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    path.write_bytes(os.urandom(10_000))
    with pytest.raises(CheckpointFormatError, match=r"x\.pt: not a checkpoint .* CTranslate2"):
        open_source(path)


def test_open_source_refuses_an_empty_directory(tmp_path: Path) -> None:
    with pytest.raises(CheckpointFormatError, match="not a checkpoint this version can read"):
        open_source(tmp_path)


def test_open_source_names_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CheckpointFormatError, match="gone: no such file or directory"):
        open_source(tmp_path / "gone")
