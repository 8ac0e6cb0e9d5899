"""The `live` command: speak into the microphone, or play a recording, and read along."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.commands import Parser
from models.live.live_options import Delay
from models.units import SAMPLE_RATE

if TYPE_CHECKING:
    from cli.realtime.captions import Captions
    from cli.realtime.client import Connection

HERE = "http://localhost:8000"
KEY = "WHISPER_API_KEY"
DELAYS: tuple[Delay, ...] = ("minimal", "low", "medium", "high", "xhigh")


def main(arguments: Sequence[str], environ: Mapping[str, str] | None = None) -> int:
    """Transcribe; returns the exit status: 0, or 1 where it could not be begun or broke off."""
    given = parser().parse_args(arguments)
    # httpx, PyAV and websockets are imported from here on only.
    from cli.realtime.errors import LiveError
    from cli.realtime.sound import microphones

    try:
        if given.devices:
            print(microphones())
            return 0
        connection = _connection(given, os.environ if environ is None else environ)
        asyncio.run(_transcribe(connection, given, _captions(given)))
    except (LiveError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def parser() -> Parser:
    """What the command takes."""
    found = Parser(
        prog="whisper-bento live",
        description="Transcribe what is being said: the microphone, or a recording played in real "
        "time. On a terminal grey text is not settled yet. Ctrl-C ends it, with the last text.",
        epilog=f"A key is better kept in {KEY} than in the shell's history.",
    )
    found.add_argument("file", metavar="FILE", nargs="?", type=Path, help="instead of a microphone")
    add = found.add_argument
    add("--url", default=HERE, help=f"of the server (default: {HERE})")
    add("--key", help="of the server")
    add("--model", default="whisper-1", help="default: whisper-1, the server's default")
    add("--language", help="spoken (default: each turn's is detected)")
    add("--prompt", help="text that the recording might follow: names, spelling")
    add("--delay", choices=DELAYS, default="medium", help=_DELAY)
    add("--silence", type=int, default=500, metavar="MS", help=_SILENCE)
    add("--speed", type=_speed, default=1.0, metavar="TIMES", help="of FILE (default: 1)")
    add("--device", type=_device, help="the microphone, by number or a part of its name")
    add("--devices", action="store_true", help="list the microphones")
    add("--json", action="store_true", help="print every event, as a line of JSON")
    return found


_DELAY = "how long text waits until it is settled: longer is truer (default: medium)"
_SILENCE = "the pause that ends a turn, in milliseconds (default: 500)"


async def _transcribe(
    connection: Connection, given: argparse.Namespace, captions: Captions
) -> None:
    from cli.realtime.client import transcribe_live

    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def interrupt() -> None:
        """The first time the last turn is ended, the second time the program."""
        stop.set()
        loop.remove_signal_handler(signal.SIGINT)

    # Windows has no such handlers: there Ctrl-C ends the program.
    with suppress(NotImplementedError):
        loop.add_signal_handler(signal.SIGINT, interrupt)
    try:
        await transcribe_live(connection, _sound(given), stop, captions.show)
    finally:
        captions.close()


def _sound(given: argparse.Namespace) -> AsyncIterator[bytes]:
    from cli.realtime.sound import microphone, played

    if given.file:
        return played(given.file, given.speed)
    return microphone(given.device)


def _captions(given: argparse.Namespace) -> Captions:
    from cli.realtime.captions import EventLines, LiveLines, TurnLines

    if given.json:
        return EventLines(sys.stdout)
    return LiveLines(sys.stdout) if sys.stdout.isatty() else TurnLines(sys.stdout)


def _connection(given: argparse.Namespace, environ: Mapping[str, str]) -> Connection:
    """Where to, and what is asked for there.

    Raises:
        LiveError: an argument is malformed, or there is no such file.
    """
    from cli.realtime.client import Connection
    from cli.realtime.errors import LiveError
    from cli.realtime.sound import MICROPHONE_RATE
    from client.remote.address import base_url, checked_key

    if given.file and not given.file.is_file():
        raise LiveError(f"{given.file} is no file")
    rate = SAMPLE_RATE if given.file else MICROPHONE_RATE
    try:
        url, key = base_url(given.url), checked_key(given.key or environ.get(KEY))
    except ValueError as error:
        raise LiveError(str(error)) from None
    return Connection(url, key, given.model, _session(given, rate))


def _session(given: argparse.Namespace, rate: int) -> dict[str, Any]:
    transcription = {
        "model": given.model,
        "language": given.language,
        "prompt": given.prompt,
        "delay": given.delay,
    }
    return {
        "type": "transcription",
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": rate},
                "transcription": {name: each for name, each in transcription.items() if each},
                "turn_detection": {"type": "server_vad", "silence_duration_ms": given.silence},
            }
        },
        "include": ["item.input_audio_transcription.open_text"],
    }


def _speed(text: str) -> float:
    with suppress(ValueError):
        if 0 < (speed := float(text)) <= 100:
            return speed
    raise argparse.ArgumentTypeError(f"{text!r} is not a speed above 0, and 100 at most")


def _device(text: str) -> int | str:
    return int(text) if text.isdecimal() else text
