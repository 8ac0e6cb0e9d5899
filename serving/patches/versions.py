"""Version guard of the framework patches: the start ends where a framework has another version.

It also knows those whose private parts are used elsewhere: `models/checkpoints/store.py` (BentoML),
`models/checkpoints/sources/` (openai-whisper), `api/forms/multipart.py` (Starlette) and
`api/middleware/timed_headers.py` (uvicorn).
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version

from bentoml.exceptions import BentoMLException

# The pins of `pyproject.toml`. One moves when every section about it in `docs/upstream.md` has been
# held against the new version's code, and the tests of this room have run with it.
WRITTEN_FOR: Mapping[str, str] = {
    "bentoml": "1.4.40",
    # circus, by the name of the package that BentoML asks for.
    "kantoku": "0.18.3",
    "openai-whisper": "20250625",
    "starlette": "1.10.0",
    "uvicorn": "0.54.0",
}


def check_versions(installed: Callable[[str], str] = version) -> None:
    """Refuse to patch what the patches are not written for; `installed` tells a version.

    To be called before anything is patched.

    Raises:
        BentoMLException: one line with each package, its version, the one it must have, and how to
            get that.
    """
    found = {name: _found(name, installed) for name in WRITTEN_FOR}
    wrong = [name for name in WRITTEN_FOR if found[name] != WRITTEN_FOR[name]]
    if not wrong:
        return
    differences = ", ".join(
        f"{name} is {found[name]} and must be {WRITTEN_FOR[name]}" for name in wrong
    )
    pins = [f"{name}=={WRITTEN_FOR[name]}" for name in wrong]
    command = shlex.join([sys.executable, "-m", "pip", "install", *pins])
    raise BentoMLException(
        f"serving/patches is written for other versions: {differences}. Install with: {command}"
    )


def _found(name: str, installed: Callable[[str], str]) -> str:
    try:
        return installed(name)
    except PackageNotFoundError:
        return "missing"
