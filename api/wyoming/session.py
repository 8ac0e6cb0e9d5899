"""One client's connection: its events in their order, and the answers to them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from api.errors import ApiError, known_or_internal
from api.responses.streaming import Deltas
from api.wyoming.framing import Event, EventParser
from api.wyoming.recording import PcmFormat, Recording
from api.wyoming.utterances import Utterance, Utterances, discard, parameters_of
from models.text.transcript import OnSegment, Segment, Transcript

# Within which a client's next event must have come, unless it waits for an answer.
IDLE_SECONDS = 60.0
# How long a client may take to read what it is sent, and how long to see why it is sent away.
SEND_SECONDS, LINGER_SECONDS = 30.0, 2.0
_READ_BYTES = 64 * 1024


@dataclass(frozen=True)
class Offer:
    """What every client is offered.

    `utterances` are there when the models are loaded; `max_seconds` is the longest that one may be.
    """

    info: Event
    max_seconds: int
    utterances: asyncio.Future[Utterances]


class PeerLeft(Exception):  # noqa: N818 - no error
    """The client has gone away, or does not read what it is sent."""


class Session:
    """Answers a client until it leaves, or an error has been sent.

    The client is read all the time, so that its leaving is noticed, and stops the work for it.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, offer: Offer
    ) -> None:
        self._reader, self._writer, self._offer = reader, writer, offer
        self._loop = asyncio.get_running_loop()
        self._patient_until = self._loop.time() + IDLE_SECONDS
        self._parameters = parameters_of({})
        self._recording: Recording | None = None
        self._spoken: Future[Utterance] | None = None
        self.is_answering = False

    async def run(self) -> None:
        """The whole conversation."""
        try:
            async with asyncio.TaskGroup() as self._tasks:
                self._tasks.create_task(self._listen())
        except ExceptionGroup as failed:
            if not failed.subgroup(PeerLeft):
                error = known_or_internal(failed.exceptions[0], "A Wyoming connection")
                await self.send_away(error)
        finally:
            if self._recording:
                self._recording.close()

    async def _listen(self) -> None:
        parser = EventParser()
        try:
            while received := await self._receive():
                for event in parser.feed(received):
                    await self._on(event)
                    self._patient_until = self._loop.time() + IDLE_SECONDS
        except ApiError as error:
            await self._fail(error)
        raise PeerLeft

    async def _fail(self, error: ApiError) -> None:
        """End the conversation with this error, and the request of what is being spoken, if any."""
        spoken, is_begun = self._spoken, self._offer.utterances.done()
        if spoken is None or spoken.done() or not is_begun:
            raise error
        with suppress(InvalidStateError):  # there is another error already
            spoken.set_exception(error)
        # It is raised where the transcript is waited for.
        await self._loop.create_future()

    async def _receive(self) -> bytes:
        """The next bytes; none at the client's end."""
        while True:
            patience = asyncio.timeout_at(self._patient_until)
            try:
                async with patience:
                    return await self._reader.read(_READ_BYTES)
            except OSError:
                # A connection may time out, too, and does so again at every read.
                if not patience.expired():
                    raise PeerLeft from None
            if not self.is_answering:
                message = f"No event came for {IDLE_SECONDS:g} seconds."
                raise ApiError(message, status=408, code="timeout")
            self._patient_until = self._loop.time() + IDLE_SECONDS

    async def _on(self, event: Event) -> None:
        match event.type:
            case "describe":
                await self._say(self._offer.info)
            case "ping":
                text = event.data.get("text")
                await self._say(Event("pong", {"text": text} if isinstance(text, str) else {}))
            case "transcribe":
                self._refuse_while_answering()
                self._parameters = parameters_of(event.data)
            case "audio-start":
                self._begin(event.data)
            case "audio-chunk":
                self._add(event)
            case "audio-stop":
                self._end()

    def _begin(self, data: Mapping[str, Any]) -> Recording:
        self._refuse_while_answering()
        if self._recording:
            raise _out_of_order("audio-start came before the audio-stop of what went before.")
        self._recording = Recording(PcmFormat.from_data(data), self._offer.max_seconds)
        self._spoken = Future()
        self._tasks.create_task(self._answer(self._spoken))
        return self._recording

    def _add(self, event: Event) -> None:
        recording = self._recording or self._begin(event.data)
        known = vars(recording.pcm)
        if PcmFormat.from_data({**known, **event.data}) != recording.pcm:
            raise _out_of_order("The audio has another format than at its start.")
        recording.add(event.payload)

    def _end(self) -> None:
        if not self._recording or not self._spoken:
            raise _out_of_order("audio-stop came without audio-start.")
        self._recording.finish()
        utterance = Utterance(self._recording, self._parameters)
        self.is_answering = True
        # It is given up already, and why is about to be said.
        with suppress(InvalidStateError):
            self._spoken.set_result(utterance)
            self._recording = None

    def _refuse_while_answering(self) -> None:
        if self.is_answering:
            raise _out_of_order("The last utterance is not answered yet.")

    async def _answer(self, spoken: Future[Utterance]) -> None:
        try:
            # Shielded: other clients wait for the same.
            utterances = await asyncio.shield(self._offer.utterances)
        except asyncio.CancelledError:
            discard(spoken)
            raise
        segments: asyncio.Queue[Segment | None] = asyncio.Queue()
        work = asyncio.wrap_future(utterances.submit(spoken, self._into(segments)))
        work.add_done_callback(lambda _: segments.put_nowait(None))
        try:
            unsent = await self._stream(segments)
            await self._say(*unsent, *_last_events(await work))
        finally:
            work.cancel()
        self._parameters, self.is_answering = parameters_of({}), False
        self._patient_until = self._loop.time() + IDLE_SECONDS

    def _into(self, segments: asyncio.Queue[Segment | None]) -> OnSegment:
        """What takes a segment in the models' loop to the queue in this one."""

        def put(segment: Segment) -> None:
            # Where this loop has ended nobody waits for it.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(segments.put_nowait, segment)

        return put

    async def _stream(self, segments: asyncio.Queue[Segment | None]) -> list[Event]:
        """Send each segment as it comes, until the work is done; returns what is still to send."""
        deltas, unsent = Deltas(), [self._first_event()]
        while segment := await segments.get():
            if text := deltas.of(segment.text):
                await self._say(*unsent, Event("transcript-chunk", {"text": text}))
                unsent = []
        return unsent

    def _first_event(self) -> Event:
        language = self._parameters.language
        return Event("transcript-start", {"language": language.code} if language else {})

    async def _say(self, *events: Event) -> None:
        self._writer.write(b"".join(event.to_bytes() for event in events))
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._writer.drain()
        except OSError:  # a timeout is one, too
            raise PeerLeft from None

    async def send_away(self, error: ApiError) -> None:
        """Say why, and see to it that the client can read it though it may still be sending."""
        with suppress(PeerLeft, OSError):
            await self._say(
                Event("error", {"text": error.message, "code": error.code or error.type})
            )
            self._writer.write_eof()
            async with asyncio.timeout(LINGER_SECONDS):
                while await self._reader.read(_READ_BYTES):
                    pass


def _last_events(transcript: Transcript) -> tuple[Event, ...]:
    """The whole text, which is all that most clients read, and the end of the stream."""
    language = {"language": transcript.language} if transcript.language else {}
    return Event("transcript", {"text": transcript.text, **language}), Event("transcript-stop")


def _out_of_order(message: str) -> ApiError:
    return ApiError(message, code="out_of_order")
