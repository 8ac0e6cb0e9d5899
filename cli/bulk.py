"""The commands of `bulk`: what they print, and their exit statuses."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from bulk.run import GIBIBYTE, Run, Work
from cli.bulk_run.arguments import (
    kept,
    listing_parser,
    restored,
    retry_parser,
    run_parser,
    status_parser,
)
from cli.commands import Command, dispatch
from client.arguments import parsed
from client.backend.errors import ClientError, NoServiceError, UsageError

DONE, FAILED, USAGE, UNSERVED, INTERRUPTED = 0, 1, 2, 3, 130


def main(arguments: Sequence[str], environ: Mapping[str, str] = os.environ) -> int:
    """Run one of the commands; returns the exit status."""
    commands = {
        "run": Command("transcribe what a manifest names", _told(_run, environ)),
        "make-manifest": Command("list recordings of a folder or a bucket", _told(_list, environ)),
        "status": Command("count what is done, failed and left", _told(_status, environ)),
        "retry": Command("do again what failed and may not again", _told(_retry, environ)),
    }
    return dispatch("whisper-bento bulk", "Transcribe many recordings.", commands, arguments)


_Run = Callable[[Sequence[str], Mapping[str, str]], int]


def _told(run: _Run, environ: Mapping[str, str]) -> Callable[[Sequence[str]], int]:
    """The command, with its errors told in a line."""

    def told(arguments: Sequence[str]) -> int:
        try:
            return _run_told(arguments)
        finally:
            _let_go_of_errors()

    def _run_told(arguments: Sequence[str]) -> int:
        try:
            return run(arguments, environ)
        except ClientError as error:
            _print_error(error)
            match error:
                case UsageError():
                    return USAGE
                case NoServiceError():
                    return UNSERVED
            return FAILED
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return FAILED

    return told


def _run(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    given = parsed(run_parser(), arguments)
    return _through(given, environ)


def _retry(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    from bulk.run_file import read_run

    retry = parsed(retry_parser(), arguments)
    run = read_run(retry.out)
    if run is None:
        raise UsageError(f"{retry.out} has no run of `whisper-bento bulk run`")
    try:
        given = restored(dict(run.arguments), retry)
    except (KeyError, TypeError) as error:
        raise UsageError(f"{retry.out}: its run was not one of this command ({error})") from None
    return _through(given, environ, is_retry=True)


def _through(
    given: argparse.Namespace, environ: Mapping[str, str], *, is_retry: bool = False
) -> int:
    """Do the work; the summary is printed however it ends."""
    from bulk.progress import display_of
    from cli.bulk_run.engines import engine_of

    work = replace(_work(given), is_retry=is_retry)
    is_dumb = environ.get("TERM") == "dumb"
    run = Run(
        work,
        lambda seen: engine_of(given, environ, seen),
        lambda tally: display_of(given.progress, sys.stderr, tally, is_dumb=is_dumb),
    )
    try:
        run.through()
    except KeyboardInterrupt:
        with suppress(OSError):
            print("interrupted; run it again to go on", file=sys.stderr, flush=True)
        _print_json(run.tally.summary())
        return INTERRUPTED
    except ClientError as error:
        if not run.tally.ended:
            raise
        _print_error(error)
        _print_json(run.tally.summary())
        return FAILED
    _print_json(run.tally.summary())
    # Some are left where the manifest has become shorter meanwhile.
    return FAILED if run.tally.failed or run.tally.left else DONE


def _work(given: argparse.Namespace) -> Work:
    from bulk.manifest import Manifest
    from client.asked import request_of
    from client.backend.request import SUBTITLES

    formats = tuple(name for name in SUBTITLES if getattr(given, name))
    host, port = given.metrics_host, given.metrics_port
    return Work(
        manifest=Manifest(given.manifest),
        folder=given.out,
        request=request_of(given, given.task, formats),
        shard=given.shard,
        arguments=kept(given),
        is_forced=given.force,
        scratch=given.scratch,
        disk_bytes=int(given.disk_gib * GIBIBYTE),
        metrics=(host, port) if port is not None else None,
    )


def _status(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    from bulk.rewriting import compact
    from bulk.status import status_of

    given = parsed(status_parser(), arguments)
    found = status_of(given.out)
    if given.compact:
        compact(given.out)
        found = status_of(given.out)
    if given.json:
        _print_json(found)
    else:
        _print_table(found)
    return DONE if found["failed"] == found["left"] == 0 else FAILED


def _list(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    from bulk.listing import save_manifest, uris_below, write_manifest

    given = parsed(listing_parser(), arguments)
    uris = uris_below(given.place)
    if given.out is None:
        count = write_manifest(uris, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    else:
        count = save_manifest(uris, given.out)
    print(f"{count} recordings", file=sys.stderr)
    return DONE if count else FAILED


def _print_table(found: Mapping[str, Any]) -> None:
    from client.terminal.wording import shown

    for name, value in found.items():
        text = json.dumps(value, ensure_ascii=True) if isinstance(value, dict) else str(value)
        print(f"{name.replace('_', ' '):16}{'unknown' if value is None else shown(text)}")


def _print_json(members: Mapping[str, Any]) -> None:
    print(json.dumps(members), flush=True)


def _print_error(error: ClientError) -> None:
    from client.terminal.plain_lines import print_error
    from client.terminal.wording import shown

    with suppress(OSError):
        print_error(sys.stderr, f"error: {shown(str(error))}")


def _let_go_of_errors() -> None:
    """What standard error cannot take, such as a closed terminal's, would be an exit status."""
    try:
        sys.stderr.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
