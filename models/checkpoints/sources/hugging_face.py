"""Models of the Hugging Face Hub, or of a mirror of it, at one commit."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from models.checkpoints.durable_files import full_disk_explained, sha256_of
from models.checkpoints.sources.ctranslate2 import read_ctranslate2
from models.checkpoints.sources.json_file import read_json_object
from models.checkpoints.sources.source import Notify, Source
from models.checkpoints.sources.transformers import INDEX_FILE, SINGLE_FILE, read_transformers
from models.errors import CheckpointFormatError, ChecksumError, DownloadError

_CONFIG_FILE = "config.json"
_GENERATION_FILE = "generation_config.json"
_CTRANSLATE2_FILE = "model.bin"
_SHA256 = re.compile(r"[0-9a-f]{64}")


def fetch_from_hub(model: str, timeout: float, notify: Notify) -> Source:
    """Read `org/model`, or `org/model@revision`, through Hugging Face's own cache.

    Only the files of one format are downloaded, all from the commit that `revision` (or the main
    branch) is at, which the source names. `huggingface_hub` heeds `HF_ENDPOINT`, `HF_TOKEN`,
    `HF_HUB_OFFLINE` and `HF_HOME`. It goes on where a transfer breaks off; of a file that an
    earlier process has not had whole, nothing is left. `timeout` is in seconds.

    Raises:
        DownloadError: the model cannot be had: unknown, private, unreachable, or out of time.
        ChecksumError: a file is not what its SHA-256 at the hub says; it is removed.
        CheckpointFormatError: it is no Whisper model in a format that is read.
    """
    repo, _, revision = model.partition("@")
    with _explained(repo):
        snapshot = _Snapshot(repo, revision or None, _progress_bar(time.monotonic() + timeout))
        notify(f"downloading {repo}@{snapshot.commit} from the Hugging Face Hub")
        read = _download_weights(snapshot)
    source = read(snapshot.folder)
    sha256 = {f"{repo}@{snapshot.commit}/{name}": value for name, value in source.sha256.items()}
    return replace(source, description=f"Hugging Face {repo}@{snapshot.commit}", sha256=sha256)


class _Snapshot:
    """The files of a repository at one commit: that of its `config.json`, which comes first."""

    def __init__(self, repo: str, revision: str | None, bar: type[tqdm[Any]]) -> None:
        self._repo = repo
        self._bar = bar
        self.folder = self._download(_CONFIG_FILE, revision).parent
        self.commit = self.folder.name

    def bring(self, name: str) -> bool:
        """Have a file in the folder; False if the repository has none of that name."""
        from huggingface_hub.errors import LocalEntryNotFoundError, RemoteEntryNotFoundError

        try:
            path = self._download(name, self.commit)
        except RemoteEntryNotFoundError:
            return False
        except LocalEntryNotFoundError:
            if not _is_offline():
                raise
            return False
        _check(path)
        return True

    def _download(self, name: str, revision: str | None) -> Path:
        # it takes a moment, and reads its environment when it is imported
        from huggingface_hub import hf_hub_download

        return Path(hf_hub_download(self._repo, name, revision=revision, tqdm_class=self._bar))


def _download_weights(snapshot: _Snapshot) -> Callable[[Path], Source]:
    """Bring the weights in the first format there is; returns its reader."""
    if snapshot.bring(SINGLE_FILE):
        snapshot.bring(_GENERATION_FILE)
        return read_transformers
    if snapshot.bring(INDEX_FILE):
        snapshot.bring(_GENERATION_FILE)
        weight_map = read_json_object(snapshot.folder / INDEX_FILE).get("weight_map")
        for name in sorted(set(weight_map.values())) if isinstance(weight_map, dict) else ():
            snapshot.bring(str(name))
        return read_transformers
    if snapshot.bring(_CTRANSLATE2_FILE):
        return read_ctranslate2
    raise CheckpointFormatError(f"it has neither {SINGLE_FILE}, {INDEX_FILE} nor model.bin")


def _check(path: Path) -> None:
    """Hold a large file against its name in the cache, which is its SHA-256 at the hub."""
    blob = path.resolve()
    if _SHA256.fullmatch(blob.name) and sha256_of(blob) != blob.name:
        blob.unlink()
        path.unlink()
        raise ChecksumError(f"{path.name} is not what its SHA-256 says; the download was removed")


def _progress_bar(deadline: float) -> type[tqdm[Any]]:
    class Bar(tqdm):  # type: ignore[type-arg]  # generic for type checkers alone
        """A progress bar on terminals; the place where a download that is late is stopped."""

        def __init__(self, *args: Any, name: str = "", **options: Any) -> None:  # noqa: ANN401
            super().__init__(*args, **options | {"disable": not sys.stderr.isatty()})

        def update(self, n: float | None = 1) -> bool | None:
            """Count what came."""
            if time.monotonic() > deadline:
                raise DownloadError("the time limit is over; the files that are whole are kept")
            return super().update(n)

    return Bar


@contextmanager
def _explained(repo: str) -> Iterator[None]:
    """Errors of the hub's client as one line that says what can be done."""
    from huggingface_hub import constants, errors

    def failure(reason: str) -> DownloadError:
        return DownloadError(f"{repo} at {constants.ENDPOINT}: {reason}")

    try:
        with full_disk_explained(Path(constants.HF_HUB_CACHE)):
            yield
    except errors.GatedRepoError as error:
        raise failure("its terms must be accepted there first; then set HF_TOKEN") from error
    except errors.RevisionNotFoundError as error:
        raise failure("no such revision") from error
    except errors.RepositoryNotFoundError as error:
        raise failure("no such model, or a private one: then set HF_TOKEN") from error
    except errors.LocalEntryNotFoundError as error:
        if _is_offline():
            raise failure("HF_HUB_OFFLINE is set, and the cache has not all of it") from error
        raise failure(f"could not be reached ({error.__cause__ or error})") from error
    except errors.EntryNotFoundError as error:
        raise failure(f"it has no {_CONFIG_FILE}") from error
    except (OSError, errors.HFValidationError) as error:
        raise failure((str(error).strip() or type(error).__name__).splitlines()[0]) from error


def _is_offline() -> bool:
    from huggingface_hub.constants import is_offline_mode

    return is_offline_mode()
