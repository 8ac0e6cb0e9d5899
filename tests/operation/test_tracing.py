"""Spans of a running server, as a collector gets them."""

from __future__ import annotations

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.operation.asking import TRANSCRIPTIONS, eventually, post
from tests.operation.conftest import Seen

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
STAGES = ["load", "queue", "encode", "decode"]


def spans_of(seen: Seen, trace: str) -> list[Span]:
    return [span for span in seen.collector.spans if span.trace_id.hex() == trace]


def test_a_request_and_its_stages_are_in_the_trace_of_the_client(seen: Seen) -> None:
    answer = post(seen.server, headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})
    assert answer.is_success
    eventually(lambda: len(spans_of(seen, TRACE)) == 1 + len(STAGES))

    spans = {span.name: span for span in spans_of(seen, TRACE)}
    whole = spans.pop(f"POST {TRANSCRIPTIONS}")
    values = {each.key: each.value for each in whole.attributes}
    assert whole.parent_span_id.hex() == PARENT
    assert whole.kind == Span.SPAN_KIND_SERVER
    assert values["whisper.model"].string_value == "tiny.en"
    assert values["whisper.audio_seconds"].double_value == 11.0
    assert values["whisper.request_id"].string_value == answer.headers["x-request-id"]
    assert values["http.response.status_code"].int_value == 200
    assert list(spans) == STAGES
    for span in spans.values():
        assert span.parent_span_id == whole.span_id
        assert whole.start_time_unix_nano <= span.start_time_unix_nano
        assert span.start_time_unix_nano <= span.end_time_unix_nano <= whole.end_time_unix_nano


def test_what_the_client_does_not_sample_is_not_traced(seen: Seen) -> None:
    other = TRACE[::-1]
    post(seen.server, headers={"traceparent": f"00-{other}-{PARENT}-00"})
    before = len(seen.collector.spans)
    post(seen.server)

    eventually(lambda: len(seen.collector.spans) > before)
    assert spans_of(seen, other) == []
