"""The `whisper-bento` command; `python -m cli` is the same where nothing is installed.

Each command is imported when it is run, so that help and version need neither PyTorch nor BentoML.
What asks a running server for text is the client's, which is a package of its own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

from api.version import PROJECT_FILE, project_version
from cli.commands import Command, dispatch
from client.__main__ import COMMANDS as CLIENTS_COMMANDS
from client.__main__ import main as run_client
from client.backend.protocol import Backend, Tell
from client.files.media import is_media
from models.errors import WhisperError

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: its own, 1 for an error, 130 when interrupted."""
    given = sys.argv[1:] if arguments is None else arguments
    if not PROJECT_FILE.is_file():
        print("error: installed apart from its checkout: run scripts/setup there", file=sys.stderr)
        return 1
    if _are_recordings(given):
        return _client("transcribe", given)
    try:
        return _dispatched(given)
    except BrokenPipeError:
        # Whoever reads has read enough; Python would complain of it once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (WhisperError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: interrupted; run it again to go on", file=sys.stderr)
        return INTERRUPTED


def _dispatched(given: Sequence[str]) -> int:
    try:
        return dispatch(
            "whisper-bento",
            "Whisper on your own machine, behind OpenAI's audio API.",
            COMMANDS,
            given,
            f"whisper-bento {project_version()}",
        )
    finally:
        # Here, where it can still be told that nobody reads: help ends by an exception.
        print(end="", flush=True)


def _are_recordings(given: Sequence[str]) -> bool:
    """Whether there is no command, but something to transcribe: a file, a folder or `-`.

    A name such as `talk.mp3` is that of a file, whether it is there or not.
    """
    if not given or given[0] in {*COMMANDS, "-h", "--help", "--version"}:
        return False
    if given[0] in ("-", "--"):
        return True
    named = given[1:] if given[0].startswith("-") else given[:1]
    return any(each == "-" or is_media(Path(each)) or Path(each).exists() for each in named)


def _client(name: str, arguments: Sequence[str]) -> int:
    commands = {name: command.summary for name, command in COMMANDS.items()}
    status = run_client([name, *arguments], local=_local, commands=commands)
    if status == INTERRUPTED:
        # What cannot be interrupted, such as a model that is being loaded, is not waited for.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    return status


def _local(
    tell: Tell, *, retries: int, wait_seconds: float | None
) -> AbstractAsyncContextManager[Backend]:
    from cli.local.start import open_local

    return open_local(tell, retries=retries, wait_seconds=wait_seconds)


def _serve(arguments: Sequence[str]) -> int:
    from cli.serve import main as run

    return run(arguments)


def _import(arguments: Sequence[str]) -> int:
    from cli.import_model import main as run

    return run(arguments)


def _models(arguments: Sequence[str]) -> int:
    from cli.models import main as run

    return run(arguments)


def _doctor(arguments: Sequence[str]) -> int:
    from cli.doctor import main as run

    return run(arguments)


def _bench(arguments: Sequence[str]) -> int:
    from cli.bench import main as run

    return run(arguments)


def _compare(arguments: Sequence[str]) -> int:
    from cli.compare import main as run

    return run(arguments)


def _live(arguments: Sequence[str]) -> int:
    from cli.live import main as run

    return run(arguments)


def _bulk(arguments: Sequence[str]) -> int:
    from cli.bulk import main as run

    return run(arguments)


def _containerize(arguments: Sequence[str]) -> int:
    from cli.containerize import main as run

    return run(arguments)


COMMANDS = {
    "serve": Command("start the server, after importing the models that are missing", _serve),
    "import": Command("bring a checkpoint into the model store", _import),
    "models": Command("list, verify, export or delete what was imported", _models),
    "doctor": Command("check whether this machine can serve", _doctor),
    "bench": Command("measure speed, of recordings or of a running server", _bench),
    "live": Command("transcribe the microphone, or a recording, while it is spoken", _live),
    "compare": Command("what differs between this server and another one", _compare),
    "bulk": Command("transcribe a manifest of many recordings, with resume", _bulk),
    "containerize": Command("build a bento's OCI image", _containerize),
    **{
        name: Command(about, partial(_client, name))
        for name, (about, _) in CLIENTS_COMMANDS.items()
    },
}

if __name__ == "__main__":
    sys.exit(main())
