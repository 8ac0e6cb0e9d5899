"""Answers with one difference of each kind, and what is found and told of them."""

from __future__ import annotations

from tests.cli.comparison.scripted import (
    SAID,
    SRT,
    STREAM,
    TEXT,
    USAGE,
    VTT,
    Scripted,
    delta,
    done,
    error,
    events,
    segment,
    value,
    verbose,
    words,
)

# One difference of each kind: what the call is answered with, and where the difference is.
_THREE_SEGMENTS = [
    segment(0, 0.0, 1.5, " Ask not what your country"),
    segment(1, 1.5, 2.0, " can do"),
    segment(2, 2.0, 3.0, " for you."),
]
PLANTED: dict[str, Scripted] = {
    "json": value({"text": SAID}),
    "text": Scripted(f"{SAID.replace('not', 'nought')}\n", TEXT),
    "srt": Scripted(SRT.replace(",", "."), TEXT),
    "vtt": Scripted(VTT, "text/vtt"),
    "verbose_json": value({**verbose(), "duration": "3.0", "segments": _THREE_SEGMENTS}),
    "words": value({**verbose(), "words": words(0.3, probability=0.9)}),
    "stream": Scripted(
        events(delta(SAID[:25]), done(USAGE), delta(SAID[25:])),
        STREAM,
    ),
    "translation": value({"text": f" {SAID}"}),
    "model": value(["whisper-1"]),
    "unknown-model": value(error(404, "no_such_model", "model"), 404),
    "unknown-format": value(error(422, "invalid_value", "response_format"), 422),
}
FOUND = {
    ("json", "missing", "usage"),
    ("text", "text", "text"),
    ("srt", "layout", "times"),
    ("vtt", "header", "content-type"),
    ("verbose_json", "type", "duration"),
    ("verbose_json", "count", "segments"),
    ("words", "times", "words"),
    ("words", "additional", "words[].probability"),
    ("stream", "events", "order"),
    ("stream", "usage", "transcript.text.done.usage.type"),
    ("translation", "spacing", "text"),
    ("model", "body", ""),
    ("unknown-model", "value", "error.code"),
    ("unknown-format", "status", ""),
}


# The same as people are told it.
TOLD = """\
json             1 difference
  missing    usage: here nothing, against "object"
text             1 difference
  text       text: here "nought", against "not"; 1 of 9 words, 1 but for capitals and punctuation
srt              1 difference
  layout     times: here "00:00:00.000 --> 00:00:00.000", against "00:00:00,000 --> 00:00:00,000"
vtt              1 difference
  header     content-type: here "text/vtt", against "text/plain; charset=utf-8"
verbose_json     2 differences
  type       duration: here "string", against "number"
  count      segments: here 3, against 2
words            2 differences
  additional words[].probability: here "number", against nothing
  times      words: largest 0.3 s, mean 0.3 s, over 9
stream           2 differences
  events     order: here "transcript.text.delta" | "transcript.text.done" | \
"transcript.text.delta" | "[DONE]", against "transcript.text.delta" | "transcript.text.done" | \
"[DONE]"
  usage      transcript.text.done.usage.type: here "duration", against "tokens"
translation      1 difference
  spacing    text: here " Ask not what your c", against "Ask not what your co"
model            1 difference
  body       here "a JSON list", against "a JSON object"
unknown-model    1 difference
  value      error.code: here "no_such_model", against "model_not_found"
unknown-format   1 difference
  status     here "422 This is wrong: 422", against "400 This is wrong: 400"
unreadable-file  same (400)
14 differences in 11 of 12 calls
"""
