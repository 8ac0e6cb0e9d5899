"""Node clients: OpenAI's SDK, Groq's and Vercel's, each call in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.certificates import Certificate
from tests.server import Reachable
from tests.wire.http import CLIP, SECONDS

# What the tables of docs/compatibility.md call it.
NODE_SDK = "OpenAI's Node SDK 6 and 7"

FOLDER = Path(__file__).parent / "node"
# scripts/setup-node writes it last.
INSTALLED = FOLDER / "node_modules" / "installed"


@dataclass(frozen=True)
class NodeError:
    """What a client threw: its class, and what it took from the answer."""

    name: str
    message: str
    status: int | None = None
    code: str | None = None
    param: str | None = None
    type: str | None = None
    request_id: str | None = None


@dataclass(frozen=True)
class Sent:
    """The body of a request: streamed, so without a length, or a form with these fields."""

    streamed: bool
    fields: list[str]


@dataclass(frozen=True)
class Outcome:
    """What came of a call, and what was sent for it: one that is tried again is there twice."""

    given: Any
    thrown: NodeError | None
    request_id: str | None
    requests: list[Sent]

    @property
    def value(self) -> Any:
        """What the call gave."""
        assert self.thrown is None, self.thrown
        return self.given

    @property
    def error(self) -> NodeError:
        """What the call threw."""
        assert self.thrown is not None, self.given
        return self.thrown


@dataclass(frozen=True)
class Upload:
    """A file to send: its bytes under a name, or under none, or as a stream with the path's."""

    path: Path = CLIP
    name: str | None = "a.wav"
    streamed: bool = False


AS_FILE = Upload()
AS_STREAM = Upload(streamed=True)


@dataclass(frozen=True)
class Node:
    """Node, new enough for its clients, which lie beside the scripts."""

    binary: Path

    def run(
        self,
        script: str,
        server: Reachable,
        key: str,
        job: Mapping[str, object],
        certificate: Certificate | None = None,
    ) -> Outcome:
        """What came of a job, of a server whose certificate, if it has one, is trusted."""
        told = {"baseURL": f"{server.url}/v1", "apiKey": key, **job}
        trusted = {"NODE_EXTRA_CA_CERTS": str(certificate.path)} if certificate else {}
        done = subprocess.run(
            [self.binary, script],
            cwd=FOLDER,
            env={**os.environ, **trusted},
            input=json.dumps(told, default=_as_json),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return _outcome(json.loads(done.stdout))


@dataclass(frozen=True)
class OpenAISdk:
    """OpenAI's SDK of a major version, with its default of two retries."""

    node: Node
    major: int

    def call(
        self,
        server: Reachable,
        method: str,
        *arguments: object,
        key: str = "unused",
        abort_after: int | None = None,
    ) -> Outcome:
        """What a method gives, items in a list; aborted after so many of them."""
        job = {"package": f"openai{self.major}", "method": method, "arguments": arguments}
        return self.node.run("openai.mjs", server, key, {**job, "abortAfter": abort_after})

    def background(self, server: Reachable, **fields: object) -> Outcome:
        """Two background jobs and what the SDK gets of them, by `background.mjs`."""
        job = {"package": f"openai{self.major}", "path": CLIP, "fields": fields}
        return self.node.run("background.mjs", server, "unused", job)

    def by_azure(self, server: Reachable, model: str, **options: object) -> Outcome:
        """A transcription by the SDK's class for Azure."""
        asked = {"endpoint": server.url, "apiVersion": "2024-06-01", **options}
        form = {"file": AS_FILE, "model": model}
        job = {"package": f"openai{self.major}", "azure": asked, "arguments": [form]}
        method = {"method": "audio.transcriptions.create"}
        return self.node.run("openai.mjs", server, "unused", {**job, **method})

    def transcribe(
        self,
        server: Reachable,
        file: Upload = AS_FILE,
        *,
        key: str = "unused",
        abort_after: int | None = None,
        **fields: object,
    ) -> Outcome:
        """A transcription by `tiny.en`, if no other is asked for; the file first, as usual."""
        form = {"file": file, "model": "tiny.en", **fields}
        method = "audio.transcriptions.create"
        return self.call(server, method, form, key=key, abort_after=abort_after)


def vercel(
    node: Node,
    server: Reachable,
    path: Path = CLIP,
    *,
    model: str = "whisper-1",
    key: str = "unused",
    **options: object,
) -> Outcome:
    """A transcription with Vercel's AI SDK and these options of its `transcribe`."""
    job = {"provider": "openai", "model": model, "path": path, "options": options}
    return node.run("vercel.mjs", server, key, job)


def vercel_by(
    node: Node, server: Reachable, provider: str, base: str, model: str, **settings: object
) -> Outcome:
    """The same of `CLIP`, by another provider, at a path of the server and with its settings."""
    job = {"provider": provider, "model": model, "path": CLIP, "settings": settings}
    return node.run("vercel.mjs", server, "unused", {**job, "baseURL": f"{server.url}{base}"})


def groq_sdk(node: Node, server: Reachable, method: str, **fields: object) -> Outcome:
    """What a method of Groq's SDK gives for `CLIP`."""
    form = {"file": AS_FILE, "model": "whisper-large-v3-turbo", **fields}
    job = {"package": "groq-sdk", "baseURL": server.url, "method": method, "arguments": [form]}
    return node.run("openai.mjs", server, "unused", job)


def installed_node() -> Node | None:
    """What scripts/setup-node has installed: the package of one platform has the binary."""
    found = sorted(FOLDER.glob("node_modules/node-*/bin/node")) if INSTALLED.is_file() else []
    return Node(found[0]) if found else None


def _as_json(value: object) -> object:
    return asdict(value) if isinstance(value, Upload) else str(value)


def _outcome(told: Mapping[str, Any]) -> Outcome:
    return Outcome(
        given=told.get("value"),
        thrown=NodeError(**told["error"]) if "error" in told else None,
        request_id=told.get("request_id"),
        requests=[Sent(**request) for request in told["requests"]],
    )
