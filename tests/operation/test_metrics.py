"""/metrics of a running server."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx

from models.checkpoints.weights import Weights
from tests.operation.asking import PATIENCE_SECONDS, TRANSCRIPTIONS, eventually, post, samples
from tests.operation.conftest import Seen
from tests.operation.homes import own_home
from tests.operation.traffic import begin, speech
from tests.server import Server, serving

MODEL = "tiny.en"


Samples = dict[tuple[str, ...], float]


def increase(server: Server, before: Samples, *key: str) -> float:
    return samples(server).get(key, 0.0) - before.get(key, 0.0)


def increases(server: Server, before: Samples, *keys: tuple[str, ...]) -> list[float]:
    found = samples(server)
    return [found.get(key, 0.0) - before.get(key, 0.0) for key in keys]


def at_rest(server: Server) -> Samples:
    """What /metrics says once what the engine did before is in it: it is copied every second."""

    def look() -> Samples | None:
        found = samples(server)
        time.sleep(2.5)
        now = samples(server)
        keys = [key for key in now if key[0].startswith(("whisper_windows", "whisper_tokens"))]
        return now if all(now[key] == found.get(key) for key in keys) else None

    return eventually(look)


def test_a_request_shows_in_every_count(seen: Seen) -> None:
    server = seen.server
    before = at_rest(server)
    assert post(server).is_success
    assert post(server, stream="true").is_success
    assert post(server, "/transcribe").is_success
    assert post(server, model="none").status_code == 404

    requests = ("whisper_requests_total", "openai")
    counted = {
        (*requests, TRANSCRIPTIONS, MODEL, "ok"): 2,
        (*requests, "/transcribe", MODEL, "ok"): 1,
        (*requests, TRANSCRIPTIONS, "", "invalid"): 1,
        ("whisper_audio_seconds_total", MODEL): 33,
        ("whisper_request_rtfx_count", MODEL): 3,
        ("whisper_queue_seconds_count", MODEL): 3,
        ("whisper_first_segment_seconds_count", MODEL): 3,
        # The engine's are copied every second.
        ("whisper_windows_total", MODEL): 3,
    }
    # Each is counted when its answer has gone.
    eventually(lambda: increases(server, before, *counted) == list(counted.values()))
    steps = increase(server, before, "whisper_decode_batch_size_count", MODEL)
    tokens = increase(server, before, "whisper_tokens_total", MODEL)
    assert steps > 0
    assert steps <= tokens + 3
    found = samples(server)
    assert found["whisper_model_load_seconds_count", MODEL] == 1
    eventually(lambda: samples(server)["whisper_slots_in_use", MODEL] == 0)
    assert found["whisper_resident_memory_bytes",] > 1e8


def test_any_number_of_paths_makes_no_more_series(seen: Seen) -> None:
    other = ("whisper_requests_total", "openai", "other", "", "invalid")
    httpx.get(f"{seen.server.url}/nothing", timeout=PATIENCE_SECONDS)
    eventually(lambda: other in samples(seen.server))
    before = samples(seen.server)
    with httpx.Client(base_url=seen.server.url, timeout=PATIENCE_SECONDS) as client:
        for number in range(100):
            assert client.get(f"/nothing/{number}").status_code == 404
            assert client.get(f"/v1/models/none-{number}").status_code == 404

    eventually(lambda: increase(seen.server, before, *other) == 100)
    after = samples(seen.server)
    new = {"whisper_requests_total", "whisper_requests_created"}
    assert {key[:3] for key in after.keys() - before.keys()} <= {
        (name, "openai", endpoint)
        for name in new
        for endpoint in ("/v1/models/{model}", "/metrics")
    }
    assert not any(key[0].startswith("bentoml") for key in after)


def test_a_client_that_goes_away_shows_as_cancelled(seen: Seen) -> None:
    server = seen.server
    before = samples(server)
    # Minutes of work, which no machine has done before it is seen.
    with closing(begin(server, TRANSCRIPTIONS, speech(900))):
        eventually(lambda: samples(server)["whisper_slots_in_use", MODEL] > 0)

    cancelled = ("whisper_requests_total", "openai", TRANSCRIPTIONS, MODEL, "cancelled")
    eventually(lambda: increase(server, before, *cancelled) == 1)
    eventually(lambda: increase(server, before, "whisper_cancelled_windows_total", MODEL) > 0)
    eventually(lambda: samples(server)["whisper_slots_in_use", MODEL] == 0)


def test_workers_are_added_up_and_a_killed_one_is_forgotten(
    weights: Callable[[str], Weights], tmp_path: Path
) -> None:
    weights(MODEL)
    home = own_home(tmp_path)
    settings = {
        "BENTOML_HOME": home,
        "BENTOML_CONFIG_OVERRIDES": json.dumps({"services": {"whisper": {"workers": 2}}}),
        "WHISPER_DEFAULT_MODEL": MODEL,
        "WHISPER_SLOTS": "3",
    }
    with serving(tmp_path / "output.txt", **settings) as server:
        eventually(lambda: samples(server).get(("whisper_slots", MODEL)) == 6)
        first = next(Path(home).glob("prometheus_multiproc_dir/gauge_livesum_*.db"))
        os.kill(int(first.stem.rpartition("_")[2]), signal.SIGKILL)

        loads = ("whisper_model_load_seconds_count", MODEL)
        eventually(lambda: samples(server).get(loads) == 3)
        eventually(lambda: samples(server).get(("whisper_slots", MODEL)) == 6)
