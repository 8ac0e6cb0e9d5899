"""JSON objects in checkpoints of other projects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from models.errors import CheckpointFormatError


def read_json_object(path: Path) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        CheckpointFormatError: the file is missing, or holds no JSON object; it is named.
    """
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise CheckpointFormatError(f"{path.name} is missing") from error
    except (ValueError, RecursionError) as error:
        raise CheckpointFormatError(f"{path.name} is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise CheckpointFormatError(f"{path.name} holds no JSON object")
    return value
