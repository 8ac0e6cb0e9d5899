"""Where images are built and run: buildah and podman, with a store and settings of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.image.bentos import Bento, wheels
from tests.server import PROJECT

TOOLS = ("buildah", "podman", "runc", "mmdebstrap")
STEP_SECONDS = 580
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
# Stands for Docker Hub's, which has neither of these variables.
BASE = "localhost/python:slim"
VARIABLES = {"SSL_CERT_FILE": CERTIFICATES, "PIP_BREAK_SYSTEM_PACKAGES": "1"}
SOURCE_LISTS = ("/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list")
DOCUMENTATION = ("doc", "man", "locale")

# More files or processes than this the system may not give; networks and events need no daemon.
ENGINE = """
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_config_dir = "{0}/networks"
"""
STORE = '[storage]\ndriver = "{1}"\nrunroot = "{0}/run"\ngraphroot = "{0}/storage"\n'


# What a build is given of this machine, read-only: how registries are reached, and wheels.
SHARED = tuple(f"{path}:{path}:ro" for path in (CERTIFICATES, *wheels().values()))
BUILD_OPTIONS = (
    *("--network=host", "--pull-never"),
    *(f"--volume={mount}" for mount in SHARED),
    *(f"--unsetenv={variable}" for variable in VARIABLES),
)


@dataclass(frozen=True)
class Layer:
    """A layer of an image: the instruction it is from, its digest, and its size in bytes."""

    instruction: str
    digest: str
    size: int


class Workshop:
    """A folder in which everything is that the tools write."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "tmp").mkdir()
        store = STORE.format(folder, _driver(folder / "tmp"))
        (folder / "storage.conf").write_text(store, encoding="utf-8")
        engine = ENGINE.format(folder)
        (folder / "containers.conf").write_text(engine, encoding="utf-8")
        (folder / "mounting.conf").write_text(_mounting(engine), encoding="utf-8")
        self._variables = {
            **os.environ,
            "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
            "CONTAINERS_CONF": str(folder / "containers.conf"),
            "BUILDAH_ISOLATION": "chroot",
            "TMPDIR": str(folder / "tmp"),
        }

    def run(self, *command: str, **variables: str) -> str:
        """What a command prints; it must succeed."""
        done = subprocess.run(
            command,
            cwd=PROJECT,
            env={**self._variables, **variables},
            capture_output=True,
            text=True,
            timeout=STEP_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done.stdout.strip()

    def make_base(self) -> None:
        """A small Debian with its Python, of the release of this machine."""
        left_out = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in DOCUMENTATION]
        packages = "--include=ca-certificates,python3,python3-pip,python-is-python3"
        tar = str(self._folder / "base.tar")
        sources = next(filter(os.path.exists, SOURCE_LISTS))
        command = ["mmdebstrap", "-q", "--variant=minbase", packages, *left_out]
        self.run(*command, _release(), tar, sources)
        changes = [f"--change=ENV {name}={value}" for name, value in VARIABLES.items()]
        self.run("podman", "import", "-q", *changes, tar, BASE)
        Path(tar).unlink()

    def make_image(self, bento: Bento, name: str, *options: str) -> None:
        """The bento's image, by `whisper-bento containerize`, with these options of buildah's."""
        self.run(
            *(sys.executable, "-m", "cli", "containerize", bento.tag),
            *("--tool=buildah", f"--base={BASE}", f"--tag={name}", "--"),
            *BUILD_OPTIONS,
            *options,
            BENTOML_HOME=bento.home,
            **wheels(),
        )

    def make_plain_image(self, bento: Bento, name: str) -> None:
        """The bento's image, by `bentoml containerize` and the Dockerfile that BentoML writes.

        It is not told where wheels are: the base image and the engine's settings say so. Of several
        options `volume` BentoML would make one.
        """
        base = self.run("buildah", "from", "--pull-never", BASE)
        self.run("buildah", "config", *(f"--env={n}={path}" for n, path in wheels().items()), base)
        python = f"python:{sys.version_info.major}.{sys.version_info.minor}-slim"
        self.run("buildah", "commit", "--rm", base, f"localhost/{python}")
        options = ("layers", "network=host", "pull-never")
        unset = (f"unsetenv={variable}" for variable in (*VARIABLES, *wheels()))
        self.run(
            *(sys.executable, "-m", "bentoml", "containerize", bento.tag, "--backend=buildah"),
            *(f"--image-tag={name}", *(f"--opt={option}" for option in (*options, *unset))),
            BENTOML_HOME=bento.home,
            CONTAINERS_CONF=str(self._folder / "mounting.conf"),
        )

    def inspect(self, name: str) -> Mapping[str, object]:
        """What podman knows of an image."""
        [found] = json.loads(self.run("podman", "image", "inspect", name))
        return dict(found)

    def layers(self, name: str) -> list[Layer]:
        """Those of an image, from the base's on."""
        [found] = json.loads(self.run("podman", "image", "inspect", name))
        told = json.loads(self.run("podman", "history", "--format=json", name))[::-1]
        made = zip(found["History"], told, strict=True)
        kept = [
            (said["created_by"], had["size"]) for said, had in made if "empty_layer" not in said
        ]
        digests = found["RootFS"]["Layers"]
        return [Layer(by, of, size) for (by, size), of in zip(kept, digests, strict=True)]

    def close(self) -> None:
        """Remove all images and containers, and the folder."""
        self.run("podman", "rm", "--all", "--force")
        self.run("podman", "rmi", "--all", "--force")
        subprocess.run(
            ["umount", f"{self._folder}/storage/overlay"], capture_output=True, check=False
        )
        shutil.rmtree(self._folder, ignore_errors=True)


def _mounting(engine: str) -> str:
    """The engine's settings, with what is shared for every step of a build."""
    return engine.replace("[engine]", f"volumes = {json.dumps(SHARED)}\n[engine]")


def missing() -> list[str]:
    """What stands in the way of images on this machine."""
    found = [f"{tool} is not installed" for tool in TOOLS if shutil.which(tool) is None]
    if os.geteuid():
        found.append("they are made by root alone")
    return found


def _driver(folder: Path) -> str:
    """How layers are laid over each other: by the kernel, or as copies where it cannot here."""
    lower, upper, work, merged = (folder / name for name in ("lower", "upper", "work", "merged"))
    for path in (lower, upper, work, merged):
        path.mkdir()
    layers = f"lowerdir={lower},upperdir={upper},workdir={work}"
    command = ["mount", "-t", "overlay", "overlay", "-o", layers, str(merged)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        return "vfs"
    subprocess.run(["umount", str(merged)], check=True)
    return "overlay"


def _release() -> str:
    lines = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)["VERSION_CODENAME"]
