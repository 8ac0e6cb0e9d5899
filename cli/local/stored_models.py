"""Models of the store in this process: which one a model id means, and its transcriber."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING

from api.requests.model_registry import Transcriber
from api.settings import Settings
from client.backend.errors import NoServiceError
from client.backend.protocol import Tell
from models.checkpoints import store
from models.checkpoints.catalogue import checkpoint_name, find_checkpoint
from models.checkpoints.public_names import is_hosted_model, public_checkpoint
from models.errors import WhisperError

if TYPE_CHECKING:
    from cli.local.loader import Loader


class StoredModels:
    """Every checkpoint of the store; each is loaded when it is first used, and stays.

    Names mean what they do on a server with these settings. But a checkpoint that is not there is
    missing, where a server takes its default one for its public name.
    """

    def __init__(self, settings: Settings, tell: Tell) -> None:
        self._settings, self._tell = settings, tell
        self._loader: Loader | None = None
        self._found: dict[str, store.StoredCheckpoint] = {}
        # By tag: several model ids may mean one.
        self._loaded: dict[str, Transcriber] = {}
        # One at a time: each takes all cores.
        self._lock = asyncio.Lock()

    def find(self, model_id: str) -> store.StoredCheckpoint:
        """The checkpoint that a model id means; the same each time, whatever is imported meanwhile.

        Raises:
            NoServiceError: it is not in the store, or damaged there.
        """
        if model_id not in self._found:
            self._found[model_id] = _stored(self._name_of(model_id))
        return self._found[model_id]

    def tag(self, model_id: str) -> str:
        """The tag in the store of what a model id means, by its content; raises as `find`."""
        return self.find(model_id).tag

    async def use(self, model_id: str) -> Transcriber:
        """The transcriber of a model id.

        Raises:
            NoServiceError: as `find`, it cannot be loaded, or the device has been lost.
        """
        async with self._lock:
            if self._loader and self._loader.has_lost_device:
                raise NoServiceError("the device does nothing more for this process")
            checkpoint = self.find(model_id)
            if checkpoint.tag not in self._loaded:
                self._tell(f"loading {checkpoint.name}")
                load = partial(self._load, checkpoint)
                loaded = await asyncio.wrap_future(_in_thread(load))
                self._loaded[checkpoint.tag] = loaded
                if self._settings.dtype == "auto":
                    # Measured by this process: another may choose another.
                    self._tell(f"loaded {checkpoint.name} in {loaded.state().dtype}")
            return self._loaded[checkpoint.tag]

    def close(self) -> None:
        """Stop the models, and end what reads recordings."""
        if self._loader:
            self._loader.close()

    def _load(self, checkpoint: store.StoredCheckpoint) -> Transcriber:
        # Here, not above: it imports PyTorch, which takes seconds.
        from cli.local.loader import Loader

        try:
            self._loader = self._loader or Loader(self._settings)
            return self._loader.load(checkpoint)
        except Exception as error:
            # Whatever it is, such as no memory on the device: nothing can be done without it.
            reason = " ".join(str(error).split()) or type(error).__name__
            raise NoServiceError(f"{checkpoint.name} cannot be loaded: {reason}") from error

    def _name_of(self, model_id: str) -> str:
        model_id = dict(self._settings.aliases).get(model_id, model_id)
        if is_hosted_model(model_id):
            return self._settings.default_model
        return public_checkpoint(model_id) or checkpoint_name(model_id)


def _in_thread(load: Callable[[], Transcriber]) -> Future[Transcriber]:
    """Load in a thread that nothing waits for: whoever interrupts it is not to wait for it."""
    done: Future[Transcriber] = Future()

    def run() -> None:
        done.set_running_or_notify_cancel()
        try:
            done.set_result(load())
        except Exception as error:  # noqa: BLE001 - it is raised where it is waited for
            done.set_exception(error)

    threading.Thread(target=run, name="whisper-load", daemon=True).start()
    return done


def _stored(name: str) -> store.StoredCheckpoint:
    try:
        found = store.find(name)
    except WhisperError as error:
        raise NoServiceError(error.message) from error
    if found is None:
        raise NoServiceError(_missing(name))
    return found


def _missing(name: str) -> str:
    if find_checkpoint(name):
        return f"{name} is not in the model store: import it with `whisper-bento import {name}`"
    there = ", ".join(dict.fromkeys(each.name for each in store.list_checkpoints())) or "none"
    return f"there is no model {name!r}; in the model store: {there}"
