"""Tests of the file that has the keys."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from api import keys
from api.keys import Key, KeyFileError, KeyRing, key_digest, read_keys

DIGEST = key_digest("bobs-secret").hex()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    path.write_text("alice:alices-secret\n")
    return path


@pytest.fixture
def ring(file: Path, monkeypatch: pytest.MonkeyPatch) -> KeyRing:
    """Two keys of the settings, and a file that is looked at for every request."""
    monkeypatch.setattr(keys, "CHECK_SECONDS", 0)
    return KeyRing((key_digest("first-key"), key_digest("second-key")), file)


def test_file_of_keys(file: Path) -> None:
    file.write_bytes(
        b"\xef\xbb\xbf# who may use it\r\n\r\nalice: alices-secret\r\n  # more\n"
        b"bob:sha256:" + DIGEST.upper().encode() + b"\n\tsite-2.web : a:key#with/marks  \n"
    )

    assert read_keys(file) == (
        Key("alice", key_digest("alices-secret")),
        Key("bob", key_digest("bobs-secret")),
        Key("site-2.web", key_digest("a:key#with/marks")),
    )


@pytest.mark.parametrize(
    "line",
    [
        "just-a-key",
        ":no-name-here",
        "name:",
        "name:shorter",
        "name:two words",
        "two words:long-enough",
        "name:clé-française",
        "-name:long-enough",
        "n" * 65 + ":long-enough",
        "name:sha256:abcdef0123456789",
        "name:sha256:" + "x" * 64,
        "name:sha256:" + DIGEST + "00",
    ],
)
def test_malformed_line_is_named_and_not_shown(file: Path, line: str) -> None:
    file.write_text(f"alice:alices-secret\n\n{line}\n", encoding="utf-8")

    with pytest.raises(KeyFileError) as caught:
        read_keys(file)
    assert caught.value.message == (
        f"The key file {file} is malformed in line 3: wanted NAME:KEY, the key of at least 8 "
        "visible ASCII characters, or NAME:sha256:HEX."
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "has no key."),
        (b"# later\n\n", "has no key."),
        (b"\xff\xfea", "cannot be read: it is not in UTF-8."),
    ],
)
def test_file_without_keys_is_refused(file: Path, content: bytes, reason: str) -> None:
    file.write_bytes(content)

    with pytest.raises(KeyFileError) as caught:
        read_keys(file)
    assert caught.value.message == f"The key file {file} {reason}"


def test_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match=r"cannot be read: Is a directory\."):
        read_keys(tmp_path)


def test_keys_of_settings_and_file_together(ring: KeyRing) -> None:
    assert ring.name_of("second-key") == "key-2"
    assert ring.name_of("alices-secret") == "alice"
    assert ring.name_of("nobodys-secret") is None
    assert ring.name_of("schlüssel") is None


def test_ring_holds_no_key_but_its_digest(ring: KeyRing) -> None:
    assert ring.name_of("alices-secret") == "alice"
    assert "secret" not in repr(vars(ring))


def test_file_is_read_again_when_it_changes(ring: KeyRing, file: Path) -> None:
    assert ring.name_of("alices-secret") == "alice"
    file.write_text("alice:alices-other-secret\nbob:bobs-secret\n")

    assert ring.name_of("alices-secret") is None
    assert ring.name_of("alices-other-secret") == "alice"
    assert ring.name_of("bobs-secret") == "bob"


def test_file_is_not_looked_at_for_every_request(
    ring: KeyRing, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "CHECK_SECONDS", 3600)
    assert ring.name_of("alices-secret") == "alice"
    file.write_text("bob:bobs-secret\n")

    assert ring.name_of("alices-secret") == "alice"


def test_same_size_at_the_same_time_is_a_change(ring: KeyRing, file: Path) -> None:
    assert ring.name_of("alices-secret") == "alice"
    times = file.stat().st_atime_ns, file.stat().st_mtime_ns
    other = file.with_name("other")
    other.write_text("clive:clive-secrets\n")
    os.utime(other, ns=times)
    other.replace(file)

    assert ring.name_of("alices-secret") is None


def test_swapped_link_is_a_change(ring: KeyRing, file: Path) -> None:
    """As Kubernetes updates a secret: a link to a directory is replaced by another."""
    folder = file.parent
    for name, line in (("v1", "alice:alices-secret"), ("v2", "bob:bobs-secret")):
        (folder / name).mkdir()
        (folder / name / "keys").write_text(line)
    (folder / "..data").symlink_to("v1")
    file.unlink()
    file.symlink_to(Path("..data") / "keys")
    assert ring.name_of("alices-secret") == "alice"
    (folder / "..new").symlink_to("v2")
    (folder / "..new").rename(folder / "..data")

    assert (ring.name_of("alices-secret"), ring.name_of("bobs-secret")) == (None, "bob")


@pytest.mark.parametrize("content", [None, "", "alice=alices-secret"])
def test_last_good_keys_stay_and_the_log_says_so_once(
    ring: KeyRing, file: Path, content: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    assert ring.name_of("alices-secret") == "alice"
    if content is None:
        file.unlink()
    else:
        file.write_text(content)

    assert [ring.name_of("alices-secret") for _ in range(3)] == ["alice"] * 3
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert warnings[0].getMessage().endswith("The keys read before stay.")
    assert "secret" not in caplog.text

    file.write_text("alice:alices-new-secret")
    assert ring.name_of("alices-secret") is None
    assert ring.name_of("alices-new-secret") == "alice"


def test_ring_of_a_missing_file_is_not_open(tmp_path: Path) -> None:
    ring = KeyRing((), tmp_path / "none")

    assert not ring.is_open
    assert ring.name_of("anything-at-all") is None
    assert KeyRing(()).is_open
