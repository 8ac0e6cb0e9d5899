"""Server-sent events of a transcription."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby

from cli.comparison.answer import parsed

DELTA = "transcript.text.delta"
DONE = "transcript.text.done"
END = "[DONE]"


@dataclass
class Stream:
    """A stream that was read to its end."""

    names: list[str] = field(default_factory=list)
    events: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    lines: set[str] = field(default_factory=set)

    @property
    def order(self) -> list[str]:
        """The kinds of events in their order; those of one kind in a row count once."""
        return [name for name, _ in groupby(self.names)]

    @property
    def deltas(self) -> str:
        """What all deltas join to."""
        return "".join(str(event.get("delta", "")) for event in self.events.get(DELTA, []))

    @property
    def done(self) -> dict[str, object]:
        """The last event with the whole text; empty where there is none."""
        return self.events.get(DONE, [{}])[-1]

    @property
    def text(self) -> str:
        """The whole text, by the last event or else by the deltas."""
        text = self.done.get("text")
        return text if isinstance(text, str) else self.deltas


def read_stream(text: str) -> Stream:
    """The events of a stream; comments, which keep connections open, are passed over."""
    stream = Stream()
    data: list[str] = []
    # Of all that ends lines in Unicode, only these end one here.
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        name, _, value = line.partition(":")
        if name and line[0] != ":":
            stream.lines.add(name)
        if name == "data":
            data.append(value.removeprefix(" "))
        elif not line and data:
            _add(stream, "\n".join(data))
            data = []
    if data:
        stream.names.append("an event without an empty line after it")
    return stream


def _add(stream: Stream, data: str) -> None:
    value = parsed(data)
    if data.startswith(END):
        stream.names.append(END)
    elif not isinstance(value, dict):
        stream.names.append("an event that is no JSON object")
    else:
        name = "error" if "error" in value else str(value.get("type", "an event without a type"))
        stream.names.append(name)
        stream.events.setdefault(name, []).append(value)
