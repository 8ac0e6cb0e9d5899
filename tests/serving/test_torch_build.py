"""Which build of PyTorch a bento is given, by uv, from folders and a server of this machine."""

from __future__ import annotations

import functools
import hashlib
import http.server
import shutil
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from bentoml.exceptions import BentoMLException

from api.settings import changed_environment
from serving.torch_build import CPU_BACKEND, cpu_build, cuda_build
from serving.uv import Uv, uv_environment

PIN = "torch==9.9.0"
# Nobody listens there: everything that is not of this machine is out of reach.
CLOSED = "http://127.0.0.1:9"
PADDING = 300_000


@pytest.fixture
def uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Uv:
    """uv with neither network nor configuration."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, CLOSED)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    for name in ("UV_FIND_LINKS", "UV_INDEX", "UV_DEFAULT_INDEX", "UV_TORCH_BACKEND"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "source"
    folder.mkdir()
    found = shutil.which("uv", path=str(Path(sys.executable).parent))
    assert found, "uv is of the test extra"
    return Uv([found, "pip", "compile"], folder)


def wheel(folder: Path, name: str, version: str, *requires: str) -> Path:
    """A wheel with nothing in it but its metadata and some bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {each}\n" for each in requires)
    with zipfile.ZipFile(path, "w") as made:
        made.writestr(f"{name}/weight.bin", bytes(PADDING))
        text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}"
        made.writestr(f"{info}/METADATA", text)
        made.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        made.writestr(f"{info}/RECORD", "")
    return path


def index(folder: Path, *wheels: Path) -> Path:
    """A simple index with these wheels."""
    for each in wheels:
        page = folder / each.name.partition("-")[0]
        page.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256(each.read_bytes()).hexdigest()
        shutil.copy(each, page)
        with (page / "index.html").open("a") as file:
            file.write(f'<a href="{each.name}#sha256={digest}">{each.name}</a>\n')
    return folder


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """A server of `tmp_path/served`."""
    (tmp_path / "served").mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nothing."""

    handler = functools.partial(Quiet, directory=str(tmp_path / "served"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def chosen(uv: Uv, options: dict[str, str], *settings: str) -> tuple[str, tuple[str, ...], str]:
    with changed_environment(functools.partial(uv_environment, options)):
        found = cpu_build(PIN, uv, settings)
    return found.requirement, found.settings, found.notice


def test_a_folder_of_pip_has_it(uv: Uv, tmp_path: Path) -> None:
    wheel(tmp_path / "wheels", "torch", "9.9.0+cpu")

    found = chosen(uv, {"find-links": str(tmp_path / "wheels")}, "no-index = true")
    assert found == (f"{PIN}+cpu", (), "")


def test_an_extra_index_of_pip_has_it_and_another_one_a_later_release(
    uv: Uv, tmp_path: Path, served: str
) -> None:
    later, it = wheel(tmp_path, "torch", "9.9.1"), wheel(tmp_path, "torch", "9.9.0+cpu")
    index(tmp_path / "served" / "first", later)
    second = index(tmp_path / "second", it)

    extra = {"extra-index-url": f"{served}/first file://{second}"}
    assert chosen(uv, {"index-url": f"{served}/first", **extra}) == (f"{PIN}+cpu", (), "")


def test_what_pip_has_is_taken_where_the_index_of_pytorch_is_out_of_reach(
    uv: Uv, tmp_path: Path, served: str
) -> None:
    needs = [wheel(tmp_path, name, "1.0") for name in ("nvidia_cublas", "triton")]
    torch = wheel(tmp_path, "torch", "9.9.0", "nvidia_cublas==1.0", "triton==1.0")
    index(tmp_path / "served", torch, *needs)
    # By its name as an index has it.
    (tmp_path / "served" / "nvidia_cublas").rename(tmp_path / "served" / "nvidia-cublas")

    requirement, settings, notice = chosen(uv, {"index-url": served})
    assert (requirement, settings) == (PIN, ())
    assert notice.startswith(f"{PIN}+cpu cannot be had from PyTorch's index (")
    assert f"{PIN} is taken instead" in notice
    # An index of web pages does not tell sizes.
    assert notice.endswith("With CUDA and all that it needs it weighs gigabytes.")
    assert len(notice.splitlines()) == 1


def test_what_a_folder_has_is_weighed(uv: Uv, tmp_path: Path) -> None:
    for name in ("torch", "numpy"):
        wheel(tmp_path / "wheels", name, "9.9.0", *(["numpy"] if name == "torch" else []))

    options = {"find-links": str(tmp_path / "wheels")}
    _, _, notice = chosen(uv, options, "no-index = true")
    assert "With no CUDA and all that it needs it weighs 1 MB (2 packages)." in notice


def test_where_there_is_none_it_is_said_in_a_line(uv: Uv, tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    with pytest.raises(BentoMLException) as caught:
        chosen(uv, {"find-links": str(tmp_path / "wheels")}, "no-index = true")

    assert str(caught.value).startswith(f"{PIN} cannot be had where pip finds packages: ")
    assert len(str(caught.value).splitlines()) == 1


def test_for_gpus_a_build_for_cpus_will_not_do(uv: Uv, tmp_path: Path) -> None:
    for version in ("9.9.0", "9.9.0+cpu"):
        wheel(tmp_path / "wheels", "torch", version)
    build = cuda_build(PIN)
    with changed_environment(
        functools.partial(uv_environment, {"find-links": str(tmp_path / "wheels")})
    ):
        done = uv.compile(build.requirement, settings=["no-index = true"])

    assert build.exact
    assert done.stdout.splitlines()[-1] == PIN


def test_uv_is_that_of_this_python_and_asks_no_other(uv: Uv) -> None:
    found = uv_environment({}, {"PATH": "/elsewhere"})

    assert found["PATH"].split(":") == [str(Path(sys.executable).parent), "/elsewhere"]
    assert found["UV_PYTHON"] == sys.executable
    assert CPU_BACKEND not in uv.command
