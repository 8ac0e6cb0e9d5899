"""One of the two servers: its address, and the key and the model that its requests have."""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx

OPENAI_HOST = "api.openai.com"


class ComparisonError(Exception):
    """The servers cannot be compared; the message is one line and says which of them, and why."""


@dataclass(frozen=True)
class Server:
    """One of the two servers; `url` is what OpenAI's SDKs call the base URL."""

    url: httpx.URL
    model: str
    key: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return str(self.url)

    @property
    def names_deployment(self) -> bool:
        """Whether the address has Azure's deployment in it, which then is the model."""
        return "/deployments/" in self.url.path

    @property
    def headers(self) -> dict[str, str]:
        """The key, in the header that the address wants it in."""
        if self.key is None:
            return {}
        if self.names_deployment:
            return {"api-key": self.key}
        return {"authorization": f"Bearer {self.key}"}

    def endpoint(self, path: str) -> httpx.URL:
        """The address of an endpoint; a query such as Azure's `api-version` stays."""
        return self.url.copy_with(path=f"{self.url.path.rstrip('/')}/{path}")
