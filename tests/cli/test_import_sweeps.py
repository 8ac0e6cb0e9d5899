"""An import begins by sweeping what killed ones have left, whatever becomes of it itself."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from cli.import_model import main
from models.checkpoints import store
from models.errors import CheckpointFormatError
from tests.own_store import own_store


def test_import_sweeps_before_it_reads_anything(
    tmp_path: Path,
) -> None:
    with own_store(tmp_path / "home"):
        scratch = store.scratch_area() / "scratch-of-the-killed"
        scratch.mkdir()
        (scratch / "half.safetensors").write_bytes(b"x")
        old, recent = (store.downloads_directory() / name for name in ("old.pt", "recent.pt"))
        for path, days in ((old, 7.1), (recent, 6.9)):
            path.touch()
            then = time.time() - days * 24 * 3600
            os.utime(path, (then, then))

        with pytest.raises(CheckpointFormatError):
            main(["mine", "--from", str(tmp_path / "none.pt")])

        assert not scratch.exists()
        assert (old.exists(), recent.exists()) == (False, True)
