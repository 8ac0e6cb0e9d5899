"""Models that come and go on a running server."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from statistics import median

import httpx
import psutil
import pytest

from models.checkpoints import store
from models.checkpoints.weights import Weights
from tests.operation.processes import LONGEST_SECONDS as SECONDS
from tests.operation.processes import eventually, workers
from tests.process_tree import memory
from tests.server import Server, failing_start, serving
from tests.speech_clips import jfk

# Seconds that a model which is loading may keep the requests for others, and how many times longer
# than usual these take beside it.
LONGEST_BLOCK, SLOWER = 1.0, 4
PATHS = ("/v1/audio/transcriptions", "/v1/audio/translations", "/v1/audio/detect-language")


@pytest.fixture(scope="module")
def home(weights: Callable[[str], Weights], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BentoML home of its own, with `tiny.en` and `base`."""
    home = tmp_path_factory.mktemp("models") / "home"
    for name in ("tiny.en", "base"):
        weights(name)
        checkpoint = store.find(name)
        assert checkpoint is not None
        shutil.copytree(checkpoint.path.parent, home / "models" / checkpoint.path.parent.name)
    return home


@pytest.fixture(scope="module")
def running(home: Path) -> Iterator[Server]:
    """`tiny.en` is loaded at start, `base` on demand; it is unloaded soon."""
    with serving(
        home / "output.txt",
        BENTOML_HOME=str(home),
        WHISPER_DEFAULT_MODEL="tiny.en",
        WHISPER_ON_DEMAND="all",
        WHISPER_IDLE_SECONDS="1",
    ) as running:
        yield running


@pytest.fixture
def server(running: Server) -> Server:
    """The same, without what another test has had loaded."""
    wait_until_loaded(running, "tiny.en")
    return running


def ask(server: Server, model: str, path: str = PATHS[0], **fields: str) -> httpx.Response:
    with jfk().path.open("rb") as file:
        form = {"model": model, **fields}
        return httpx.post(f"{server.url}{path}", files={"file": file}, data=form, timeout=SECONDS)


def ask_first(server: Server, model: str, path: str = PATHS[0], **fields: str) -> httpx.Response:
    """Ask for a model that may take long to load, as clients do: again when told to."""
    deadline = time.monotonic() + SECONDS
    while True:
        answer = ask(server, model, path, **fields)
        if "is loading" not in answer.text or time.monotonic() > deadline:
            return answer
        assert answer.status_code == 503
        time.sleep(int(answer.headers["retry-after"]))


def loaded(server: Server) -> list[str]:
    health = httpx.get(f"{server.url}/health", timeout=SECONDS).json()
    return sorted(model["name"] for model in health["loaded"])


def wait_until_loaded(server: Server, *names: str) -> None:
    assert eventually(lambda: loaded(server) == sorted(names)), f"still {loaded(server)}"


def loads(server: Server) -> int:
    """How many times `base` has been loaded."""
    return len(re.findall(r"whisper-base:\w+ on ", server.printed))


def test_model_is_listed_always_loaded_when_asked_for_and_unloaded_when_idle(
    server: Server,
) -> None:
    def listed() -> set[str]:
        answer = httpx.get(f"{server.url}/v1/models", timeout=SECONDS)
        return {model["id"] for model in answer.json()["data"]}

    assert {"tiny.en", "base", "whisper-base"} <= listed()
    before = loads(server)
    for number, path in enumerate(PATHS, 1):
        assert ask_first(server, "base", path).status_code == 200
        assert loads(server) == before + number
        wait_until_loaded(server, "tiny.en")
    streamed = ask_first(server, "base", stream="true")
    assert "transcript.text.done" in streamed.text
    assert loads(server) == before + len(PATHS) + 1
    wait_until_loaded(server, "tiny.en")
    assert ask_first(server, "base", "/transcribe").status_code == 200
    assert {"tiny.en", "base", "whisper-base"} <= listed()


def timed(server: Server, model: str) -> float:
    """Seconds until a recording is answered."""
    began = time.monotonic()
    assert ask(server, model).status_code == 200
    return time.monotonic() - began


def test_first_requests_at_once_load_once_and_others_are_served_meanwhile(server: Server) -> None:
    before = loads(server)
    usual = median(timed(server, "tiny.en") for _ in range(5))
    with ThreadPoolExecutor() as threads:
        first = [threads.submit(ask_first, server, "base") for _ in range(3)]
        meanwhile: list[float] = []
        while "base" not in loaded(server) and not any(request.done() for request in first):
            meanwhile.append(timed(server, "tiny.en"))
        answers = [request.result(SECONDS) for request in first]

    assert [answer.status_code for answer in answers] == [200] * 3
    # To the comma they may differ: the order of sums is that of the threads that were free.
    assert all("what you can do for your country" in answer.text for answer in answers)
    # The last one may share the cores with the recordings for `base`.
    assert len(meanwhile) > 1
    assert max(meanwhile[:-1]) < SLOWER * usual + LONGEST_BLOCK
    assert loads(server) == before + 1


def test_memory_of_an_unloaded_model_goes_back_to_the_system(server: Server) -> None:
    def cycle() -> tuple[int, int]:
        with ThreadPoolExecutor() as pool:
            asked, full = pool.submit(ask_first, server, "base"), 0
            # It is unloaded soon: its memory is looked at while it is used.
            while not asked.done():
                full = max(full, memory(server.process.pid))
                time.sleep(0.1)
        assert asked.result().status_code == 200
        wait_until_loaded(server, "tiny.en")
        return full, after_the_fall(server, full)

    cycles = [cycle() for _ in range(4)]

    model = min(full - empty for full, empty in cycles)
    # What leaks does so each time; a heap in pieces grows now and then.
    assert min(later - before for (_, before), (_, later) in pairwise(cycles[1:])) < 0.05 * model


def after_the_fall(server: Server, full: int) -> int:
    """The memory that is left: `loaded` says so a moment before a model's has gone."""
    process = server.process.pid
    assert eventually(lambda: full - memory(process) > 150 * 2**20)
    before, now = full, memory(process)
    while now < before:
        time.sleep(0.2)
        before, now = now, memory(process)
    return now


def test_deleted_model_fails_alone_and_is_served_again_once_it_is_back(
    server: Server, home: Path
) -> None:
    models = home / "models" / "whisper-base"
    models.rename(home / "elsewhere")
    refused = [ask(server, "base", path) for path in (*PATHS, "/transcribe")]
    streamed = ask(server, "base", stream="true")

    for answer in (*refused, streamed):
        assert answer.status_code == 503
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        error = answer.json()["error"]
        assert error["message"] == "The model 'base' could not be loaded."
        assert error["type"] == "server_error"
        assert str(home) not in answer.text
    assert ask(server, "tiny.en").status_code == 200

    (home / "elsewhere").rename(models)
    assert ask_first(server, "base").status_code == 200


def test_damaged_model_is_refused(server: Server, home: Path) -> None:
    (weights,) = (home / "models" / "whisper-base").glob("*/model.safetensors")
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    try:
        assert ask(server, "base").status_code == 503
    finally:
        weights.write_bytes(content)
    assert eventually(lambda: "not what its SHA-256 says" in server.printed)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"WHISPER_MEMORY_MIB": "50"}, "tiny.en need"),
        ({"WHISPER_MEMORY_MIB": "200", "WHISPER_ON_DEMAND": "base"}, "and base"),
    ],
)
def test_start_with_a_budget_no_model_fits_is_one_line(
    home: Path, settings: dict[str, str], said: str
) -> None:
    status, printed = failing_start(
        (),
        BENTOML_HOME=str(home),
        WHISPER_DEFAULT_MODEL="tiny.en",
        WHISPER_DEVICE="cpu",
        WHISPER_DTYPE="float32",
        **settings,
    )

    assert status == 1
    assert "WHISPER_MEMORY_MIB=" in printed
    assert said in printed
    assert "Traceback" not in printed


def test_parent_that_checks_devices_and_budget_does_without_pytorch(home: Path) -> None:
    with serving(
        home / "parent.txt",
        BENTOML_HOME=str(home),
        WHISPER_DEFAULT_MODEL="tiny.en",
        WHISPER_DEVICE="cpu",
        WHISPER_DTYPE="float32",
        WHISPER_MEMORY_MIB="4000",
    ) as server:
        [worker] = workers(server)
        parent = psutil.Process(server.process.pid)
        assert [_has_pytorch(each) for each in (parent, worker)] == [False, True]


def _has_pytorch(process: psutil.Process) -> bool:
    return any("libtorch" in each.path for each in process.memory_maps())
