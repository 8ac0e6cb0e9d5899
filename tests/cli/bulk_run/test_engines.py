"""Which processes a run has, and which GPU each of them sees."""

from __future__ import annotations

import pytest

from cli.bulk_run.engines import environs
from client.backend.errors import UsageError


@pytest.mark.parametrize(
    ("gpus", "visible", "seen"),
    [
        (0, None, [None]),
        (1, None, [None]),
        (1, "2,3", ["2,3"]),
        (3, None, ["0", "1", "2"]),
        (2, "2,3", ["2", "3"]),
        (2, "GPU-a,GPU-b,GPU-c", ["GPU-a", "GPU-b"]),
    ],
)
def test_each_engine_sees_one_gpu_of_those_that_are_seen(
    gpus: int, visible: str | None, seen: list[str | None]
) -> None:
    environ = {"PATH": "/bin"} | ({"CUDA_VISIBLE_DEVICES": visible} if visible else {})
    found = environs(gpus, environ)
    assert [each.get("CUDA_VISIBLE_DEVICES") for each in found] == seen
    assert all(each["PATH"] == "/bin" for each in found)


def test_more_engines_than_gpus_are_refused() -> None:
    with pytest.raises(UsageError, match="CUDA_VISIBLE_DEVICES names 2"):
        environs(3, {"CUDA_VISIBLE_DEVICES": "2,3"})
