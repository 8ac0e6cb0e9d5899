"""Markers are set by rule, and a test that starts a server without one fails."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
pytest_plugins = ["pytester"]

INI = "[pytest]\nmarkers = server\n weights\n slow\n gpu\n"
PLUGIN = """
import pytest
from tests.marking import Marking

def pytest_configure(config):
    config.pluginmanager.register(Marking())

@pytest.fixture
def weights():
    return str

@pytest.fixture
def engine(weights):
    return weights
"""
NOTHING = "def test_it():\n    pass\n"
FOR_GPU = "import pytest\n@pytest.mark.skipif(True, reason='there is no GPU')\n"


def marked(pytester: pytest.Pytester, source: str) -> set[str]:
    """The markers by which a test with this source is chosen."""
    pytester.makeini(INI)
    pytester.makeconftest(PLUGIN)
    pytester.makepyfile(source)
    (item,) = pytester.inline_genitems("-p", "no:cacheprovider")[0]
    return {mark.name for mark in item.iter_markers()} & {"server", "weights", "slow", "gpu"}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (NOTHING, set()),
        ("def test_it(tmp_path):\n    pass", set()),
        ("def test_it(engine):\n    pass", {"weights"}),
        (f"from tests.realweights import checkpoint_directory\n{NOTHING}", {"weights"}),
        (f"from tests.server import failing_start\n{NOTHING}", {"server", "weights"}),
        (f"from tests.server import serving\n{NOTHING}", {"server", "weights"}),
        (f"from tests.server import listening\n{NOTHING}", set()),
        (FOR_GPU + NOTHING, {"gpu"}),
    ],
)
def test_marker_follows_from_what_a_test_reaches(
    pytester: pytest.Pytester, source: str, expected: set[str]
) -> None:
    assert marked(pytester, source) == expected


@pytest.mark.parametrize("mark", ["", "@pytest.mark.server"])
def test_server_that_is_started_without_the_marker_is_a_failure(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, mark: str
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makeini(INI)
    pytester.makeconftest(PLUGIN)
    start = f"subprocess.run(['bentoml', 'serve'], executable={shutil.which('true')!r})"
    pytester.makepyfile(f"import pytest, subprocess\n{mark}\ndef test_it():\n    {start}\n")

    # In a process of its own: the plugin of these tests would see the server as theirs.
    found = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    found.assert_outcomes(passed=1, errors=0 if mark else 1)
