"""The house rules: who may import whom, where the environment is read, what docs must list."""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from api.page.files import VIEWER

ROOT = Path(__file__).parent.parent
# Folders that git ignores.
BUILT = {"build", "whisper_bento.egg-info"}

# Each room and the rooms it imports from, lowest first. A room is a folder with modules in it;
# a row is of these modules alone, and `api/app.py` stands above its folder.
ROOMS: dict[str, set[str]] = {
    "models.language": set(),
    "models.engine.cpu": set(),
    "models": {"models.language"},
    "models.audio": {"models"},
    "models.audio.container": {"models"},
    "models.capacity": {"models"},
    "models.checkpoints": {"models"},
    "models.engine.device": {"models"},
    "models.text": {"models", "models.language"},
    "models.audio.load": {"models", "models.audio", "models.audio.container", "models.language"},
    "api": {"models", "models.capacity", "models.checkpoints", "models.jobs", "models.live"},
    "api.page": {"api"},
    "models.audio.vad": {"models", "models.audio", "models.checkpoints"},
    "models.checkpoints.sources": {"models", "models.checkpoints"},
    "models.engine.decoding": {"models", "models.checkpoints"},
    "models.jobs": {"models", "models.checkpoints", "models.text"},
    "models.text.subtitles": {"models", "models.text"},
    "models.audio.sandbox": {"models", "models.audio", "models.audio.load"},
    "api.forms": {"api", "models", "models.language", "models.text"},
    "models.audio.windows": {"models", "models.audio", "models.audio.vad"},
    "models.engine.network": {
        "models",
        "models.checkpoints",
        "models.engine.cpu",
        "models.engine.decoding",
        "models.engine.device",
    },
    "api.responses": {
        "api",
        "api.forms",
        "models",
        "models.audio",
        "models.capacity",
        "models.language",
        "models.text",
        "models.text.subtitles",
    },
    "models.engine.loading": {
        "models.checkpoints",
        "models.engine.decoding",
        "models.engine.network",
    },
    "models.engine.static_step": {"models.engine.decoding", "models.engine.network"},
    "models.engine.cuda_kernels": {
        "models.checkpoints",
        "models.engine.decoding",
        "models.engine.network",
        "models.engine.static_step",
    },
    "models.engine.cuda_graphs": {
        "models.checkpoints",
        "models.engine.cuda_kernels",
        "models.engine.decoding",
        "models.engine.device",
        "models.engine.network",
        "models.engine.static_step",
    },
    "models.engine": {
        "models",
        "models.checkpoints",
        "models.engine.cpu",
        "models.engine.cuda_graphs",
        "models.engine.decoding",
        "models.engine.device",
        "models.engine.loading",
        "models.engine.network",
    },
    "api.requests": {
        "api",
        "models",
        "models.audio.container",
        "models.capacity",
        "models.checkpoints",
        "models.engine",
        "models.text",
    },
    "models.transcription": {
        "models",
        "models.audio",
        "models.audio.sandbox",
        "models.audio.vad",
        "models.audio.windows",
        "models.checkpoints",
        "models.engine",
        "models.engine.cpu",
        "models.engine.decoding",
        "models.text",
    },
    "models.live": {
        "models",
        "models.audio",
        "models.audio.vad",
        "models.engine.cpu",
        "models.engine.decoding",
        "models.language",
        "models.text",
        "models.transcription",
    },
    "api.telemetry": {
        "api",
        "api.requests",
        "models",
        "models.capacity",
        "models.engine",
        "models.jobs",
    },
    "api.webhooks": {"api"},
    "api.native": {"api", "api.forms", "api.requests", "api.responses"},
    "api.middleware": {
        "api",
        "api.forms",
        "api.native",
        "api.page",
        "api.telemetry",
        "models",
    },
    "api.openapi": {"api", "api.middleware"},
    "api.jobs": {
        "api",
        "api.forms",
        "api.middleware",
        "api.openapi",
        "api.requests",
        "api.responses",
        "api.webhooks",
        "models",
        "models.audio.container",
        "models.jobs",
        "models.text",
    },
    "api.realtime": {
        "api",
        "api.forms",
        "api.middleware",
        "api.openapi",
        "api.requests",
        "api.telemetry",
        "models",
        "models.capacity",
        "models.checkpoints",
        "models.language",
        "models.live",
        "models.text",
    },
    "api.wyoming": {
        "api",
        "api.forms",
        "api.middleware",
        "api.requests",
        "api.responses",
        "api.telemetry",
        "models",
        "models.language",
        "models.text",
    },
    "serving.patches": {"api.forms"},
    "serving": {
        "api",
        "api.middleware",
        "api.requests",
        "api.telemetry",
        "api.webhooks",
        "api.wyoming",
        "models",
        "models.audio.sandbox",
        "models.capacity",
        "models.checkpoints",
        "models.engine",
        "models.engine.cpu",
        "models.engine.device",
        "models.engine.network",
        "models.transcription",
        "serving.patches",
    },
    "client.backend": set(),
    "client.files": {"client.backend"},
    "client.remote": {"client.backend"},
    "client.terminal": {"client.backend"},
    "client": {"client.backend", "client.files", "client.remote", "client.terminal"},
    "bulk": {"client.backend", "client.files", "client.terminal"},
    "bulk.runners": {"bulk", "client.backend", "client.remote"},
    "cli.bulk_run": {
        "bulk",
        "bulk.runners",
        "cli.local",
        "client",
        "client.backend",
        "models.engine.device",
    },
    "cli.comparison": {"client.remote"},
    "cli.local": {
        "api",
        "api.forms",
        "api.requests",
        "api.responses",
        "client.backend",
        "client.remote",
        "models",
        "models.audio.container",
        "models.audio.sandbox",
        "models.capacity",
        "models.checkpoints",
        "models.engine",
        "models.engine.cpu",
        "models.engine.device",
        "models.text",
        "models.transcription",
    },
    "cli.realtime": {"models", "models.audio.load"},
    "cli": {
        "api",
        "api.middleware",
        "api.webhooks",
        "api.wyoming",
        "bulk",
        "cli.bulk_run",
        "cli.comparison",
        "cli.local",
        "cli.realtime",
        "client",
        "client.backend",
        "client.files",
        "client.remote",
        "client.terminal",
        "models",
        "models.checkpoints",
        "models.checkpoints.sources",
        "models.engine",
        "models.engine.cpu",
        "models.engine.device",
        "models.engine.network",
        "models.live",
        "models.transcription",
    },
    "api.routes": {
        "api",
        "api.forms",
        "api.jobs",
        "api.openapi",
        "api.requests",
        "api.responses",
        "models.audio",
        "models.capacity",
        "models.language",
        "models.text",
    },
    "api.dialects": {
        "api",
        "api.forms",
        "api.jobs",
        "api.requests",
        "api.responses",
        "api.routes",
        "api.telemetry",
        "models",
        "models.audio.container",
        "models.capacity",
        "models.language",
        "models.text",
        "models.text.subtitles",
    },
    "api.app": {"api", "api.jobs", "api.openapi", "api.page", "api.routes"},
    "service": {
        "api",
        "api.app",
        "api.dialects",
        "api.forms",
        "api.jobs",
        "api.middleware",
        "api.native",
        "api.realtime",
        "api.requests",
        "api.telemetry",
        "api.webhooks",
        "models.audio.sandbox",
        "models.audio.vad",
        "models.capacity",
        "models.engine.device",
        "models.engine.network",
        "models.live",
        "serving",
        "serving.patches",
    },
}
# Rooms that may be deleted: nothing but speed is lost.
OPTIONAL = {"models.engine.cuda_kernels"}
# Modules that have a row of their own.
ABOVE_THEIR_FOLDER = {"api.app", "service"}

# Where a package may be imported: these files, or everything under these folders.
ONLY_IN = {
    "torch": {
        "models/audio/",
        "models/checkpoints/",
        "models/engine/",
    },
    "whisper": {"models/audio/mel.py", "models/checkpoints/sources/", "models/engine/"},
    "bentoml": {"service.py", "models/checkpoints/store.py", "serving/"},
    "_bentoml_sdk": {"service.py", "serving/patches/"},
    "av": {"models/audio/container/", "models/audio/load/", "models/live/pcm.py"},
    "safetensors": {"models/checkpoints/safetensors_file.py"},
    "prometheus_client": {"api/telemetry/meters.py", "api/telemetry/metrics.py"},
    "opentelemetry": {"api/telemetry/tracing.py"},
    "opencc": {"models/text/chinese.py"},
    "dotenv": {"api/settings.py"},
    "huggingface_hub": {"models/checkpoints/sources/hugging_face.py"},
    "wcwidth": {"models/text/subtitles/line_units.py"},
    "circus": {"serving/patches/"},
    "sqlite3": {"models/jobs/"},
    "httpcore": {"api/webhooks/"},
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
    assert [place for place in ONLY_IN[package] if not (ROOT / place).exists()] == []


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def room_of(module: str) -> str:
    return module if module in ABOVE_THEIR_FOLDER else module.rpartition(".")[0]


MODULES = {
    module_of(path): path
    for path in sources("service.py", "api", "bulk", "cli", "client", "models", "serving")
    if path.name != "__init__.py"
}


def modules_among(imported: set[str]) -> set[str]:
    """The modules of these dotted names: `a.b.c` is a module, or a name in `a.b`."""
    return {
        name for each in imported for name in (each, each.rpartition(".")[0]) if name in MODULES
    }


def arrows() -> dict[str, set[str]]:
    """The rooms that each room does import from."""
    found: dict[str, set[str]] = {room_of(module): set() for module in MODULES}
    for module, path in MODULES.items():
        found[room_of(module)] |= {room_of(each) for each in modules_among(imports(path))}
    return {room: others - {room} for room, others in found.items()}


def test_rooms_import_what_their_rows_say_and_nothing_else() -> None:
    found = arrows()
    deleted = OPTIONAL - found.keys()
    rows = {room: others - deleted for room, others in ROOMS.items() if room not in deleted}
    assert found == rows


@pytest.mark.parametrize("room", sorted(OPTIONAL))
def test_an_optional_room_is_imported_at_one_place(room: str) -> None:
    others = [path for name, path in MODULES.items() if room_of(name) != room]
    importers = [
        name_of(path) for path in others if any(is_within(each, room) for each in imports(path))
    ]
    assert importers == ["models/engine/cuda_graphs/fastest_step.py"]


def test_arrows_between_rooms_go_one_way() -> None:
    TopologicalSorter(ROOMS).prepare()


def test_no_name_stands_for_two_modules_of_models() -> None:
    names = [module.rpartition(".")[2] for module in MODULES if module.startswith("models.")]
    assert [name for name, times in Counter(names).items() if times > 1] == []


@pytest.mark.parametrize(("folder", "maximum"), [("models", 6), ("models/engine", 10)])
def test_few_files_lie_loose(folder: str, maximum: int) -> None:
    loose = [path for path in (ROOT / folder).glob("*.py") if path.name != "__init__.py"]
    assert len(loose) <= maximum


@pytest.mark.parametrize("part", ["api", "bulk", "cli", "client", "models", "serving"])
def test_tests_have_the_rooms_of_what_they_test(part: str) -> None:
    rooms = {path.parent.relative_to(ROOT / "tests") for path in sources(f"tests/{part}")}
    assert [room for room in rooms if not (ROOT / room).is_dir()] == []


def at_import(path: Path) -> set[str]:
    """What a file imports when it is imported itself: not in functions, not for types alone."""
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_the_parent_process_and_the_api_do_without_pytorch() -> None:
    heavy: list[str] = []
    reached = ["service", *(name for name in MODULES if name.startswith("api."))]
    for module in reached:
        imported = at_import(MODULES[module])
        heavy += [f"{module} imports {each}" for each in imported if is_within(each, "torch")]
        reached += sorted(modules_among(imported) - set(reached))
    assert heavy == []
    assert len(reached) > 100


@pytest.mark.parametrize(
    "folder", ["service.py", "api", "bulk", "cli", "client", "models", "serving"]
)
def test_nobody_imports_service_scripts_or_tests(folder: str) -> None:
    assert offenders(folder, "service", "scripts", "tests") == []


def test_the_client_imports_nothing_of_the_server() -> None:
    known = sys.stdlib_module_names | {"client", "httpx", "rich"}
    assert [
        f"{name_of(path)} imports {each}"
        for path in sources("client")
        for each in sorted(imports(path))
        if each.partition(".")[0] not in known
    ] == []


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
    folders = [path for path in ROOT.glob("[!.]*") if path.is_dir() and path.name not in BUILT]
    rooms = {"api", "bulk", "cli", "client", "models", "scripts", "serving", "tests"}
    assert rooms < {each.name for each in folders}
    for folder in (*folders, ROOT / ".ci"):
        files += [path for path in folder.rglob("*") if path.is_file()]
    others = {"clips", "node_modules", VIEWER}
    texts = [path for path in files if path.suffix != ".pyc" and others.isdisjoint(path.parts)]
    assert len(texts) > 50
    assert [name_of(path) for path in texts if pattern.search(path.read_text("utf-8"))] == []
