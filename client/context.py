"""Context of a command: environment variables, and the factory of the in-process backend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from client.backend.protocol import OpenLocal


@dataclass(frozen=True)
class Context:
    """`environ` has the variables; `local` is None where the client is installed alone.

    `commands` are all of the program, with what each is for.
    """

    environ: Mapping[str, str]
    local: OpenLocal | None = None
    commands: Mapping[str, str] = field(default_factory=dict)
