"""Handle of a competitor's process, in the benchmark."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from scripts.shared.errors import BenchError
from scripts.shared.manifest import Clip
from scripts.shared.run_config import Recording, RunConfig

_PROJECT = Path(__file__).parents[2]
_END_SECONDS = 10.0


@dataclass(frozen=True)
class Pass:
    """One time through the audio: wall and CPU seconds, peak memory in bytes, the texts."""

    seconds: float
    cpu_seconds: float
    peak_memory: int
    texts: list[str]


class Worker:
    """A competitor's process; used as a context it is ended with the block."""

    def __init__(self, name: str, setup: RunConfig, time_limit: float) -> None:
        self.name, self.time_limit = name, time_limit
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the process
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "scripts.bench.competitor", name, setup.to_json()],
            cwd=_PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._output,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def ready(self) -> dict[str, Any]:
        """Wait until the model is loaded; what the competitor says of itself.

        Raises:
            BenchError: it is not installed, failed, or took longer than the time limit.
        """
        return self._answer()

    def transcribe(self, clips: Sequence[Clip]) -> Pass:
        """Let it transcribe these clips.

        Raises:
            BenchError: it failed or took longer than the time limit.
        """
        recordings = [asdict(Recording(str(clip.path.resolve()), clip.language)) for clip in clips]
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(recordings) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise BenchError(f"{self.name} has ended: {self._last_words()}") from error
        return Pass(**self._answer())

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):  # it may have ended by itself
            self._process.stdin.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._output.close()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        late = threading.Event()

        def end() -> None:
            late.set()
            self._process.kill()

        timer = threading.Timer(self.time_limit, end)
        timer.start()
        try:
            line = self._process.stdout.readline()
        finally:
            timer.cancel()
        if late.is_set():
            raise BenchError(f"{self.name} took longer than {self.time_limit:g} s")
        if not line:
            raise BenchError(f"{self.name} has failed: {self._last_words()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise BenchError(str(answer["error"]))
        return answer

    def _last_words(self) -> str:
        self._process.wait(_END_SECONDS)
        self._output.seek(0)
        lines = self._output.read().decode(errors="replace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), "no reason given")
