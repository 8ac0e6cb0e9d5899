"""The tables of the README's pages are the code's: settings and models, in full and in order."""

from __future__ import annotations

import math
from pathlib import Path

from api.settings import Settings
from models.checkpoints.catalogue import CHECKPOINTS, Checkpoint
from models.checkpoints.weights import expected_shapes

ROOT = Path(__file__).parent.parent


def rows(page: str, heading: str) -> list[str]:
    """The rows of the page's one table with this heading, which ends with an empty line."""
    text = (ROOT / page).read_text(encoding="utf-8")
    assert text.count(heading) == 1
    _, *lines = text.partition(heading)[2].partition("\n\n")[0].splitlines()
    return lines[1:]


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


def test_settings_are_listed_as_they_are_read() -> None:
    assert rows("docs/settings.md", "| variable | default | meaning |") == setting_rows()


def test_checkpoints_are_listed_as_they_are_known() -> None:
    heading = "| name | parameters | languages | download | float16 slot | float32 in all |"
    assert rows("docs/models.md", heading) == [checkpoint_row(each) for each in CHECKPOINTS]


def test_no_other_page_has_a_table_of_settings() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    listing = [page.name for page in pages if "\n| `WHISPER_" in page.read_text(encoding="utf-8")]
    assert listing == ["settings.md"]
