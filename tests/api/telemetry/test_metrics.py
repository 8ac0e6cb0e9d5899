"""Tests of the metrics of one process."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import replace

from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.testclient import TestClient

from api.telemetry.metrics import Metrics, watch
from models.capacity.admission import Admission
from models.engine.counters import EngineCounters, EngineState
from models.jobs.job_store import JobTotals
from tests.api.fake import served
from tests.api.records import observed

ENDPOINT = "/v1/audio/transcriptions"


def values(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """Every sample that is not a bucket: its name and the values of its labels, by their names."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(metrics.exposition().decode())
        for sample in family.samples
        if not sample.name.endswith(("_bucket", "_created"))
    }


def test_requests_are_counted_by_endpoint_model_outcome_and_dialect() -> None:
    metrics = Metrics()
    for each in (observed(), observed(), observed(status=400), observed(status=404, model="")):
        metrics.requests.note(each)

    found = values(metrics)
    assert found["whisper_requests_total", "openai", ENDPOINT, "base", "ok"] == 2
    assert found["whisper_requests_total", "openai", ENDPOINT, "base", "invalid"] == 1
    assert found["whisper_requests_total", "openai", ENDPOINT, "", "invalid"] == 1
    assert found["whisper_audio_seconds_total", "base"] == 60
    assert found["whisper_request_duration_seconds_sum", "base", "ok"] == 4
    assert found["whisper_request_rtfx_sum", "base"] == 30
    assert found["whisper_queue_seconds_sum", "base"] == 1.5
    assert found["whisper_first_segment_seconds_count", "base"] == 3


def test_engines_are_counted_from_one_look_to_the_next() -> None:
    metrics = Metrics()
    counters = EngineCounters(
        steps=9, windows=4, tokens=50, fallbacks=2, cancelled=1, batch_sizes=Counter({1: 3, 3: 2})
    )
    state = EngineState("cpu", "int8", waiting=5, running=2, slots=8, counters=counters)
    metrics.engines.note({"base": state}, 1024)
    more = replace(counters, steps=11, tokens=60, batch_sizes=Counter({1: 3, 3: 4}))
    metrics.engines.note({"base": replace(state, waiting=0, counters=more)}, 2048)

    found = values(metrics)
    assert found["whisper_tokens_total", "base"] == 60
    assert found["whisper_windows_total", "base"] == 4
    assert found["whisper_fallbacks_total", "base"] == 2
    assert found["whisper_cancelled_windows_total", "base"] == 1
    assert found["whisper_decode_batch_size_count", "base"] == 7
    assert found["whisper_decode_batch_size_sum", "base"] == 15
    assert found["whisper_windows_waiting", "base"] == 0
    assert (found["whisper_slots_in_use", "base"], found["whisper_slots", "base"]) == (2, 8)
    assert found["whisper_device_memory_bytes",] == 2048
    assert found["whisper_resident_memory_bytes",] > 1e7


def test_a_model_that_is_loaded_anew_counts_on() -> None:
    metrics = Metrics()
    for steps, tokens in ((9, 50), (10, 20)):
        counters = EngineCounters(steps=steps, tokens=tokens)
        state = EngineState("cpu", "int8", waiting=0, running=0, slots=8, counters=counters)
        metrics.engines.note({"base": state}, 0)
        metrics.engines.loaded("base", 2.5)

    found = values(metrics)
    assert found["whisper_tokens_total", "base"] == 70
    assert found["whisper_model_load_seconds_count", "base"] == 2
    assert found["whisper_model_load_seconds_sum", "base"] == 5


def test_what_is_served_is_watched() -> None:
    metrics = Metrics()

    async def look_once() -> None:
        watching = asyncio.create_task(watch(metrics, served("base", "tiny.en"), lambda: 7))
        await asyncio.sleep(0)
        watching.cancel()

    asyncio.run(look_once())
    assert values(metrics)["whisper_slots", "tiny.en"] == 8
    assert values(metrics)["whisper_queued_audio_seconds",] == 0
    assert values(metrics)["whisper_device_memory_bytes",] == 7


def test_jobs_are_told_by_status() -> None:
    metrics = Metrics()
    metrics.jobs.note(JobTotals({"queued": 3, "failed": 1}, 120.5, oldest=time.time() - 30))

    found = values(metrics)
    assert found["whisper_jobs", "queued"] == 3
    assert found["whisper_jobs", "completed"] == 0
    assert found["whisper_jobs_queued_seconds",] == 120.5
    assert found["whisper_jobs_oldest_seconds",] >= 30

    metrics.jobs.note(JobTotals())
    found = values(metrics)
    assert found["whisper_jobs", "queued"] == 0
    assert found["whisper_jobs_oldest_seconds",] == 0


def test_webhooks_are_counted() -> None:
    metrics = Metrics()
    for outcome in ("retried", "delivered", "retried"):
        metrics.jobs.note_webhook(outcome)
    found = values(metrics)
    assert found["whisper_webhooks_total", "retried"] == 2
    assert found["whisper_webhooks_total", "delivered"] == 1


def test_queue_is_told() -> None:
    metrics, admission = Metrics(), Admission(600, slots=1)

    async def with_three() -> None:
        with admission.ticket(10), admission.ticket(20), admission.ticket(25):
            metrics.queue.note(admission)

    asyncio.run(with_three())
    found = values(metrics)
    assert found["whisper_queued_audio_seconds",] == 55
    assert found["whisper_queued_requests", "running"] == 2
    assert found["whisper_queued_requests", "waiting"] == 1


def test_a_model_that_is_unloaded_has_no_slots() -> None:
    metrics = Metrics()
    state = EngineState("cpu", "int8", waiting=3, running=2, slots=8, counters=EngineCounters())
    metrics.engines.note({"base": state}, 0)
    metrics.engines.note({}, 0)

    found = values(metrics)
    assert (found["whisper_slots", "base"], found["whisper_slots_in_use", "base"]) == (0, 0)
    assert found["whisper_windows_waiting", "base"] == 0


def test_the_answer_is_in_prometheus_text_format() -> None:
    app = Starlette()
    app.add_route("/metrics", Metrics().answer)
    response = TestClient(app).get("/metrics")

    assert response.headers["content-type"].startswith("text/plain; version=")
    assert "# TYPE whisper_requests_total counter" in response.text
