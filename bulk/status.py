"""Status of an output folder: what its results came to, and how many rows have none."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from bulk.errors import TRANSIENT, OutputError
from bulk.manifest import Manifest
from bulk.parts import heads_of, parts_of
from bulk.run_file import read_run
from client.backend.errors import UsageError


def status_of(folder: Path) -> dict[str, Any]:
    """The folder's status in JSON's types; a row that stands twice counts once.

    `rows` and `left` are None where the manifest cannot be read any more. `retryable` rows failed
    for reasons that may pass.

    Raises:
        OutputError: the folder has no run, or cannot be read.
    """
    run = read_run(folder)
    if run is None:
        raise OutputError(f"{folder} has no run of `whisper-bento bulk run`")
    statuses, codes, results = Counter[str](), Counter[str](), 0
    ids, seconds = set[str](), 0.0
    for head in heads_of(folder):
        results += 1
        if head["id"] in ids:
            continue
        ids.add(head["id"])
        statuses[head["status"]] += 1
        if error := head.get("error"):
            codes[error["code"]] += 1
        else:
            seconds += head.get("duration") or 0.0
    rows, left = _rows(run.manifest, ids)
    return {
        "manifest": run.manifest,
        "model_tag": run.model_tag,
        "options_hash": run.options_hash,
        "rows": rows,
        "left": left,
        **{status: statuses[status] for status in ("ok", "empty", "failed")},
        "failures": dict(sorted(codes.items())),
        "retryable": sum(count for code, count in codes.items() if code in TRANSIENT),
        "duplicates": results - len(ids),
        "audio_seconds": round(seconds, 3),
        "parts": len(parts_of(folder)),
    }


def _rows(manifest: str, done: set[str]) -> tuple[int, int] | tuple[None, None]:
    """How many rows the manifest has, and how many of them have no result."""
    rows = left = 0
    try:
        for row in Manifest(Path(manifest)).rows():
            rows += 1
            left += row.id not in done
    except UsageError:
        return None, None
    return rows, left
