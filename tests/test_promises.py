"""Numbers that the docs promise: by value, so that neither they nor the code change alone."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from api.errors import retry_after
from api.middleware.time_limits import BodyTimeout
from api.middleware.timed_headers import TimedHeaders
from models.audio.sandbox.rlimits import Limits
from models.capacity.model_pool import PoolLimits
from models.units import MIB

ROOT = Path(__file__).parent.parent

# Where a number stands in the docs, where in the code, and which it is.
PROMISES = [
    (
        "operations.md",
        "16 KiB, and 30 s to arrive",
        "api.middleware.size_limits:MAX_HEADER_BYTES",
        16384,
    ),
    ("operations.md", "4 files, 128 fields", "api.forms.multipart:MAX_FILES", 4),
    ("operations.md", "4 files, 128 fields", "api.forms.multipart:MAX_FIELDS", 128),
    (
        "operations.md",
        "one of more than 30 hours",
        "models.audio.load.timeline:LONGEST_SECONDS",
        108_000,
    ),
    (
        "operations.md",
        "or of more than an hour",
        "models.audio.load.timeline:LONGEST_UNLIMITED_SECONDS",
        3600,
    ),
    (
        "operations.md",
        "one of more than a minute",
        "models.audio.load.track:_LONGEST_BETWEEN_JUMPS",
        60,
    ),
    ("operations.md", "Recordings up to 30 s", "models.capacity.admission:SHORT_SECONDS", 30),
    ("operations.md", "An eighth of the queue", "models.capacity.admission:SHORT_SHARE", 0.125),
    ("operations.md", "64 KiB of line", "api.wyoming.framing:MAX_LINE", 65_536),
    ("operations.md", "256 KiB of data", "api.wyoming.framing:MAX_DATA", 262_144),
    ("operations.md", "1 MiB of sound", "api.wyoming.framing:MAX_PAYLOAD", 1_048_576),
    ("operations.md", "10 minutes, 256 MiB", "api.wyoming.recording:MAX_SECONDS", 600),
    ("operations.md", "10 minutes, 256 MiB", "api.wyoming.recording:MAX_BYTES", 256 * MIB),
    ("operations.md", "60 s, unless the client", "api.wyoming.session:IDLE_SECONDS", 60),
    ("operations.md", "reading what is sent | 30 s", "api.wyoming.session:SEND_SECONDS", 30),
    ("operations.md", "connections | 100", "api.wyoming.server:MAX_CONNECTIONS", 100),
    (
        "operations.md",
        "five seconds after its time",
        "serving.patches.circus_watcher:KILL_AFTER_SECONDS",
        5,
    ),
    (
        "operations.md",
        "replaced within a second or two",
        "serving.patches.circus_watcher:CHECK_SECONDS",
        1,
    ),
    (
        "operations.md",
        "Three workers in a row",
        "serving.patches.circus_watcher:MAX_FAILED_STARTS",
        3,
    ),
    (
        "compatibility.md",
        "more than 1,048,576 characters",
        "api.forms.field_limits:MAX_CHARACTERS",
        1_048_576,
    ),
    ("compatibility.md", "more than 1,000 values", "api.forms.field_limits:MAX_VALUES", 1000),
    (
        "compatibility.md",
        "does not come within 16 KiB",
        "api.forms.preamble:MAX_PREAMBLE_BYTES",
        16384,
    ),
    (
        "lab-notebook.md",
        "keep a quarter of the time",
        "models.engine.scheduler:BACKGROUND_SHARE",
        0.25,
    ),
    (
        "lab-notebook.md",
        "keep a quarter of the time",
        "models.engine.scheduler:LIVE_SHARE",
        0.25,
    ),
    (
        "lab-notebook.md",
        "and jobs an eighth",
        "models.engine.scheduler:JOB_SHARE",
        0.125,
    ),
    (
        "lab-notebook.md",
        "more than two seconds behind the sound",
        "models.engine.network.sparse_padding:MARGIN",
        100,
    ),
    ("lab-notebook.md", "one position in eight", "models.engine.network.sparse_padding:STRIDE", 8),
    ("decisions.md", "until a thousand", "models.engine.device.oom_backoff:PATIENCE", 1000),
    ("settings.md", "counts within a second", "api.keys:CHECK_SECONDS", 1),
]


@pytest.mark.parametrize(("document", "words", "name", "value"), PROMISES)
def test_what_the_docs_promise_is_what_the_code_says(
    document: str, words: str, name: str, value: float
) -> None:
    module, constant = name.split(":")

    assert getattr(import_module(module), constant) == value
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    assert words in " ".join(text.split())


def test_limits_of_reading_a_recording() -> None:
    """512 MiB of memory, 600 s of CPU, 30 s for the next piece."""
    limits = Limits()

    assert limits.memory_bytes == 512 * MIB
    assert (limits.cpu_seconds, limits.patience_seconds) == (600, 30)


def test_limits_of_a_slow_client() -> None:
    """A body brings 8 KiB in every 30 s; headers have 30 s."""
    body = BodyTimeout(app=None)  # type: ignore[arg-type]

    assert (body.seconds, body.minimum) == (30, 8192)
    assert TimedHeaders.seconds == 30


def test_a_request_waits_ten_seconds_for_a_model_that_is_being_loaded() -> None:
    assert PoolLimits().wait_seconds == 10


@pytest.mark.parametrize(
    ("seconds", "told"), [(0, "1"), (1, "1"), (1.2, "2"), (59.5, "60"), (60, "60"), (3600, "60")]
)
def test_clients_are_told_to_come_again_in_1_to_60_seconds(seconds: float, told: str) -> None:
    assert retry_after(seconds) == {"retry-after": told}
