"""Server events: what happens in a live session -> JSON objects, in the order of the wire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from api.errors import ApiError, error_body, known_or_internal
from api.realtime.beta import flat_event
from api.realtime.items import Items, new_id
from api.realtime.session_object import SessionObject
from models.live.events import (
    Cleared,
    Committed,
    Completed,
    Delta,
    Failed,
    LiveEvent,
    OpenText,
    Reply,
    SpeechStarted,
    SpeechStopped,
)
from models.text.transcript import TokenScore

_TRANSCRIPTION = "conversation.item.input_audio_transcription"
Json = dict[str, Any]


def server_event(kind: str, **fields: object) -> Json:
    """An event with an id of its own."""
    return {"type": kind, "event_id": new_id("event"), **fields}


def error_event(error: ApiError, event_id: str = "") -> Json:
    """An error; `event_id` is that of the client event that it is about."""
    detail = error_body(error).error.model_dump()
    return server_event("error", error={**detail, "event_id": event_id or None})


@dataclass(frozen=True)
class View:
    """How a client is told what happens: as of its session, and in which shape.

    `model` is the checkpoint that hears it; None: no text is wanted.
    """

    session: SessionObject
    model: str | None
    is_beta: bool

    def shaped(self, events: Iterable[Json]) -> list[Json]:
        """The events in the client's shape."""
        if not self.is_beta:
            return list(events)
        return [shaped for shaped in map(flat_event, events) if shaped]


@dataclass(frozen=True)
class Answer:
    """What a client's event is answered with, and the view from there on."""

    view: View
    event: Json


class Narrator:
    """Tells the events of a live session with the ids of its items.

    They are told in the view of the last answer ahead of them.
    """

    def __init__(self, items: Items, view: View) -> None:
        self._items, self.view = items, view

    def tell(self, event: LiveEvent) -> list[Json]:
        """The events for the client; some are told nobody."""
        told = self._told(event)
        return self.view.shaped(told)

    def _told(self, event: LiveEvent) -> list[Json]:
        session = self.view.session
        match event:
            case Reply():
                # Nobody but `Conversation` replies.
                answer = cast(Answer, event.reply)
                self.view = answer.view
                return [answer.event]
            case SpeechStarted():
                times = {"audio_start_ms": event.audio_start_ms}
                return [self._of(event.turn, "input_audio_buffer.speech_started", **times)]
            case SpeechStopped():
                times = {"audio_end_ms": event.audio_end_ms}
                return [self._of(event.turn, "input_audio_buffer.speech_stopped", **times)]
            case Committed():
                return self._committed(event)
            case Cleared():
                return [server_event("input_audio_buffer.cleared")]
            case Delta():
                fields = _logprobs(event.text, event.logprobs, session)
                return [self._of_text(event.turn, "delta", delta=event.text, **fields)]
            case OpenText():
                if not session.with_open_text:
                    return []
                return [self._of_text(event.turn, "open_text", text=event.text)]
            case Completed():
                return [self._completed(event, session)]
            case Failed():
                return [self._failed(event)]

    def _of(self, turn: int, kind: str, **fields: object) -> Json:
        return server_event(kind, item_id=self._items.id_of(turn), **fields)

    def _of_text(self, turn: int, kind: str, **fields: object) -> Json:
        return self._of(turn, f"{_TRANSCRIPTION}.{kind}", content_index=0, **fields)

    def _committed(self, event: Committed) -> list[Json]:
        turn = event.turn
        previous = self._items.commit(turn)
        item = {
            "id": self._items.id_of(turn),
            "object": "realtime.item",
            "type": "message",
            "status": "completed",
            "role": "user",
            "content": [{"type": "input_audio", "transcript": None}],
        }
        after: Mapping[str, object] = {"previous_item_id": previous, "item": item}
        told = [
            self._of(turn, "input_audio_buffer.committed", previous_item_id=previous),
            server_event("conversation.item.added", **after),
            server_event("conversation.item.done", **after),
        ]
        if not event.has_text:
            self._items.end(turn)
        return told

    def _completed(self, event: Completed, session: SessionObject) -> Json:
        text = event.transcript
        fields = _logprobs(text, event.logprobs, session)
        usage = {
            "type": "tokens",
            "total_tokens": event.audio_tokens + event.output_tokens,
            "input_tokens": event.audio_tokens,
            "input_token_details": {"text_tokens": 0, "audio_tokens": event.audio_tokens},
            "output_tokens": event.output_tokens,
        }
        languages = {"languages": [{"code": event.language}]} if event.language else {}
        more = {**fields, "usage": usage, **languages}
        told = self._of_text(event.turn, "completed", transcript=text, **more)
        self._items.end(event.turn)
        return told

    def _failed(self, event: Failed) -> Json:
        known = known_or_internal(event.error, "A turn")
        error = error_body(known).error.model_dump()
        told = self._of_text(event.turn, "failed", error=error)
        self._items.end(event.turn)
        return told


def _logprobs(text: str, scores: Iterable[TokenScore], session: SessionObject) -> dict[str, object]:
    """The field `logprobs` of a text, where it is asked for: the tokens join to the text.

    Whisper's first token of a text begins with a space, which the text has not.
    """
    if not session.with_logprobs:
        return {}
    shown: list[Json] = []
    for score in scores:
        is_first = not shown and not text.startswith(" ")
        data = score.data.lstrip(b" ") if is_first else score.data
        if data:
            token = data.decode(errors="replace")
            shown.append({"token": token, "logprob": score.logprob, "bytes": list(data)})
    return {"logprobs": shown}
