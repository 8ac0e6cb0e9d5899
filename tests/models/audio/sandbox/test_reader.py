"""The sandbox: the same samples as in this process, and whatever happens to a child stays there."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import psutil
import pytest

from models.audio.load.load_audio import load
from models.audio.sandbox.reader import SEND_SAMPLES, Sandbox
from models.audio.sandbox.rlimits import Limits
from models.errors import AudioError, SandboxError
from models.units import SAMPLE_RATE
from tests.models.audio.load.test_load_audio import tone, wav
from tests.speech_clips import BROKEN, FORMATS, jfk
from tests.transcribing import recording

# Beyond which it hangs.
SECONDS = 120
WORKS = "tests.models.audio.sandbox.works"


class Watched(Sandbox):
    """A sandbox whose processes the test sees."""

    def __init__(self, limits: Limits | None = None, work: str = SEND_SAMPLES) -> None:
        super().__init__(limits, work)
        before = set(psutil.Process().children())
        self.prepare()
        (self.template,) = set(psutil.Process().children()) - before

    def child(self) -> psutil.Process:
        """The one at work, once there is one."""
        deadline = time.monotonic() + SECONDS
        while not (children := self.template.children()):
            assert time.monotonic() < deadline
            time.sleep(0.001)
        return cast("psutil.Process", children[0])


@contextmanager
def sandbox(limits: Limits | None = None, work: str = SEND_SAMPLES) -> Iterator[Watched]:
    """A sandbox that leaves neither a process nor a descriptor behind, nor does any request."""
    descriptors = psutil.Process().num_fds()
    box = Watched(limits, work)
    yield box
    if box.template.is_running():
        assert box.template.children() == []
    box.close()
    assert not box.template.is_running()
    assert psutil.Process().num_fds() == descriptors


@pytest.fixture(scope="module")
def plain() -> Iterator[Watched]:
    with sandbox() as box:
        yield box


def samples(box: Sandbox, source: BinaryIO | Path) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.concatenate(list(box.read(source)))


def wait_until_gone(pids: list[int]) -> None:
    """Orphans are reaped by the system, some time."""
    deadline = time.monotonic() + SECONDS
    while any(map(psutil.pid_exists, pids)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [pid for pid in pids if psutil.pid_exists(pid)] == []


@pytest.mark.parametrize(
    "path", [jfk().path, *sorted(FORMATS.iterdir())], ids=lambda path: path.name
)
def test_samples_are_those_of_the_plain_reader(plain: Watched, path: Path) -> None:
    np.testing.assert_array_equal(samples(plain, path), load(path))


def spooled(data: bytes, size: int) -> BinaryIO:
    file = cast("BinaryIO", tempfile.SpooledTemporaryFile(max_size=size))  # noqa: SIM115
    file.write(data)
    return file


@pytest.mark.parametrize(
    "opened",
    [
        io.BytesIO,
        lambda data: spooled(data, 10_000_000),
        lambda data: spooled(data, 10),
        lambda data: jfk().path.open("rb"),
    ],
    ids=["in memory", "spooled in memory", "spooled on disk", "file"],
)
def test_any_kind_of_file_is_read_from_its_beginning_more_than_once(
    plain: Watched, opened: Callable[[bytes], BinaryIO]
) -> None:
    expected = load(jfk().path)
    with opened(jfk().path.read_bytes()) as file:
        file.seek(1000)
        np.testing.assert_array_equal(samples(plain, file), expected)
        np.testing.assert_array_equal(samples(plain, file), expected)


@pytest.mark.parametrize("second", ["silence", "noise", "inverted", "voice"])
@pytest.mark.parametrize("channels", [2, 6])
def test_channels_are_mixed_as_by_the_plain_reader(
    plain: Watched, second: str, channels: int
) -> None:
    voice = load(jfk().path)
    noise = np.random.default_rng(0).normal(0, 0.1, len(voice)).astype(np.float32)
    other = {"silence": 0 * voice, "noise": noise, "inverted": -voice, "voice": voice[::-1]}
    every = np.stack([voice, other[second], *[0 * voice] * (channels - 2)], axis=1)
    content = wav((every.clip(-1, 1) * 32767).astype(np.int16))

    found = np.concatenate(list(plain.read(io.BytesIO(content))))

    assert np.array_equal(found, load(io.BytesIO(content)))


def test_file_in_memory_is_not_written_to_disk(plain: Watched) -> None:
    with spooled(jfk().path.read_bytes(), 10_000_000) as file:
        samples(plain, file)

        assert file.name is None


def test_two_passes_over_one_file_do_not_disturb_each_other(plain: Watched) -> None:
    expected = load(jfk().path)
    with jfk().path.open("rb") as file, ThreadPoolExecutor(4) as threads:
        found = [threads.submit(samples, plain, file) for _ in range(12)]

    for each in found:
        np.testing.assert_array_equal(each.result(), expected)


@pytest.mark.parametrize("name", ["empty.wav", "text.mp3", "truncated.mp3", "not-audio.wav"])
def test_errors_are_those_of_the_plain_reader(plain: Watched, name: str) -> None:
    with pytest.raises(AudioError) as expected:
        load(BROKEN / name)
    with pytest.raises(AudioError) as found:
        samples(plain, BROKEN / name)

    assert found.value.message == expected.value.message


def test_missing_path_is_an_os_error(plain: Watched, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        samples(plain, tmp_path / "nothing.wav")


def test_child_is_ahead_by_no_more_than_a_pipe_holds(plain: Watched) -> None:
    pieces = plain.read(recording(600))
    next(pieces)
    child = plain.child()
    used = -1.0
    while used < (used := sum(child.cpu_times())):
        time.sleep(0.2)
    child.kill()

    held: list[int] = []
    with pytest.raises(SandboxError):
        held.extend(map(len, pieces))

    assert sum(held) < 60 * SAMPLE_RATE


def descriptors_at_rest(process: psutil.Process) -> int:
    """How many it keeps, once the children that it has killed are reaped."""
    deadline = time.monotonic() + SECONDS
    while process.children() and time.monotonic() < deadline:
        time.sleep(0.01)
    counts: list[int] = [0, process.num_fds()]
    while counts[-2] != counts[-1] and time.monotonic() < deadline:
        time.sleep(0.2)
        counts.append(process.num_fds())
    return counts[-1]


def test_requests_leave_no_descriptor_with_the_template(plain: Watched) -> None:
    samples(plain, jfk().path)
    before = descriptors_at_rest(plain.template)
    for _ in range(20):
        samples(plain, jfk().path)
        with closing(plain.read(jfk().path)) as pieces:
            next(pieces)
        with pytest.raises(AudioError):
            samples(plain, BROKEN / "text.mp3")

    assert descriptors_at_rest(plain.template) == before


def test_early_end_kills_and_reaps_the_child_at_once(plain: Watched) -> None:
    pieces = plain.read(recording(600))
    next(pieces)
    child = plain.child()

    pieces.close()

    assert not child.is_running()


@pytest.mark.parametrize("begun", [False, True])
def test_killed_child_is_an_error_of_its_request_alone(plain: Watched, begun: bool) -> None:
    killed, other = plain.read(recording(600)), plain.read(recording(60))
    next(killed)
    plain.child().kill()
    if begun:
        next(other)

    with pytest.raises(SandboxError, match="send the request again"):
        list(killed)
    assert sum(map(len, other)) > 0
    assert len(samples(plain, jfk().path)) == 176_000


def test_killed_template_ends_its_children_and_is_replaced() -> None:
    with sandbox() as box:
        pieces = box.read(recording(600))
        next(pieces)
        child = box.child()
        box.template.kill()

        with pytest.raises(SandboxError):
            list(pieces)
        assert len(samples(box, jfk().path)) == 176_000
        wait_until_gone([child.pid])


def test_stopped_template_is_replaced() -> None:
    with sandbox(Limits(patience_seconds=5)) as box:
        box.template.suspend()

        with pytest.raises(AudioError):
            samples(box, jfk().path)
        assert len(samples(box, jfk().path)) == 176_000


def test_child_that_says_nothing_is_given_up() -> None:
    with (
        sandbox(Limits(patience_seconds=0.5), f"{WORKS}:sleep") as box,
        pytest.raises(AudioError, match="too much time"),
    ):
        samples(box, jfk().path)


def test_child_that_takes_too_much_cpu_time_is_ended() -> None:
    with (
        sandbox(Limits(cpu_seconds=1), f"{WORKS}:talk") as box,
        pytest.raises(AudioError, match="too much time"),
    ):
        for _ in box.read(jfk().path):
            pass


def test_file_that_takes_too_much_memory_is_refused() -> None:
    heavy = io.BytesIO(wav(tone(768_000, 24), 768_000))
    with (
        sandbox(Limits(memory_bytes=32 << 20)) as box,
        pytest.raises(AudioError, match="too much memory"),
    ):
        samples(box, heavy)


def test_crashed_decoder_is_an_error_of_the_file() -> None:
    with (
        sandbox(work=f"{WORKS}:crash") as box,
        pytest.raises(AudioError, match="its decoder failed"),
    ):
        samples(box, jfk().path)


def test_template_ends_with_the_process_that_started_it() -> None:
    program = "\n".join(
        [
            "import os, pathlib, psutil, signal",
            "from models.audio.sandbox.reader import Sandbox",
            f"pieces = Sandbox(work='{WORKS}:talk').read(pathlib.Path({str(jfk().path)!r}))",
            "next(pieces)",
            "children = psutil.Process().children(recursive=True)",
            "print(*[child.pid for child in children], flush=True)",
            "os.kill(os.getpid(), signal.SIGKILL)",
        ]
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    pids = list(map(int, done.stdout.split()))

    assert done.returncode == -signal.SIGKILL
    assert len(pids) == 2
    wait_until_gone(pids)
