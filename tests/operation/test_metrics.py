"""/metrics of a running server."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import httpx

from models.checkpoints.weights import Weights
from tests.operation.asking import TRANSCRIPTIONS, eventually, post, samples
from tests.operation.conftest import Seen
from tests.operation.homes import own_home
from tests.server import Server, serving
from tests.speech_clips import clips

LONG = max(clips(), key=lambda clip: clip.seconds)
MODEL = "tiny.en"


def increase(server: Server, before: dict[tuple[str, ...], float], *key: str) -> float:
    return samples(server).get(key, 0.0) - before.get(key, 0.0)


def test_a_request_shows_in_every_count(seen: Seen) -> None:
    server = seen.server
    before = samples(server)
    assert post(server).is_success
    assert post(server, stream="true").is_success
    assert post(server, "/transcribe").is_success
    assert post(server, model="none").status_code == 404

    ok = ("whisper_requests_total", TRANSCRIPTIONS, MODEL, "ok")
    eventually(lambda: increase(server, before, *ok) == 2)
    assert increase(server, before, "whisper_requests_total", "/transcribe", MODEL, "ok") == 1
    assert increase(server, before, "whisper_requests_total", TRANSCRIPTIONS, "", "invalid") == 1
    assert increase(server, before, "whisper_audio_seconds_total", MODEL) == 33
    for name in ("request_rtfx", "queue_seconds", "first_segment_seconds"):
        assert increase(server, before, f"whisper_{name}_count", MODEL) == 3
    # The engine's are copied every second.
    eventually(lambda: increase(server, before, "whisper_windows_total", MODEL) == 3)
    steps = increase(server, before, "whisper_decode_batch_size_count", MODEL)
    tokens = increase(server, before, "whisper_tokens_total", MODEL)
    assert steps > 0
    assert steps <= tokens + 3
    found = samples(server)
    assert found["whisper_model_load_seconds_count", MODEL] == 1
    eventually(lambda: samples(server)["whisper_slots_in_use", MODEL] == 0)
    assert found["whisper_resident_memory_bytes",] > 1e8


def test_any_number_of_paths_makes_no_more_series(seen: Seen) -> None:
    httpx.get(f"{seen.server.url}/nothing", timeout=60)
    before = samples(seen.server)
    with httpx.Client(base_url=seen.server.url) as client:
        for number in range(100):
            assert client.get(f"/nothing/{number}").status_code == 404
            assert client.get(f"/v1/models/none-{number}").status_code == 404

    after = samples(seen.server)
    new = {"whisper_requests_total", "whisper_requests_created"}
    assert {key[:2] for key in after.keys() - before.keys()} <= {
        (name, endpoint) for name in new for endpoint in ("/v1/models/{model}", "/metrics")
    }
    assert after["whisper_requests_total", "other", "", "invalid"] >= 101
    assert not any(key[0].startswith("bentoml") for key in after)


def test_a_client_that_goes_away_shows_as_cancelled(seen: Seen) -> None:
    server = seen.server
    before = samples(server)
    boundary = "x"
    head = (
        f'--{boundary}\r\ncontent-disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n'
        f'--{boundary}\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
    )
    body = head.encode() + LONG.path.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
    address = httpx.URL(server.url)
    with socket.create_connection((address.host, address.port or 0)) as client:
        client.sendall(
            f"POST {TRANSCRIPTIONS} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n"
            f"content-type: multipart/form-data; boundary={boundary}\r\n\r\n".encode()
            + body
        )
        eventually(lambda: samples(server)["whisper_slots_in_use", MODEL] > 0)

    cancelled = ("whisper_requests_total", TRANSCRIPTIONS, MODEL, "cancelled")
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
        eventually(lambda: samples(server)["whisper_slots", MODEL] == 6)
