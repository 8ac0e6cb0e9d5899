"""The commands `transcribe`, `translate` and `watch`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack

from client.asked import formats_of, request_of, task_of, with_probabilities
from client.backend.errors import UsageError
from client.backend.request import STDIN, Format, Recording, Request
from client.background import submit
from client.batch import Printed, Work
from client.connecting import backend_of
from client.context import Context
from client.files.archive import Archive
from client.files.outputs import Outputs
from client.files.recordings import is_readable, recordings_of, stdin_copy
from client.run import Run
from client.terminal.choice import shows_colors
from client.watch import arriving


def transcribe(given: argparse.Namespace, command: str, context: Context) -> int:
    """Work on the recordings that are named; returns the exit status.

    Raises:
        UsageError: wrong usage.
        NoServiceError: nothing could be done.
    """
    with ExitStack() as stack:
        is_stdin = STDIN in given.files
        stdin = stack.enter_context(stdin_copy(sys.stdin.buffer)) if is_stdin else None
        recordings = recordings_of(given.files, recursive=given.recursive, stdin=stdin)
        if not recordings:
            raise UsageError(f"there is no audio or video in {', '.join(given.files)}")
        task = task_of(given, command)
        if given.background:
            asked = request_of(given, task, ())
            return submit(given, recordings, asked, context.environ)
        backend = backend_of(given, context)
        printed, formats = destination(given, recordings)
        outputs = Outputs(formats, given.output_dir)
        outputs.know(recordings)
        outputs.check(recordings)
        request = request_of(given, task, asked_formats(printed, formats))
        if given.colors and printed == "text" and shows_colors(sys.stdout, context.environ):
            printed, request = "colored", with_probabilities(request)
        work = _work(given, request, outputs, printed)
        run = Run(backend, work, given, context.environ, len(recordings))
        # What is done or cannot be read needs no backend, nor a model that takes long to load.
        is_asked = any(is_readable(each.path) and not work.is_done(each) for each in recordings)
        return run.through(each_of(recordings), is_asked=is_asked)


def watch(given: argparse.Namespace, context: Context) -> int:
    """Work on what is in a folder, and on what comes there, until it is interrupted.

    Raises:
        UsageError, NoServiceError: as for `transcribe`.
    """
    if not given.folder.is_dir():
        raise UsageError(f"there is no folder {given.folder}")
    backend = backend_of(given, context, is_awaited=True)
    formats = _files_formats(given)
    outputs = Outputs(formats, given.output_dir)
    work = _work(given, request_of(given, task_of(given, "transcribe"), formats), outputs, None)
    run = Run(backend, work, given, context.environ, None)
    return run.through(arriving(given.folder, outputs.know, recursive=given.recursive))


def destination(
    given: argparse.Namespace, recordings: Sequence[Recording]
) -> tuple[Printed | None, tuple[Format, ...]]:
    """What is printed, and the formats of the files.

    A single file's text is printed where nothing is said; and so is what comes of standard input,
    which has no place beside it.

    Raises:
        UsageError: files of standard input, without a folder.
    """
    formats = formats_of(given.output_format)
    if given.json_lines and not formats and given.output_dir is None:
        return None, ()
    if given.output_dir is not None:
        return None, formats or ("txt",)
    is_lone = [each.name for each in recordings] == given.files
    if is_lone and not formats and len(recordings) == 1:
        return "text", ()
    if not any(each.is_stdin for each in recordings):
        return None, formats or ("txt",)
    if len(recordings) == len(formats) == 1 and not given.json_lines:
        return formats[0], ()
    raise UsageError("files of standard input need a folder: --output_dir")


def asked_formats(printed: Printed | None, formats: tuple[Format, ...]) -> tuple[Format, ...]:
    """The formats that are made: those of the files, or what is printed."""
    match printed:
        case None | "text" | "colored":
            return formats
        case name:
            return (name,)


def _files_formats(given: argparse.Namespace) -> tuple[Format, ...]:
    formats = formats_of(given.output_format)
    is_told = given.json_lines and given.output_dir is None
    return formats if formats or is_told else ("txt",)


def _work(
    given: argparse.Namespace, request: Request, outputs: Outputs, printed: Printed | None
) -> Work:
    try:
        archive = Archive(given.archive) if given.archive else None
    except OSError as error:
        raise UsageError(f"the archive {given.archive} cannot be read: {error.strerror}") from None
    return Work(request, outputs.of, printed, given.jobs, given.overwrite, archive)


async def each_of(recordings: Sequence[Recording]) -> AsyncIterator[Recording]:
    """The recordings, as they are worked on."""
    for recording in recordings:
        yield recording
