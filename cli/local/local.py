"""The backend that is the models in this process."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from functools import partial
from typing import BinaryIO, Protocol

from api.forms.parameters import TranscriptionRequest, TranslationRequest
from api.forms.subtitles_request import SubtitlesRequest
from api.requests.admitted import Admitted
from api.requests.model_registry import Transcriber
from api.responses.formats import verbose
from api.responses.progress_events import WorkProgress
from api.responses.streaming import PROGRESS_SECONDS
from api.responses.streaming import Progress as Told
from api.responses.subtitle_file import subtitle_file
from cli.local.parameters import parameters_of
from cli.local.problems import problem_of
from client.backend.errors import ClientError, RecordingError, TryAgainError
from client.backend.events import Event, Finished, Progress
from client.backend.request import SUBTITLES, Format, Recording, Request
from client.backend.transcript import Transcript
from client.remote.plain_formats import plain_format
from client.remote.problems import one_line
from client.remote.retry_policy import RetryPolicy, retried
from client.remote.subtitles import subtitles_body
from models.audio.container.length import estimated_seconds
from models.capacity.admission import Admission
from models.errors import OverloadedError
from models.request_stats import RequestStats
from models.text.transcript import Transcript as ModelTranscript

# Nobody else is refused for what this one user has to transcribe.
_ENDLESS = sys.maxsize


class Models(Protocol):
    """The models that there are."""

    def find(self, model_id: str) -> object:
        """What a model id means; raises `NoServiceError` where that is nothing."""
        ...

    def tag(self, model_id: str) -> str:
        """A name for what a model id means that no other model has; raises as `find`."""
        ...

    async def use(self, model_id: str) -> Transcriber:
        """The transcriber of a model id, which is loaded if it is not; raises as `find`."""
        ...

    def close(self) -> None:
        """Stop them all."""
        ...


class Local:
    """Recordings in flight are windows of one batch, as on a server; files are the same bytes.

    A recording is transcribed as for a client of a server's stream, and its files are written by
    the same code. Made within an event loop, and to be closed there.
    """

    def __init__(
        self, models: Models, *, retries: int = 2, wait_seconds: float | None = None
    ) -> None:
        self._models = models
        self._policy = partial(RetryPolicy, retries, wait_seconds)
        self._running = 0
        self._admission: Admission | None = None

    async def check(self, request: Request) -> None:
        """Read the options as a server does, and load the model.

        Raises:
            UsageError: an option cannot be served.
            NoServiceError: there is no such model, or it cannot be loaded.
        """
        with _problems_told():
            parameters_of(request)
        self._models.find(request.model)
        await self._models.use(request.model)

    async def describe(self, model_id: str) -> tuple[str, int]:
        """What a model id means, by its tag, and how many windows are decoded at once.

        Raises:
            NoServiceError: as `check`.
        """
        transcriber = await self._models.use(model_id)
        return self._models.tag(model_id), transcriber.state().slots

    async def transcribe(
        self, recording: Recording, request: Request
    ) -> AsyncGenerator[Event, None]:
        """The events of a recording, which is tried again where that may help.

        Raises:
            OSError: the file cannot be read.
        """
        attempt = partial(self._attempt, recording, request)
        async with aclosing(retried(attempt, self._policy())) as events:
            async for event in events:
                yield event

    async def written(self, transcript: Transcript, name: Format, request: Request) -> str:
        """The file of this format; subtitles are cut as a server cuts those of a transcript."""
        if name not in SUBTITLES:
            return plain_format(transcript, name)
        with _problems_told():
            return await asyncio.to_thread(_subtitles, transcript, name, request)

    async def close(self) -> None:
        """Stop the models; what they have not done is given up."""
        # A step that is running takes a moment.
        await asyncio.to_thread(self._models.close)

    async def _attempt(self, recording: Recording, request: Request) -> AsyncGenerator[Event, None]:
        with _problems_told():
            parameters = parameters_of(request)
            with recording.path.open("rb") as file:
                if not file.seekable():
                    raise RecordingError("it can be read once only: pipe it to standard input, -")
                transcriber = await self._models.use(request.model)
                with self._counted():
                    async with aclosing(self._work(file, parameters, transcriber)) as events:
                        async for event in events:
                            yield event

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Count what is worked on: where there is nothing else, nothing else makes room."""
        self._running += 1
        try:
            yield
        except OverloadedError as error:
            if self._running == 1:
                raise TryAgainError(one_line(error.message)) from error
            raise
        finally:
            self._running -= 1

    async def _work(
        self, file: BinaryIO, parameters: TranslationRequest, transcriber: Transcriber
    ) -> AsyncGenerator[Event, None]:
        admission = self._admission_of(transcriber)
        stats, told = RequestStats(), Told(PROGRESS_SECONDS)
        with admission.ticket(estimated_seconds(file)) as ticket:
            admitted = Admitted(ticket, transcriber, stats, admission)
            progress = WorkProgress(ticket, admitted.estimate, stats)
            # Only transcriptions are streams, whose language and script are settled as they go.
            on_segment = told.add if isinstance(parameters, TranscriptionRequest) else None
            work = asyncio.create_task(admitted.transcribe(file, parameters.options(), on_segment))
            work.add_done_callback(told.end)
            try:
                yield _event(progress)
                async for segment in told:
                    if segment is None:
                        yield _event(progress)
                transcript = work.result()
            finally:
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)
        yield Finished(Transcript(await asyncio.to_thread(_verbose_json, transcript, parameters)))

    def _admission_of(self, transcriber: Transcriber) -> Admission:
        """The queue of the device, which all models share."""
        if self._admission is None:
            self._admission = Admission(_ENDLESS, transcriber.state().slots)
        return self._admission


@contextmanager
def _problems_told() -> Iterator[None]:
    """Errors of the models become the client's; those of files stay what they are."""
    try:
        yield
    except (ClientError, OSError):
        raise
    except Exception as error:
        raise problem_of(error) from error


def _event(progress: WorkProgress) -> Progress:
    now = progress.event()
    return Progress(now.position, now.audio_seconds_done, now.audio_seconds, now.seconds_left)


def _verbose_json(transcript: ModelTranscript, parameters: TranslationRequest) -> str:
    if isinstance(parameters, TranscriptionRequest):
        shown = parameters.timestamp_granularities
        return verbose(transcript, shown, parameters.include).model_dump_json()
    return verbose(transcript).model_dump_json()


def _subtitles(transcript: Transcript, name: Format, request: Request) -> str:
    body = json.dumps(subtitles_body(transcript, name, request))
    return subtitle_file(SubtitlesRequest.from_body(body.encode()))
