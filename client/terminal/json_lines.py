"""Lines of JSON, one for each recording that came to an end."""

from __future__ import annotations

import json
from typing import Any

from client.backend.outcome import Outcome


def json_line(outcome: Outcome) -> str:
    """The line, without its line break.

    `file` is the recording as it was named, and `status` is done, skipped or failed. Done, it has
    `text`, `seconds` and, where it is known, `rtfx`; failed, `error`. The result of a background
    job has its id as `job`, and `file` is the name that its recording was handed in with.
    """
    recording = outcome.recording
    members: dict[str, Any] = {"file": recording.name, "status": outcome.status}
    if recording.job is not None:
        members |= {"file": str(recording.path), "job": recording.job}
    match outcome.status:
        case "failed":
            members["error"] = outcome.error
        case "done":
            members["text"] = outcome.text
            members["seconds"] = round(outcome.seconds, 3)
            if outcome.rtfx is not None:
                members["rtfx"] = round(outcome.rtfx, 3)
    # Escaped, so that no name and no text can break the line or the terminal's encoding.
    return json.dumps(members)
