"""pip's configuration as uv's environment, read by pip itself from files and variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from serving.package_places import forbids_indexes, pip_options, uv_variables

FILE = """
[global]
index-url = https://mirror.example.org/simple
extra-index-url =
    https://one.example.org/simple
    https://two.example.org/simple
trusted-host = mirror.example.org
find-links = /of/all
proxy = http://proxy.example.org:3128
cert = /etc/ours.pem
timeout = 90
no-index = false
[install]
find-links = /of/install https://wheels.example.org/list.html
[download]
find-links = /of/download
"""


@pytest.fixture(autouse=True)
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One file of configuration, and no variable."""
    (tmp_path / "pip.conf").write_text(FILE, encoding="utf-8")
    for name in ("PIP_FIND_LINKS", "PIP_CERT", "PIP_DEFAULT_TIMEOUT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))


def test_options_of_files_become_variables() -> None:
    found = uv_variables(pip_options(), {})

    assert found["UV_DEFAULT_INDEX"] == "https://mirror.example.org/simple"
    assert found["UV_FIND_LINKS"] == "/of/install,https://wheels.example.org/list.html"
    assert found["UV_INSECURE_HOST"] == "mirror.example.org"
    assert found["UV_HTTP_TIMEOUT"] == "90"
    assert found["SSL_CERT_FILE"] == "/etc/ours.pem"
    assert found["HTTPS_PROXY"] == found["http_proxy"] == "http://proxy.example.org:3128"


def test_lists_are_whole() -> None:
    found = uv_variables(pip_options(), {})["UV_INDEX"].split()

    assert found == ["https://one.example.org/simple", "https://two.example.org/simple"]


def test_variables_of_pip_come_before_its_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_FIND_LINKS", "wheels")
    monkeypatch.setenv("PIP_INDEX_URL", "")
    found = uv_variables(pip_options(), {})

    assert found["UV_FIND_LINKS"] == str(Path("wheels").absolute())
    assert found["UV_DEFAULT_INDEX"] == "https://mirror.example.org/simple"


def test_variables_of_uv_stay() -> None:
    environ = {"UV_INDEX_URL": "https://mine.example.org", "UV_FIND_LINKS": "/mine", "UV_INDEX": ""}
    found = uv_variables(pip_options(), environ)

    assert not {"UV_DEFAULT_INDEX", "UV_FIND_LINKS"} & found.keys()
    assert "UV_INDEX" in found


def test_certificates_of_the_environment_are_those_that_pip_takes(tmp_path: Path) -> None:
    environ = {"REQUESTS_CA_BUNDLE": str(tmp_path), "CURL_CA_BUNDLE": "/other.pem"}

    assert uv_variables({}, environ)["SSL_CERT_DIR"] == str(tmp_path)
    assert uv_variables({}, {"CURL_CA_BUNDLE": "/other.pem"})["SSL_CERT_FILE"] == "/other.pem"
    assert "SSL_CERT_FILE" not in uv_variables({}, {})


@pytest.mark.parametrize(("value", "forbidden"), [("true", True), ("1", True), ("no", False)])
def test_no_index_is_read_as_pip_reads_it(
    value: str, *, forbidden: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", value)

    assert forbids_indexes(pip_options()) is forbidden
