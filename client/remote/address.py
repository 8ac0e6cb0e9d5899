"""Address and key of a server, as users give them."""

from __future__ import annotations

import httpx


def base_url(text: str) -> httpx.URL:
    """An address as users give it: without a path it is that of `/v1`.

    Raises:
        ValueError: it is none.
    """
    try:
        url = httpx.URL(text.strip())
    except httpx.InvalidURL:
        raise ValueError(f"{text!r} is no URL") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError(f"{text!r} is no URL: it begins with http:// or https://")
    if url.userinfo:
        raise ValueError("a URL with a name or password in it: give the key as a key")
    path = url.path.rstrip("/")
    return url.copy_with(path=path or "/v1", fragment=None)


def checked_key(text: str | None) -> str | None:
    """A key without the spaces around it; None where it is empty.

    Raises:
        ValueError: it cannot stand in a header. The message does not have it.
    """
    key = (text or "").strip()
    if not all("!" <= character <= "~" for character in key):
        raise ValueError("the key has characters that no key has")
    return key or None
