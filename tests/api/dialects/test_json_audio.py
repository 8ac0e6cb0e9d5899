"""Tests of the scanner of JSON bodies, beside Python's own parser."""

from __future__ import annotations

import base64
import json
import random
from typing import Any

import pytest

from api.dialects.json_audio import AudioScanner

STRINGS = ["", "data", "input_audio", 'a"b', "\\", '\\"', "{[", "]}", ":", "ü😀", "x" * 50, '":"']


def value(made: random.Random, depth: int) -> Any:
    """Some JSON."""
    kind = made.randrange(8 if depth else 4)
    if kind < 2:
        return made.choice(STRINGS)
    if kind < 4:
        return made.choice([None, True, 0, -1.5e-7, 10**12])
    if kind < 6:
        return [value(made, depth - 1) for _ in range(made.randrange(4))]
    return {made.choice(STRINGS): value(made, depth - 1) for _ in range(made.randrange(4))}


def body(made: random.Random, audio: bytes) -> dict[str, Any]:
    """A body with a recording, and other members in any order."""
    inside = {made.choice(STRINGS): value(made, 2) for _ in range(made.randrange(4))}
    inside["data"] = base64.b64encode(audio).decode()
    outside = {made.choice(STRINGS): value(made, 3) for _ in range(made.randrange(5))}
    outside["input_audio"] = dict(made.sample(sorted(inside.items()), len(inside)))
    return dict(made.sample(sorted(outside.items()), len(outside)))


@pytest.mark.parametrize("seed", range(300))
def test_any_json_is_divided_wherever_it_is_cut(seed: int) -> None:
    made = random.Random(seed)
    audio = made.randbytes(made.choice([1, 2, 3, 50, 1_000]))
    expected = body(made, audio)
    layout: dict[str, Any] = made.choice([{}, {"indent": 2}, {"separators": (",", ":")}])
    text = json.dumps(expected, ensure_ascii=made.random() < 0.5, **layout).encode()
    scanner, found, position = AudioScanner(), b"", 0
    while position < len(text):
        size = made.choice([1, 2, 7, 100, 10_000])
        found += scanner.feed(text[position : position + size])
        position += size

    assert (scanner.found, found) == (True, audio)
    expected["input_audio"]["data"] = ""
    assert json.loads(bytes(scanner.rest)) == expected


@pytest.mark.parametrize("seed", range(100))
def test_json_without_a_recording_stays_as_it_is(seed: int) -> None:
    made = random.Random(seed)
    text = json.dumps([value(made, 4)], ensure_ascii=False).encode()
    scanner = AudioScanner()

    assert scanner.feed(text[: len(text) // 2]) + scanner.feed(text[len(text) // 2 :]) == b""
    assert (scanner.found, bytes(scanner.rest)) == (False, text)
