"""The house rules: who may import whom, where the environment is read, what docs must list."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from api.page.files import VIEWER

ROOT = Path(__file__).parent.parent
NODE = ROOT / "tests" / "wire" / "node"

# What api and the parts of models may know of models: all of it imports in no time.
LIGHT = {
    "models.capacity.admission",
    "models.audio.container.length",
    "models.audio_options",
    "models.checkpoints.catalogue",
    "models.engine.device.engine_config",
    "models.engine.counters",
    "models.errors",
    "models.language.language_tags",
    "models.language.languages",
    "models.options",
    "models.subtitle_options",
    "models.text.subtitles.cues",
    "models.text.subtitles.subtitle_files",
    "models.text.transcript",
    "models.text.words",
    "models.capacity.fair_queue",
    "models.request_stats",
}

# Where a package may be imported: these files, or everything under these folders.
ONLY_IN = {
    "torch": {
        "models/audio/mel.py",
        "models/audio/windows/pauses.py",
        "models/audio/vad/silero.py",
        "models/audio/windows/waveform.py",
        "models/engine/",
        "models/sources/",
        "models/checkpoints/safetensors_file.py",
        "models/checkpoints/weights.py",
    },
    "whisper": {"models/audio/mel.py", "models/engine/", "models/sources/"},
    "bentoml": {"service.py", "models/checkpoints/store.py", "serving/"},
    "_bentoml_sdk": {"service.py"},
    "av": {
        "models/audio/load/beginning.py",
        "models/audio/load/track_choice.py",
        "models/audio/container/demuxer.py",
        "models/audio/load/load_audio.py",
        "models/audio/load/resampling.py",
        "models/audio/load/track.py",
    },
    "safetensors": {"models/checkpoints/safetensors_file.py"},
    "prometheus_client": {"api/telemetry/meters.py", "api/telemetry/metrics.py"},
    "opentelemetry": {"api/telemetry/tracing.py"},
    "opencc": {"models/text/chinese.py"},
    "circus": {"serving/signals.py", "serving/supervisor.py"},
}


def sources(*parts: str) -> Iterator[Path]:
    for part in parts:
        path = ROOT / part
        yield from [path] if path.is_file() else sorted(path.rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> set[str]:
    """Everything a file imports, dotted; `from a import b` is `a.b`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name_of(path)}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def is_within(imported: str, *names: str) -> bool:
    return any(f"{imported}.".startswith(f"{name}.") for name in names)


def offenders(folder: str, *forbidden: str, but: frozenset[str] = frozenset()) -> list[str]:
    return [
        f"{name_of(path)} imports {imported}"
        for path in sources(folder)
        for imported in sorted(imports(path))
        if is_within(imported, *forbidden) and not is_within(imported, *but)
    ]


@pytest.mark.parametrize("package", ONLY_IN)
def test_package_is_imported_only_where_it_belongs(package: str) -> None:
    where = [
        name_of(path)
        for path in sources("service.py", "api", "models", "serving")
        if any(is_within(imported, package) for imported in imports(path))
    ]
    assert [name for name in where if not name.startswith(tuple(ONLY_IN[package]))] == []


def test_api_knows_only_the_light_part_of_models() -> None:
    assert offenders("api", "models", but=frozenset(LIGHT)) == []


def test_models_do_not_know_the_api() -> None:
    assert offenders("models", "api") == []


@pytest.mark.parametrize("folder", ["service.py", "api", "models", "serving"])
def test_nobody_imports_service_scripts_or_tests(folder: str) -> None:
    assert offenders(folder, "service", "scripts", "tests") == []


@pytest.mark.parametrize("part", ["audio", "engine", "text"])
def test_parts_of_models_do_not_import_each_other(part: str) -> None:
    others = [f"models.{other}" for other in ("audio", "engine", "text") if other != part]
    others += [
        "models.transcription.transcriber",
        "models.checkpoints.store",
        "models.checkpoints.sources",
    ]
    assert offenders(f"models/{part}", *others) == []


def test_environment_is_read_in_settings_only() -> None:
    readers = [
        name_of(path)
        for path in sources("service.py", "api", "models", "serving")
        if re.search(r"\bos\.(environb?|getenvb?)\b", path.read_text(encoding="utf-8"))
        or imports(path) & {"os.environ", "os.environb", "os.getenv", "os.getenvb"}
    ]
    assert readers == ["api/settings.py"]


def test_no_open_ends_in_any_file() -> None:
    pattern = re.compile("TO" + "DO|FIX" + "ME|X" + "XX")
    files = [path for path in ROOT.glob("[!.]*") if path.is_file()]
    for folder in ("api", "deploy", "docs", "models", "processes", "scripts", "tests", ".ci"):
        files += [path for path in (ROOT / folder).rglob("*") if path.is_file()]
    others = {"clips", "node_modules", VIEWER}
    texts = [path for path in files if path.suffix != ".pyc" and others.isdisjoint(path.parts)]
    assert len(texts) > 50
    assert [name_of(path) for path in texts if pattern.search(path.read_text("utf-8"))] == []


def test_docs_list_every_dependency_with_its_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    declared = [*project["dependencies"], *chain.from_iterable(extras)]
    documented = re.findall(
        r"^\| ([\w-]+) \| ([\w.]+) \| \S.* \|$",
        (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert [
        name if version == "any" else f"{name}=={version}"
        for name, version in documented
        if (name, version) != ("package", "version")
    ] == declared


def test_docs_list_every_node_package_with_its_version() -> None:
    wanted = json.loads((NODE / "package.json").read_text(encoding="utf-8"))
    declared = wanted["dependencies"] | wanted["optionalDependencies"]
    documented = re.findall(
        r"^\| `([\w@/-]+)` \| ([\d.]+) \| \S.* \|$",
        (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert dict(documented) == {
        name: pin.removeprefix("npm:openai@") for name, pin in declared.items()
    }


def test_node_lock_has_a_checksum_of_everything_and_names_no_registry() -> None:
    lock = json.loads((NODE / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}

    assert "node_modules/openai7" in packages
    assert [name for name, package in packages.items() if "integrity" not in package] == []
    assert [name for name, package in packages.items() if "resolved" in package] == []
