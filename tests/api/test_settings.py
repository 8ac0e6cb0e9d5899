"""Tests of the environment variables."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from api.settings import SettingError, Settings, changed_environment

COLLECTOR = "wanted the http or https URL of a collector, such as http://127.0.0.1:4318"
WHOLE_PORT = "wanted a whole number from 1 to 65535"
KEYS = "wanted keys of at least 8 visible ASCII characters, with commas between"
DEVICE = "wanted auto, cpu, cuda or cuda:N"
HOSTS = (
    "wanted hosts such as example.org, *.example.org, receiver:9000 or 10.0.0.5, "
    "with commas between"
)
DIALECTS = "wanted some of azure, groq, asr-webservice, whisper-cpp, json-body, or none"
MODEL = "wanted the name of a model, such as base or large-v3-turbo"


def test_settings_empty_environment() -> None:
    assert Settings.from_environ({}) == Settings(
        device="auto",
        dtype="auto",
        strategy="auto",
        default_model="base",
        models=("base",),
        host="127.0.0.1",
        port=8000,
        slots=0,
        threads=0,
        timeout=3600,
    )


def test_settings_all_given() -> None:
    environ = {
        "WHISPER_DEVICE": "cuda:1",
        "WHISPER_DTYPE": "bfloat16",
        "WHISPER_STRATEGY": "sequential",
        "WHISPER_DEFAULT_MODEL": "turbo",
        "WHISPER_MODELS": "tiny.en, base,large-v3-turbo",
        "WHISPER_HOST": "0.0.0.0",
        "WHISPER_PORT": "1",
        "WHISPER_SLOTS": "256",
        "WHISPER_THREADS": "4",
        "WHISPER_TIMEOUT": "60",
        "WHISPER_QUEUE_SECONDS": "600",
    }
    assert Settings.from_environ(environ) == Settings(
        device="cuda:1",
        dtype="bfloat16",
        strategy="sequential",
        default_model="large-v3-turbo",
        models=("large-v3-turbo", "tiny.en", "base"),
        host="0.0.0.0",
        port=1,
        slots=256,
        threads=4,
        timeout=60,
        queue_seconds=600,
    )


def test_settings_empty_string_is_not_given() -> None:
    names = [name for name, _, _ in Settings.table()]
    assert Settings.from_environ(dict.fromkeys(names, " ")) == Settings()


@pytest.mark.parametrize(
    ("given", "host"), [("localhost", "127.0.0.1"), ("::1", "::1"), ("10.0.0.7", "10.0.0.7")]
)
def test_settings_host(given: str, host: str) -> None:
    assert Settings.from_environ({"WHISPER_HOST": given}).host == host


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("none", ()),
        ("None", ()),
        ("whisper-cpp, groq,groq", ("whisper-cpp", "groq")),
        ("", ("azure", "groq", "asr-webservice", "whisper-cpp", "json-body")),
    ],
)
def test_settings_dialects(given: str, names: tuple[str, ...]) -> None:
    assert Settings.from_environ({"WHISPER_DIALECTS": given}).dialects == names


@pytest.mark.parametrize(
    ("given", "value"),
    [("true", True), ("True", True), ("1", True), ("yes", True), ("FALSE", False), ("0", False)],
)
def test_settings_boolean(given: str, value: bool) -> None:
    assert Settings.from_environ({"WHISPER_ALLOW_ANYONE": given}).allow_anyone is value


@pytest.mark.parametrize(
    ("given", "origins"),
    [
        ("*", ("*",)),
        ("https://App.example.org", ("https://app.example.org",)),
        ("https://a.example:443, http://b.example:80", ("https://a.example", "http://b.example")),
        ("http://localhost:3000,http://[::1]:443", ("http://localhost:3000", "http://[::1]:443")),
        ("tauri://localhost", ("tauri://localhost",)),
        ("app://obsidian.md,capacitor://localhost", ("app://obsidian.md", "capacitor://localhost")),
        ("chrome-extension://abcdefghijklmnop", ("chrome-extension://abcdefghijklmnop",)),
        ("Null, FILE://", ("null", "file://")),
    ],
)
def test_settings_origins(given: str, origins: tuple[str, ...]) -> None:
    assert Settings.from_environ({"WHISPER_CORS_ORIGINS": given}).cors_origins == origins


@pytest.mark.parametrize(
    "given",
    [
        "example.org",
        "https://",
        "https://a.example/",
        "https://a.example/app",
        "https://a.example?x",
        "https://a.example#x",
        "https://me@a.example",
        "https://a.example:",
        "https://a.example:port",
        "https://a.example:99999",
        "https://a.example,,https://b.example",
        "https://a.example,*",
        "https://*.example",
        "https://a b.example",
        "https://[::1",
        "file:///",
        "nullx",
        "null://",
    ],
)
def test_settings_origins_malformed(given: str) -> None:
    with pytest.raises(SettingError, match="wanted origins such as"):
        Settings.from_environ({"WHISPER_CORS_ORIGINS": given})


@pytest.mark.parametrize("given", ["openai/whisper-large", "whisper-large-v3", "large"])
def test_settings_default_model_alias(given: str) -> None:
    assert Settings.from_environ({"WHISPER_DEFAULT_MODEL": given}).models == ("large-v3",)


def test_settings_other_defaults_are_for_what_is_not_given() -> None:
    assert Settings.from_environ({}, default_model="large").models == ("large-v3",)
    given = {"WHISPER_DEFAULT_MODEL": "tiny"}
    assert Settings.from_environ(given, default_model="large").models == ("tiny",)


def test_changed_environment_is_as_before_after_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEPT", "1")
    monkeypatch.delenv("ADDED", raising=False)
    with changed_environment(lambda now: {"KEPT": f"{now['KEPT']}2", "ADDED": "3"}):
        assert (os.environ["KEPT"], os.environ["ADDED"]) == ("12", "3")
    assert os.environ["KEPT"] == "1"
    assert "ADDED" not in os.environ


def test_settings_default_model_comes_first() -> None:
    environ = {"WHISPER_DEFAULT_MODEL": "tiny", "WHISPER_MODELS": "base,tiny,base"}
    assert Settings.from_environ(environ).models == ("tiny", "base")


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("WHISPER_STRATEGY", "fast", "wanted auto, sequential or parallel"),
        ("WHISPER_DEVICE", "gpu", DEVICE),
        ("WHISPER_DEVICE", "cuda:", DEVICE),
        ("WHISPER_DEVICE", "cuda:-1", DEVICE),
        ("WHISPER_DTYPE", "int4", "wanted auto, float32, float16, bfloat16 or int8"),
        ("WHISPER_DEFAULT_MODEL", "whisper-1", MODEL),
        ("WHISPER_DEFAULT_MODEL", "a b", MODEL),
        ("WHISPER_DEFAULT_MODEL", "../base", MODEL),
        (
            "WHISPER_MODELS",
            "base,,tiny",
            "wanted names of models with commas between, such as base,tiny.en",
        ),
        ("WHISPER_HOST", "example.org", "wanted an IP address or localhost"),
        ("WHISPER_HOST", "127.0.0.1:8000", "wanted an IP address or localhost"),
        ("WHISPER_API_KEYS_FILE", "keys.txt", "wanted an absolute path"),
        ("WHISPER_MODEL_MIRROR", "models", "wanted an http or https URL or an absolute path"),
        ("WHISPER_MODEL_MIRROR", "https://", "wanted an http or https URL or an absolute path"),
        ("WHISPER_ALLOW_ANYONE", "perhaps", "wanted true or false"),
        ("WHISPER_PORT", "abc", WHOLE_PORT),
        ("WHISPER_PORT", "0", WHOLE_PORT),
        ("WHISPER_PORT", "65536", WHOLE_PORT),
        ("WHISPER_PORT", "80.0", WHOLE_PORT),
        ("WHISPER_PORT", "-1", WHOLE_PORT),
        ("WHISPER_PORT", "8_000", WHOLE_PORT),
        ("WHISPER_PORT", "٨٠", WHOLE_PORT),
        ("WHISPER_SLOTS", "257", "wanted a whole number from 0 to 256"),
        ("WHISPER_THREADS", "all", "wanted a whole number from 0 to 1024"),
        ("WHISPER_TIMEOUT", "1h", "wanted a whole number from 1 to 86400"),
        ("WHISPER_QUEUE_SECONDS", "59", "wanted a whole number of seconds from 60 to 100000000"),
        ("WHISPER_REALTIME_SESSIONS", "0", "wanted a whole number from 1 to 100000"),
        ("WHISPER_REALTIME_SECONDS", "1h", "wanted a whole number from 1 to 86400"),
        ("WHISPER_REALTIME_DELAY", "none", "wanted minimal, low, medium, high or xhigh"),
        ("WHISPER_WYOMING_PORT", "-1", "wanted a whole number from 0 to 65535"),
        ("WHISPER_WYOMING_HOST", "nas.local", "wanted an IP address or localhost"),
        ("WHISPER_LOG_FORMAT", "xml", "wanted text or json"),
        ("WHISPER_DIALECTS", "groq,deepgram", DIALECTS),
        ("WHISPER_JOBS", "on", "wanted true or false"),
        ("WHISPER_JOBS_DIR", "jobs", "wanted an absolute path"),
        ("WHISPER_WEBHOOK_HOSTS", "https://example.org", HOSTS),
        ("WHISPER_WEBHOOK_HOSTS", "example.org,,other.example", HOSTS),
        ("WHISPER_WEBHOOK_HOSTS", "127.1", HOSTS),
        ("WHISPER_OTLP_ENDPOINT", "localhost:4318", COLLECTOR),
        ("WHISPER_OTLP_ENDPOINT", "https://", COLLECTOR),
    ],
)
def test_settings_malformed(name: str, value: str, wanted: str) -> None:
    with pytest.raises(SettingError) as caught:
        Settings.from_environ({name: value})
    assert caught.value.message == f"{name}={value!r}: {wanted}"


def test_settings_malformed_stays_on_one_line() -> None:
    with pytest.raises(SettingError) as caught:
        Settings.from_environ({"WHISPER_DEVICE": "cpu\ncuda"})
    assert caught.value.message == f"WHISPER_DEVICE='cpu\\ncuda': {DEVICE}"


def test_settings_malformed_all_named() -> None:
    with pytest.raises(SettingError) as caught:
        Settings.from_environ({"WHISPER_PORT": "abc", "WHISPER_DEVICE": "tpu"})
    assert caught.value.message.splitlines() == [
        f"WHISPER_DEVICE='tpu': {DEVICE}",
        f"WHISPER_PORT='abc': {WHOLE_PORT}",
    ]


def test_settings_table() -> None:
    rows = [(name, default) for name, default, _ in Settings.table()]
    assert rows == [
        ("WHISPER_DEVICE", "auto"),
        ("WHISPER_DTYPE", "auto"),
        ("WHISPER_PADDING", "auto"),
        ("WHISPER_STRATEGY", "auto"),
        ("WHISPER_DEFAULT_MODEL", "base"),
        ("WHISPER_MODELS", ""),
        ("WHISPER_ON_DEMAND", ""),
        ("WHISPER_IDLE_SECONDS", "0"),
        ("WHISPER_MEMORY_MIB", "0"),
        ("WHISPER_ALIASES", ""),
        ("WHISPER_MODEL_MIRROR", ""),
        ("WHISPER_API_KEYS", ""),
        ("WHISPER_API_KEYS_FILE", ""),
        ("WHISPER_ALLOW_ANYONE", "false"),
        ("WHISPER_CORS_ORIGINS", ""),
        ("WHISPER_DIALECTS", "azure,groq,asr-webservice,whisper-cpp,json-body"),
        ("WHISPER_MAX_UPLOAD_MIB", "25"),
        ("WHISPER_MAX_PCM_SECONDS", "14400"),
        ("WHISPER_MAX_AUDIO_SECONDS", "43200"),
        ("WHISPER_HOST", "127.0.0.1"),
        ("WHISPER_PORT", "8000"),
        ("WHISPER_WYOMING_PORT", "0"),
        ("WHISPER_WYOMING_HOST", "127.0.0.1"),
        ("WHISPER_SLOTS", "0"),
        ("WHISPER_THREADS", "0"),
        ("WHISPER_TIMEOUT", "3600"),
        ("WHISPER_QUEUE_SECONDS", "14400"),
        ("WHISPER_SHORT_WAIT_SECONDS", "0"),
        ("WHISPER_SHUTDOWN_SECONDS", "20"),
        ("WHISPER_REALTIME_SESSIONS", "100"),
        ("WHISPER_REALTIME_SECONDS", "3600"),
        ("WHISPER_REALTIME_DELAY", "medium"),
        ("WHISPER_LOG_FORMAT", "text"),
        ("WHISPER_JOBS", "true"),
        ("WHISPER_JOBS_DIR", ""),
        ("WHISPER_JOBS_SECONDS", "360000"),
        ("WHISPER_JOBS_EXPIRE_SECONDS", "86400"),
        ("WHISPER_JOBS_DISK_MIB", "4096"),
        ("WHISPER_WEBHOOK_HOSTS", ""),
        ("WHISPER_WEBHOOK_SECRET", ""),
        ("WHISPER_OTLP_ENDPOINT", ""),
    ]


def test_settings_table_descriptions_fit_a_markdown_cell() -> None:
    for _, _, description in Settings.table():
        assert description.endswith(".")
        assert "|" not in description
        assert "\n" not in description


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of a process without any settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", {"PATH": "/bin"})
    return tmp_path


def write_env_file(folder: Path, *lines: str) -> None:
    (folder / ".env").write_text("\n".join(lines), encoding="utf-8")


def test_env_file_gives_what_the_environment_has_not(folder: Path) -> None:
    os.environ |= {"WHISPER_PORT": "9000", "WHISPER_SLOTS": ""}
    write_env_file(
        folder,
        "# a comment",
        "export WHISPER_DEVICE=cuda:1  # so has this line",
        "WHISPER_PORT=9001",
        "WHISPER_SLOTS=3",
        "WHISPER_MODELS='tiny.en, small'",
        'WHISPER_ALIASES="$HOME/a=base,${PATH}=tiny"',
        "WHISPER_TIMEOUT=",
        "PATH=/elsewhere",
    )
    assert Settings.from_environ() == Settings(
        device="cuda:1",
        port=9000,
        models=("tiny.en", "small"),
        aliases=(("$HOME/a", "base"), ("${PATH}", "tiny")),
    )
    assert os.environ["PATH"] == "/bin"


def test_env_file_is_read_by_the_first_process_alone(folder: Path) -> None:
    write_env_file(folder, "WHISPER_PORT=9001")
    assert Settings.from_environ().port == 9001
    write_env_file(folder, "WHISPER_PORT=9002", "WHISPER_SLOTS=3")
    assert Settings.from_environ() == Settings(port=9001)


def test_no_env_file_beside_other_variables_than_the_process_has(folder: Path) -> None:
    write_env_file(folder, "WHISPER_PORT=9001")
    assert Settings.from_environ({}) == Settings()
    assert not any(name.startswith("WHISPER_") for name in os.environ)


def test_no_env_file_of_a_folder_above(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_env_file(folder, "WHISPER_PORT=9001")
    (folder / "below" / ".env").mkdir(parents=True)
    monkeypatch.chdir(folder / "below")
    assert Settings.from_environ() == Settings()


def test_env_file_malformed_setting_is_named(folder: Path) -> None:
    write_env_file(folder, "WHISPER_PORT=abc", "WHISPER_API_KEYS=short")
    with pytest.raises(SettingError) as caught:
        Settings.from_environ()
    assert caught.value.message.splitlines() == [
        f"WHISPER_API_KEYS=...: {KEYS}",
        f"WHISPER_PORT='abc': {WHOLE_PORT}",
    ]


def test_env_file_that_is_no_text_ends_the_start(folder: Path) -> None:
    (folder / ".env").write_bytes(b"WHISPER_PORT=\xff")
    with pytest.raises(SettingError, match=r"^\.env cannot be read: .*utf-8"):
        Settings.from_environ()


def test_settings_show_no_keys() -> None:
    settings = Settings.from_environ({"WHISPER_API_KEYS": "a-secret-key"})
    assert len(settings.api_keys) == 1
    assert "api_keys=" not in repr(settings)


def test_settings_webhook_hosts() -> None:
    settings = Settings.from_environ({"WHISPER_WEBHOOK_HOSTS": "Example.org, *.a.example,[::1]:90"})
    assert settings.webhook_hosts == ("example.org", "*.a.example", "[::1]:90")


def secret(nbytes: int, fill: bytes = b"x") -> str:
    return f"whsec_{base64.b64encode(fill * nbytes).decode()}"


@pytest.mark.parametrize("between", [",", ", ", " "])
def test_settings_webhook_secrets(between: str) -> None:
    given = between.join([secret(24), secret(64, b"y")])
    found = Settings.from_environ({"WHISPER_WEBHOOK_SECRET": given}).webhook_secret
    assert [each.get_secret_value() for each in found] == [b"x" * 24, b"y" * 64]


@pytest.mark.parametrize(
    "given",
    [
        "a-secret-of-ours",
        secret(23),
        secret(65),
        secret(24).removeprefix("whsec_"),
        f"x{secret(24)}",
        f"{secret(24)},",
        secret(25).rstrip("="),
        f"{secret(24)}-",
    ],
)
def test_settings_webhook_secret_malformed_is_not_shown(given: str) -> None:
    with pytest.raises(SettingError) as caught:
        Settings.from_environ({"WHISPER_WEBHOOK_SECRET": given})
    assert caught.value.message == (
        "WHISPER_WEBHOOK_SECRET=...: wanted whsec_ and 24 to 64 bytes in base64; several with "
        "commas or spaces between"
    )
