"""Package places: pip's indexes, folders, proxy and certificates, as uv's environment variables.

uv locks a bento's packages and does not read pip's configuration, by which they were installed.
"""

from __future__ import annotations

import ast
import ssl
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

# Sections of pip's configuration that `pip install` heeds, each above the ones before it.
_SECTIONS = ("global", "install", ":env:")
# The other variables by which uv is told the same: who has set one of them has the say.
_SAME = {
    "UV_DEFAULT_INDEX": ("UV_INDEX_URL",),
    "UV_INDEX": ("UV_EXTRA_INDEX_URL",),
    "UV_SYSTEM_CERTS": ("UV_NATIVE_TLS",),
    "UV_HTTP_TIMEOUT": ("UV_REQUEST_TIMEOUT", "HTTP_TIMEOUT"),
}


def pip_options() -> dict[str, str]:
    """Options of `pip install` from its files and variables, by their long names."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    # An environment without pip was not installed by pip.
    lines = done.stdout.splitlines() if done.returncode == 0 else []
    found: dict[str, dict[str, str]] = {section: {} for section in _SECTIONS}
    for line in lines:
        key, _, value = line.partition("=")
        section, _, option = key.rpartition(".")
        # An empty value is none, as pip has it.
        if section in found and (text := str(ast.literal_eval(value)).strip()):
            found[section][option] = text
    return {option: text for section in found.values() for option, text in section.items()}


def uv_variables(options: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """What uv's environment lacks to look for packages where pip does.

    uv's own variables stay as they are set. Of proxies and certificates pip's options come first,
    as they do for pip.
    """
    own = {**_index_variables(options), **_trust_variables()}
    missing = {
        name: value
        for name, value in own.items()
        if not any(environ.get(each) for each in (name, *_SAME.get(name, ())))
    }
    return missing | _network_variables(options, environ)


def forbids_indexes(options: Mapping[str, str]) -> bool:
    """True if pip looks in folders alone (`no-index`), for which uv has no variable."""
    return options.get("no-index", "").lower() in ("1", "true", "yes", "on", "t", "y")


def _index_variables(options: Mapping[str, str]) -> dict[str, str]:
    values = {
        "UV_DEFAULT_INDEX": " ".join(_places(options, "index-url")),
        "UV_INDEX": " ".join(_places(options, "extra-index-url")),
        "UV_FIND_LINKS": ",".join(_places(options, "find-links")),
        "UV_INSECURE_HOST": options.get("trusted-host", ""),
        "UV_HTTP_TIMEOUT": options.get("timeout", options.get("default-timeout", "")),
    }
    return {name: " ".join(value.split()) for name, value in values.items() if value}


def _places(options: Mapping[str, str], option: str) -> list[str]:
    """Addresses and folders, which pip finds from the folder that it is started in."""
    found = options.get(option, "").split()
    return [each if "://" in each else str(Path(each).expanduser().absolute()) for each in found]


def _trust_variables() -> dict[str, str]:
    """pip trusts whom the system trusts, uv a list of its own."""
    paths = ssl.get_default_verify_paths()
    folder = Path(paths.capath) if paths.capath else None
    known = paths.cafile or (folder and any(folder.iterdir()))
    return {"UV_SYSTEM_CERTS": "true"} if known else {}


def _network_variables(options: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    bundle = options.get("cert") or environ.get("REQUESTS_CA_BUNDLE")
    bundle = bundle or environ.get("CURL_CA_BUNDLE", "")
    proxy = options.get("proxy", "")
    values = {
        "SSL_CERT_DIR" if Path(bundle).is_dir() else "SSL_CERT_FILE": bundle,
        "SSL_CLIENT_CERT": options.get("client-cert", ""),
        **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), proxy),
    }
    return {name: value for name, value in values.items() if value}
