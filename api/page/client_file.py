"""The command-line client as one file, which `uv run http://HOST:8000/client.py FILE` runs.

The file states its dependencies as inline script metadata (PEP 723).
"""

from __future__ import annotations

import json
import tomllib
from functools import cached_property
from pathlib import Path

from starlette.datastructures import URL, Headers
from starlette.requests import Request

from api.page.files import PageFile

_FOLDER = Path(__file__).parents[2] / "client"
_START = "client.single_file"


class ClientFile:
    """The file, whose parts are read when it is first asked for."""

    def answered(self, request: Request) -> PageFile:
        """The file as the answer to this request; its client asks the address of that.

        Raises:
            OSError: the client's folder cannot be read.
        """
        url = json.dumps(_own_address(request.base_url, request.headers))
        text = f"{self._text}\n\nif __name__ == '__main__':\n    sys.exit(run(SOURCES, {url}))\n"
        return PageFile(text.encode(), "text/x-python; charset=utf-8", "no-cache")

    @cached_property
    def _text(self) -> str:
        package = tomllib.loads((_FOLDER / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        needed = "".join(f"#     {json.dumps(pin)},\n" for pin in package["dependencies"])
        sources = {_name(path): path.read_text(encoding="utf-8") for path in modules(_FOLDER)}
        start = sources.pop(_START)
        named = "".join(f"    {name!r}: {text!r},\n" for name, text in sources.items())
        return (
            f'# /// script\n# requires-python = "{package["requires-python"]}"\n'
            f"# dependencies = [\n{needed}# ]\n# ///\n{start}\n\nSOURCES = {{\n{named}}}\n"
        )


def modules(folder: Path) -> list[Path]:
    """Those of a package and of the packages in it; no other folder, such as one of a build."""
    packages = sorted(each.parent for each in folder.glob("*/__init__.py"))
    return sorted(folder.glob("*.py")) + [each for within in packages for each in modules(within)]


def _name(path: Path) -> str:
    return ".".join(path.relative_to(_FOLDER.parent).with_suffix("").parts)


def _own_address(base: URL, headers: Headers) -> str:
    """The address of the API, as the one who asks has it."""
    # A proxy that ends TLS says so; what it says goes back to who has sent it, and nowhere else.
    # Of several proxies the first is the one that was asked.
    told = headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
    is_tls = "https" in (base.scheme, told)
    return str(base.replace(scheme="https" if is_tls else "http").replace(query="")) + "v1"
