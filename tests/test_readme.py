"""The README's tables are the code's."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from api.settings import Settings
from models.checkpoints.catalogue import CHECKPOINTS, Checkpoint
from models.checkpoints.weights import expected_shapes

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def setting_rows() -> list[str]:
    return [f"| `{name}` | {default or '-'} | {text} |" for name, default, text in Settings.table()]


def checkpoint_row(checkpoint: Checkpoint) -> str:
    dims = checkpoint.dims
    values = sum(math.prod(shape) for shape in expected_shapes(dims).values())
    # Cross-KV and self-KV in float16.
    slot = 4 * dims.n_text_layer * (dims.n_audio_ctx + dims.n_text_ctx) * dims.n_text_state
    languages = str(dims.num_languages) if dims.is_multilingual else "English"
    names = ", ".join(f"`{name}`" for name in (checkpoint.name, *checkpoint.aliases))
    return (
        f"| {names} | {checkpoint.parameters} M | {languages} "
        f"| {size(2 * values)} | {size(slot)} | {size(4 * values + 8 * 2 * slot)} |"
    )


def size(count: float) -> str:
    """Bytes in decimal units, as disks and downloads state them."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


@pytest.mark.parametrize("row", setting_rows())
def test_readme_has_every_setting(row: str) -> None:
    assert row in README


def test_readme_has_no_other_setting() -> None:
    rows = [line for line in README.splitlines() if line.startswith("| `WHISPER_")]

    assert rows == setting_rows()


@pytest.mark.parametrize("checkpoint", CHECKPOINTS, ids=lambda checkpoint: checkpoint.name)
def test_readme_has_every_checkpoint(checkpoint: Checkpoint) -> None:
    assert checkpoint_row(checkpoint) in README
