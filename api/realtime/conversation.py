"""Client events obeyed: what each does to the session, and the replies to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

from api.errors import ApiError, known_or_internal
from api.realtime.beta import flat_error, nested
from api.realtime.client_events import (
    Append,
    BetaSessionUpdate,
    Clear,
    ClientEvent,
    ClientEventError,
    Commit,
    SessionUpdate,
    parse,
)
from api.realtime.items import Items, new_id
from api.realtime.live import Session
from api.realtime.server_events import (
    Answer,
    Json,
    Narrator,
    View,
    error_event,
    server_event,
)
from api.realtime.session_object import SessionObject
from models.errors import EmptyBufferError, WhisperError
from models.live.events import LiveEvent

_EMPTY = "input_audio_buffer_commit_empty"


class Conversation:
    """One session's side of the protocol, without its socket: an event in, events out.

    `find` has the checkpoint of a model's id. With `is_beta` the client is told everything in the
    beta shape; one that updates its session in it is from then on. Replies go through the live
    session: each has its place among the events of what the client asked for before and after it.
    Nothing here waits.
    """

    def __init__(
        self,
        live: Session,
        session: SessionObject,
        find: Callable[[str], str],
        expires_at: int,
        *,
        is_beta: bool = False,
    ) -> None:
        self._live, self._find = live, find
        self._id, self._expires_at = new_id("sess"), expires_at
        # As of the last message that was obeyed; the client has been told as far as `_narrator` is.
        self._view = View(session, session.live_options(find).model, is_beta)
        self._narrator = Narrator(Items(), self._view)

    @property
    def model(self) -> str | None:
        """The checkpoint that hears the session, as of the last event that was told."""
        return self._narrator.view.model

    def greeting(self) -> list[Json]:
        """The first event."""
        return self._view.shaped([self._session_event("session.created")])

    def obey(self, message: str | bytes) -> None:
        """Do what a client's message says, and reply; what cannot be obeyed changes nothing."""
        event_id = ""
        try:
            event = parse(message)
            event_id = event.event_id
            self._obey(event)
        except ClientEventError as error:
            self._reply(error_event(error, error.event_id))
        except EmptyBufferError as error:
            self._reply(error_event(ApiError(error.message, code=_EMPTY), event_id))
        except WhisperError as error:
            known = known_or_internal(error, "A realtime event")
            self._reply(error_event(known, event_id))

    def tell(self, event: LiveEvent) -> list[Json]:
        """What the client is told of an event of the live session."""
        return self._narrator.tell(event)

    def _obey(self, event: ClientEvent) -> None:
        match event:
            case Append():
                self._live.append(event.data())
            case Commit():
                self._live.commit()
            case Clear():
                self._live.clear()
            case SessionUpdate():
                self._update(self._view.session.updated(event.session))
            case BetaSessionUpdate():
                self._view = replace(self._view, is_beta=True)
                try:
                    self._update(self._view.session.updated(nested(event.session)))
                except ApiError as error:
                    raise flat_error(error) from None
            case _:
                assert_never(event)

    def _update(self, session: SessionObject) -> None:
        options = session.live_options(self._find)
        self._live.configure(options)
        self._view = replace(self._view, session=session, model=options.model)
        self._reply(self._session_event("session.updated"))

    def _session_event(self, kind: str) -> Json:
        return server_event(kind, session=self._view.session.shown(self._id, self._expires_at))

    def _reply(self, event: Json) -> None:
        self._live.reply(Answer(self._view, event))
