"""The command `detect`: the language of recordings, one after the other."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Mapping
from contextlib import ExitStack

from client.asked import check_text
from client.backend.errors import RecordingError, UsageError
from client.backend.request import STDIN, Recording
from client.batch import reason_of
from client.connecting import server_of
from client.files.recordings import recordings_of, stdin_copy
from client.remote.detection import Detection, detected
from client.remote.model import ask_for_model
from client.remote.requests import Requests
from client.remote.server import Server
from client.terminal.plain_lines import print_error
from client.terminal.wording import shown


def detect(given: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print a line for each; returns the exit status: 1 where one failed.

    Raises:
        UsageError, NoServiceError: nothing can be done.
    """
    server = server_of(given, environ)
    check_text(given.model)
    with ExitStack() as stack:
        is_stdin = STDIN in given.files
        stdin = stack.enter_context(stdin_copy(sys.stdin.buffer)) if is_stdin else None
        recordings = recordings_of(given.files, recursive=given.recursive, stdin=stdin)
        if not recordings:
            raise UsageError(f"there is no audio or video in {', '.join(given.files)}")
        return asyncio.run(_each(server, recordings, given))


async def _each(server: Server, recordings: list[Recording], given: argparse.Namespace) -> int:
    status = 0
    async with Requests(server) as requests:
        await ask_for_model(requests, given.model, _say)
        for recording in recordings:
            try:
                found = await detected(requests, recording, given.model)
            except (RecordingError, OSError) as error:
                status = 1
                reason = reason_of(error)
                print_error(sys.stderr, f"error: {shown(recording.name)}: {shown(reason)}")
                if given.json_lines:
                    _print_json(recording, status="failed", error=reason)
            else:
                _print(recording, found, is_json=given.json_lines)
    return status


def _say(line: str) -> None:
    print(shown(line), file=sys.stderr, flush=True)


def _print(recording: Recording, found: Detection, *, is_json: bool) -> None:
    if is_json:
        _print_json(recording, status="done", **vars(found))
    else:
        code, language = found.code or "-", found.language or "no speech"
        print(f"{code}\t{language}\t{found.probability:.2f}\t{shown(recording.name)}", flush=True)


def _print_json(recording: Recording, **members: object) -> None:
    print(json.dumps({"file": recording.name, **members}), flush=True)
