"""Model files for the peers, and random weights that decode a fixed number of tokens."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from whisper.tokenizer import get_tokenizer

from models.audio.mel import LogMel
from models.checkpoints.catalogue import Dimensions, find_checkpoint
from models.engine.decoding.sequence import Window
from models.engine.device.engine_config import EngineConfig
from models.engine.start import start_engine
from scripts.bench.peer_files.random_weights import random_weights
from scripts.bench.peer_files.tokenizer_file import tokenizer_json, vocabulary_json
from scripts.bench.peer_files.weights import write_files
from scripts.bench.worker import Worker
from scripts.shared.manifest import Clip
from scripts.shared.run_config import RunConfig
from tests.speech_clips import jfk

TEXTS = ["And so, my fellow Americans", " naïve 你好 don't", "1234\n\n  x"]


def dimensions(name: str) -> Dimensions:
    checkpoint = find_checkpoint(name)
    assert checkpoint is not None
    return checkpoint.dims


@pytest.mark.skipif(find_spec("tokenizers") is None, reason="the bench extra is missing")
@pytest.mark.parametrize("name", ["tiny", "tiny.en"])
def test_tokenizer_json_encodes_and_decodes_as_whisper(name: str) -> None:
    import tokenizers

    dims = dimensions(name)
    theirs: Any = tokenizers.Tokenizer.from_str(tokenizer_json(dims))
    ours: Any = get_tokenizer(dims.is_multilingual, num_languages=dims.num_languages)
    for text in TEXTS:
        tokens = ours.encode(text)
        assert theirs.encode(text).ids == tokens
        assert theirs.decode(tokens) == text
    assert theirs.token_to_id("<|endoftext|>") == ours.eot


@pytest.mark.parametrize("name", ["tiny", "tiny.en", "large-v3"])
def test_vocabulary_json_has_every_token_once(name: str) -> None:
    dims = dimensions(name)
    names = json.loads(vocabulary_json(dims))
    assert len(set(names)) == len(names) == dims.n_vocab
    assert names[220] == "Ġ"
    assert "<|30.00|>" in names


@pytest.mark.parametrize("tokens", [2, 7, 100])
def test_random_weights_decode_exactly_so_many_tokens(tokens: int) -> None:
    dims = replace(dimensions("tiny"), n_audio_layer=1, n_text_layer=1)
    weights = random_weights(dims, tokens)
    engine = start_engine(weights, EngineConfig(device="cpu", dtype="float32"))
    noise = np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)
    window = Window(request="random", audio=LogMel(noise, dims.n_mels).window(0), language="en")
    result = engine.submit(window).result(60)
    engine.close()
    assert len(result.tokens) == tokens - 1  # end-of-text is the last
    timestamps = [t for t in result.tokens if t >= engine.vocabulary.timestamp_begin]
    assert timestamps == [result.tokens[0]]


@pytest.mark.parametrize("tokens", [1, 225])
def test_random_weights_refuse_what_cannot_be(tokens: int) -> None:
    with pytest.raises(ValueError, match=r"2\.\.224"):
        random_weights(dimensions("tiny"), tokens)


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("faster-whisper-batched", "faster_whisper"),
        ("openai-whisper", "whisper"),
        ("whisper.cpp", "pywhispercpp"),
    ],
)
def test_peer_reads_the_stored_weights(
    name: str, package: str, weights: Any, tmp_path: Path
) -> None:
    if find_spec(package) is None:
        pytest.skip("the bench extra is missing")
    weights("tiny.en")
    setup = RunConfig("tiny.en", threads=2, device="cpu")
    setup = replace(setup, files=write_files(setup, [name], tmp_path).get(name))
    with Worker(name, setup, 120.0) as worker:
        worker.ready()
        clip = jfk()
        done = worker.transcribe([Clip(clip.path, clip.text, "en", clip.seconds)])
    assert "ask what you can do for your country" in done.texts[0]
