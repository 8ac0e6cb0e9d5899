"""How long workers are told to keep idle connections."""

from __future__ import annotations

import pytest

from serving.bentoml_patches import KEEP_ALIVE_SECONDS, longer_idle


@pytest.mark.parametrize(("given", "told"), [(None, KEEP_ALIVE_SECONDS), (20, 20), (200, 200)])
def test_what_was_asked_for_goes_before_the_default(given: int | None, told: int) -> None:
    assert longer_idle(given, None) == ["--timeout-keep-alive", str(told)]


def test_other_times_are_handed_on() -> None:
    assert longer_idle(None, 9)[2:] == ["--timeout-graceful-shutdown", "9"]
