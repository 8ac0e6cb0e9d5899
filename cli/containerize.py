"""OCI image of a bento, by Docker, Podman or Buildah: a layer each for weights, packages, code."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import bentoml
from bentoml.exceptions import BentoMLException

from cli.commands import Parser

DOCKERFILE = Path(__file__).parent.parent / "Dockerfile"
# Each tool, and what makes it keep the health check, cache layers, and give all files one time, so
# that the same files are the same layer on every machine. Docker has its cache alone for that.
TOOLS = {
    "docker": (),
    "podman": ("--format=docker", "--timestamp=0"),
    "buildah": ("--format=docker", "--timestamp=0", "--layers"),
}
# Given on from the environment: where packages are.
SOURCES = ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX", "UV_FIND_LINKS", "UV_TORCH_BACKEND")
_ABOUT = "Build a bento's image, with a layer each for weights, packages and code."
OCI = "org.opencontainers.image"


def main(arguments: Sequence[str]) -> int:
    """Build the image; the exit status is the tool's, or 1 where it could not be started."""
    parser = Parser(prog="whisper-bento containerize", description=_ABOUT)
    parser.add_argument("bento", metavar="BENTO", help="its tag, as `bentoml build` prints it")
    wanted = parser.add_mutually_exclusive_group(required=True)
    wanted.add_argument("-t", "--tag", metavar="NAME", help="the image's name")
    wanted.add_argument(
        "--lay-out", type=Path, metavar="FOLDER", help="make no image, but what one is made from"
    )
    parser.add_argument("--tool", choices=TOOLS, help="default: the first one that is installed")
    parser.add_argument("--base", help="instead of Docker Hub's: an image with the same Python")
    parser.add_argument("options", nargs="*", metavar="-- OPTION", help="of the tool's own")
    given = parser.parse_intermixed_args(arguments)
    try:
        bento = bentoml.bentos.get(given.bento)
        if given.lay_out:
            lay_out(bento, given.lay_out)
            return 0
        tool = given.tool or next(filter(shutil.which, TOOLS), None)
        if tool is None:
            raise FileNotFoundError(f"none of {', '.join(TOOLS)} is installed")
        with tempfile.TemporaryDirectory() as folder:
            file, context = Path(folder, "Dockerfile"), Path(folder, "bento")
            file.write_text(stages_after_bento(DOCKERFILE.read_text("utf-8")), encoding="utf-8")
            lay_out(bento, context)
            command = [*build_command(bento, tool, given.base), f"--file={file}"]
            command += [f"--tag={given.tag}", *given.options, str(context)]
            return subprocess.run(command, check=False).returncode  # noqa: S603 - the user's own
    except (BentoMLException, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def stages_after_bento(dockerfile: str) -> str:
    """The Dockerfile with a bento as its context, without the stage that makes one."""
    begin, *stages = re.split(r"^(?=FROM )", dockerfile, flags=re.MULTILINE)
    kept = [stage for stage in stages if not re.match(r"FROM \S+ AS bento\n", stage)]
    return "".join([begin, *kept]).replace("--from=bento ", "").replace(" /bento/", " ")


def lay_out(bento: bentoml.Bento, context: Path) -> None:
    """The context of an image's build: the bento and its models, in a folder of their own."""
    shutil.copytree(bento.path, context, dirs_exist_ok=True)
    (context / "models").mkdir()
    for model in bento.info.all_models:
        bentoml.models.BentoModel(model.tag).resolve(context / "models")


def build_command(
    bento: bentoml.Bento, tool: str, base: str | None, environ: Mapping[str, str] = os.environ
) -> list[str]:
    """The tool's command but for the image's name and the context."""
    project = _project(bento)
    [uv] = project["optional-dependencies"]["image"]
    info: Any = bento.info  # of a bento with an image, which its type leaves open
    values = {"BASE": base or info.image.base_image, "UV": uv}
    variables = {each.name: each.value for each in bento.info.envs}
    values |= {
        argument: variables[name]
        for argument, name in (("WHISPER_HOST", "WHISPER_HOST"), ("GPU", "NVIDIA_VISIBLE_DEVICES"))
        if name in variables
    }
    values |= {name: environ[name] for name in SOURCES if environ.get(name)}
    return [
        *(tool, "build", *TOOLS[tool]),
        *(f"--build-arg={name}={value}" for name, value in values.items()),
        *(f"--label={name}={value}" for name, value in labels(bento, project).items()),
    ]


def labels(bento: bentoml.Bento, project: Mapping[str, Any]) -> dict[str, str]:
    """The image's labels: OCI's annotations, and which bento it is."""
    said = {
        f"{OCI}.title": project["name"],
        f"{OCI}.description": project["description"],
        f"{OCI}.version": project["version"],
        f"{OCI}.licenses": project["license"],
        "whisper-bento.bento": str(bento.tag),
        "whisper-bento.model": bento.info.labels["model"],
        "whisper-bento.device": bento.info.labels["device"],
    }
    revision = bento.info.labels.get("revision")
    return said | ({f"{OCI}.revision": revision} if revision else {})


def _project(bento: bentoml.Bento) -> dict[str, Any]:
    text = Path(bento.path_of("src/pyproject.toml")).read_text(encoding="utf-8")
    return dict(tomllib.loads(text)["project"])
