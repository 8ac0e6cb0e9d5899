"""Access log: a line for each request, and each line as JSON where that is asked for."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from api.telemetry.endpoints import PROBES
from api.telemetry.observe import Observed

# Asked every few seconds: logged only on failure.
_QUIET = PROBES | {"/metrics"}

# The name of BentoML's own access log, in whose place this is: others are dropped below WARNING.
logger = logging.getLogger("bentoml.access")


class JsonLines(logging.Formatter):
    """A record as one JSON object; what was logged with `extra={"fields": ...}` is in it."""

    def format(self, record: logging.LogRecord) -> str:
        """The object in one line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def log_as_json() -> None:
    """From now on write JSON wherever the root logger writes, warnings included."""
    logging.captureWarnings(capture=True)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(JsonLines())


def log_request(observed: Observed) -> None:
    """One line: key, endpoint, outcome and the time of each stage; never the content."""
    if observed.endpoint in _QUIET and observed.status < HTTPStatus.BAD_REQUEST:
        return
    logger.info(_sentence(observed), extra={"fields": _fields(observed)})


def _fields(observed: Observed) -> dict[str, Any]:
    stats, session = observed.stats, observed.session
    fields: dict[str, Any] = {
        "request_id": observed.request_id,
        "key_name": observed.key_name,
        "method": observed.method,
        "path": observed.endpoint,
        "dialect": observed.dialect,
        "status": observed.status,
        "outcome": observed.outcome,
        "model": observed.model,
        "audio_seconds": round((session or stats).audio_seconds, 3),
    }
    if session:
        fields |= {"turns": session.turns, "close_code": session.close_code}
    stages = {f"{name}_seconds": stage.seconds for name, stage in stats.stages.items()}
    seconds = {**stages, "total_seconds": observed.seconds}
    return fields | {name: round(value, 4) for name, value in seconds.items()}


def _sentence(observed: Observed) -> str:
    by = f" by {observed.key_name}" if observed.key_name else ""
    sentence = (
        f"{observed.request_id}{by}: {observed.method} {observed.endpoint} "
        f"{observed.status} {observed.outcome} in {observed.seconds:.3f} s"
    )
    stats = observed.stats
    stages = ", ".join(f"{name} {stage.seconds:.3f}" for name, stage in stats.stages.items())
    if session := observed.session:
        return (
            f"{sentence}; {observed.model or 'no model'}, {session.audio_seconds:.1f} s of audio "
            f"({stages}), turns {session.turns}, closed with {session.close_code}"
        )
    if not observed.model:
        return sentence
    return f"{sentence}; {observed.model}, {stats.audio_seconds:.1f} s of audio ({stages})"
