"""One-shot subprocess that imports PyTorch, so that its memory goes with it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from models.errors import DeviceError

R = TypeVar("R")

# The working directory may be any.
_BEGIN = f"import sys; sys.path.insert(0, {str(Path(__file__).parents[3])!r}); "
_SECONDS = 120


def ask_pytorch(program: str, read: Callable[[str], R], question: str = "") -> R:
    """The answer, by `read`, that a Python program prints to a question on its stdin.

    Raises:
        DeviceError: it fails, has no answer after minutes, or one of which nothing can be read.
    """
    try:
        asked = subprocess.run(  # noqa: S603 - our own words
            [sys.executable, "-c", _BEGIN + program],
            input=question,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=True,
        )
        return read(asked.stdout)
    except ValueError:
        raise _failure("it does not answer the question") from None
    except subprocess.TimeoutExpired:
        raise _failure(f"no answer in {_SECONDS} seconds") from None
    except subprocess.CalledProcessError as error:
        *_, last = error.stderr.strip().splitlines() or [f"status {error.returncode}"]
        raise _failure(last) from None


def _failure(reason: str) -> DeviceError:
    return DeviceError(f"PyTorch cannot tell what this machine has: {reason}")
