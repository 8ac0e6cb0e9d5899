"""Rows of docs/compatibility.md, as decorators of the tests that hold them."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeVar

Area = Literal[
    "Requests",
    "Responses",
    "Streaming",
    "Background jobs",
    "Live transcription",
    "Models",
    "Errors",
    "Headers and transport",
    "Clients",
    "Azure",
    "Groq",
    "whisper-asr-webservice",
    "whisper.cpp",
    "JSON bodies",
    "Wyoming",
]
Verdict = Literal["same as hosted", "extension", "differs", "as there"]

# Where there are any. Those of live transcription, and of what OpenAI's API does not have, are also
# held without models, and in a browser.
_PACKAGES = (
    "tests.api.jobs",
    "tests.api.realtime",
    "tests.api.routes",
    "tests.api.webhooks",
    "tests.browser",
    "tests.wire",
)

Test = TypeVar("Test", bound=Callable[..., object])


@dataclass(frozen=True)
class Promise:
    """`what` a client may rely on; where it `differs` or is an `extension`, `why` says how.

    In the area of a dialect, `as there` is as the server does whose dialect it is.
    """

    area: Area
    what: str
    verdict: Verdict = "same as hosted"
    why: str = ""


def promises(
    area: Area, what: str, verdict: Verdict = "same as hosted", why: str = ""
) -> Callable[[Test], Test]:
    """Decorates a test with what it holds. A difference has a reason."""
    assert why or verdict != "differs", what

    def decorate(test: Test) -> Test:
        vars(test)["promise"] = Promise(area, what, verdict, why)
        return test

    return decorate


def promised() -> Iterator[Promise]:
    """Every promise of the tests, in the order of packages, files and lines."""
    for package in map(importlib.import_module, _PACKAGES):
        for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda info: info.name):
            if info.name.startswith("test_"):
                module = importlib.import_module(f"{package.__name__}.{info.name}")
                yield from promises_of(vars(module).values())


def promises_of(values: Iterable[object]) -> Iterator[Promise]:
    """The promises among a module's values."""
    for value in values:
        promise = getattr(value, "__dict__", {}).get("promise")
        if isinstance(promise, Promise):
            yield promise
