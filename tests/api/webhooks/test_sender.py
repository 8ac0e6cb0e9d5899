"""One attempt to send a webhook, over real connections: what is sent, and where it never goes."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import httpcore
import pytest
from standardwebhooks.webhooks import Webhook

from api.public_addresses import Address
from api.settings import Settings
from api.webhooks import pinned_backend, sender
from api.webhooks.pinned_backend import Resolve
from api.webhooks.sender import Reply, WebhookSender
from api.webhooks.webhook_config import webhook_config
from tests.certificates import self_signed
from tests.receiver import LONGEST_SECONDS, SECRET, Receiver, closed_port, receiving
from tests.wire.promises import promises

HERE = "127.0.0.1"
ROOT = Path(__file__).parent.parent.parent.parent


class Names:
    """A resolver: the addresses of the next look-up of any name, the last ones again and again."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[Address]:
        """The addresses."""
        self.asked.append(host)
        texts = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [ip_address(text) for text in texts]


def sent(
    url: str,
    hosts: str,
    names: Resolve | None = None,
    tls: ssl.SSLContext | None = None,
    body: bytes = b"{}",
) -> Reply:
    """What comes of an attempt, where these hosts are listed."""
    environ = {"WHISPER_WEBHOOK_HOSTS": hosts, "WHISPER_WEBHOOK_SECRET": SECRET}
    config = webhook_config(Settings.from_environ(environ))
    assert config
    return asyncio.run(
        WebhookSender(config, "1.2.3", resolve=names, tls=tls).send(url, "evt_1", body)
    )


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def test_event_is_a_signed_post(receiver: Receiver) -> None:
    reply = sent(receiver.url("/a?b=c"), f"127.0.0.1:{receiver.port}", body='{"a":"ä"}'.encode())

    assert reply == Reply(200)
    [delivery] = receiver.deliveries
    assert delivery.path == "/a?b=c"
    assert delivery.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert delivery.headers["content-type"] == "application/json"
    assert delivery.headers["user-agent"] == "whisper-bento/1.2.3"
    assert delivery.headers["webhook-id"] == "evt_1"
    assert Webhook(SECRET).verify(delivery.body, delivery.headers) == {"a": "ä"}


def test_name_is_looked_up_once_and_connected_to_where_it_led(receiver: Receiver) -> None:
    names = Names([HERE], ["93.184.216.34"])
    reply = sent(
        f"http://receiver:{receiver.port}/",
        f"receiver:{receiver.port},{HERE}:{receiver.port}",
        names,
    )

    assert reply == Reply(200)
    assert names.asked == ["receiver"]
    assert receiver.deliveries[0].headers["host"] == f"receiver:{receiver.port}"


@promises(
    "Background jobs",
    "No webhook goes to an address that is not of the internet, unless its host is of the list as "
    "an address or as a name of one's own network: names are looked up once, and every address "
    "that they have is checked",
    "extension",
)
@pytest.mark.parametrize(
    "addresses",
    [
        [HERE],
        ["169.254.169.254"],
        ["10.0.0.1"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        # One that is of the internet does not make up for another.
        ["93.184.216.34", HERE],
        [],
    ],
)
def test_name_that_leads_to_a_forbidden_address_is_not_connected_to(
    receiver: Receiver, addresses: list[str]
) -> None:
    hosts = f"hooks.example.org:{receiver.port}"
    reply = sent(f"http://hooks.example.org:{receiver.port}/", hosts, Names(addresses))

    assert reply == Reply(error="address_not_allowed")
    assert receiver.deliveries == []


def test_name_that_leads_elsewhere_the_next_time_is_refused_then(receiver: Receiver) -> None:
    names, port = Names([HERE], ["127.0.0.2"]), receiver.port
    url, hosts = f"http://hooks.example.org:{port}/", f"hooks.example.org:{port},{HERE}:{port}"

    assert sent(url, hosts, names) == Reply(200)
    assert sent(url, hosts, names) == Reply(error="address_not_allowed")
    assert len(receiver.deliveries) == 1


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("http://127.0.0.1/", "example.org"),
        ("http://127.0.0.1:9/", "127.0.0.1"),
        ("http://169.254.169.254/latest/meta-data", "example.org,*.example.org"),
    ],
)
def test_host_that_is_not_listed_any_more_is_not_looked_up(url: str, hosts: str) -> None:
    names = Names([HERE])
    assert sent(url, hosts, names) == Reply(error="host_not_allowed")
    assert names.asked == []


@promises("Background jobs", "Webhooks follow no redirect: it counts as not delivered", "extension")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_not_followed(receiver: Receiver, status: int) -> None:
    receiver.statuses, receiver.location = [status], receiver.url("/elsewhere")
    assert sent(receiver.url(), f"127.0.0.1:{receiver.port}") == Reply(status)
    assert [each.path for each in receiver.deliveries] == ["/hook"]


def test_proxies_of_the_environment_are_not_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert sent(receiver.url(), f"127.0.0.1:{receiver.port}") == Reply(200)


def test_much_that_a_receiver_says_is_not_read(receiver: Receiver) -> None:
    receiver.answer = bytes(20_000_000)
    assert sent(receiver.url(), f"127.0.0.1:{receiver.port}") == Reply(200)


@contextmanager
def speaking(*pieces: bytes) -> Iterator[int]:
    """A listener that says this to whoever connects, and then nothing; its port."""
    with socket.create_server((HERE, 0)) as listener:
        connections: list[socket.socket] = []

        def serve() -> None:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connections.append(connection)
            for piece in pieces:
                connection.sendall(piece)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in connections:
                connection.close()


def test_receiver_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sender.LIMIT_SECONDS == 10
    monkeypatch.setattr(sender, "LIMIT_SECONDS", 0.2)
    with speaking() as port:
        assert sent(f"http://127.0.0.1:{port}/", f"127.0.0.1:{port}") == Reply(error="timeout")


def test_receiver_that_stops_in_its_answer_has_taken_the_event() -> None:
    with speaking(b"HTTP/1.1 204 Fine\r\ncontent-length: 9\r\n\r\n") as port:
        assert sent(f"http://127.0.0.1:{port}/", f"127.0.0.1:{port}") == Reply(204)


def test_limit_ends_with_the_status(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    async def read_for_long(response: httpcore.Response) -> None:
        loop = asyncio.get_running_loop()
        later = loop.time() + 2 * sender.LIMIT_SECONDS
        monkeypatch.setattr(loop, "time", lambda: later)
        # What is due by then comes first.
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    monkeypatch.setattr(sender, "_read_a_little", read_for_long)
    assert sent(receiver.url(), f"127.0.0.1:{receiver.port}") == Reply(200)


@pytest.mark.parametrize("said", [b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 xyz\r\n\r\n", b"\x00" * 200_000])
def test_receiver_that_speaks_something_else(said: bytes) -> None:
    with speaking(said) as port:
        assert sent(f"http://127.0.0.1:{port}/", f"127.0.0.1:{port}") == Reply(error="broken")


def test_receiver_that_is_down() -> None:
    with closed_port() as port:
        url, hosts = f"http://127.0.0.1:{port}/", f"127.0.0.1:{port}"
        assert sent(url, hosts) == Reply(error="unreachable")


def test_address_that_takes_no_connection_is_followed_by_the_next(receiver: Receiver) -> None:
    # Nothing listens on this machine's other addresses of loopback.
    names, port = Names(["127.0.0.9", HERE]), receiver.port
    assert sent(f"http://localhost:{port}/", f"localhost:{port}", names) == Reply(200)


def test_name_that_does_not_exist() -> None:
    async def unknown(host: str, port: int) -> Sequence[Address]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    reply = sent("http://nothing.invalid/", "nothing.invalid", unknown)
    assert reply == Reply(error="name_not_found")


def test_system_resolver_knows_localhost(receiver: Receiver) -> None:
    port = receiver.port
    assert sent(f"http://localhost:{port}/", f"localhost:{port}") == Reply(200)


# A look-up that never ends, of a process that wants to end.
HANGING = """
import asyncio, threading
from api.webhooks import pinned_backend
asked = threading.Event()
def ask(host, port):
    asked.set()
    threading.Event().wait()
pinned_backend._addresses = ask
async def main():
    task = asyncio.create_task(pinned_backend.system_addresses("x", 1))
    await asyncio.to_thread(asked.wait)
    task.cancel()
asyncio.run(main())
"""


def test_look_ups_that_hang_keep_no_other_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()

    def ask(host: str, port: int) -> list[str]:
        if host == "slow":
            answered.wait()
        return [HERE]

    monkeypatch.setattr(pinned_backend, "_addresses", ask)

    async def scenario() -> None:
        slow = [asyncio.create_task(pinned_backend.system_addresses("slow", 1)) for _ in range(20)]
        await asyncio.sleep(0)
        async with asyncio.timeout(LONGEST_SECONDS):
            assert await pinned_backend.system_addresses("quick", 1) == [ip_address(HERE)]
            assert not any(task.done() for task in slow)
            answered.set()
            assert await asyncio.gather(*slow) == [[ip_address(HERE)]] * 20

    try:
        asyncio.run(scenario())
    finally:
        answered.set()


def test_look_up_that_hangs_does_not_keep_the_process_from_ending() -> None:
    subprocess.run([sys.executable, "-c", HANGING], cwd=ROOT, check=True, timeout=LONGEST_SECONDS)


def test_url_that_is_no_longer_one_is_told_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    reply = sent("http\u017f://hooks.example.org/token", "hooks.example.org")
    assert reply == Reply(error="host_not_allowed")
    assert "token" not in caplog.text


def test_certificates_that_cannot_be_loaded_are_an_error_of_the_attempt(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "nowhere" / "keys"))
    hosts = f"127.0.0.1:{receiver.port}"
    assert sent(receiver.url().replace("http:", "https:"), hosts) == Reply(error="tls")
    assert receiver.deliveries == []
    # Who sends by http needs none.
    assert sent(receiver.url(), hosts) == Reply(200)


@pytest.mark.parametrize(
    ("name", "reply"), [("receiver", Reply(200)), ("other", Reply(error="tls"))]
)
def test_certificate_is_held_against_the_name(tmp_path: Path, name: str, reply: Reply) -> None:
    certificate = self_signed(tmp_path, "receiver")
    trusted = ssl.create_default_context(cafile=certificate.path)
    with receiving(certificate=certificate) as receiver:
        port = receiver.port
        url, hosts = f"https://{name}:{port}/", f"{name}:{port},{HERE}:{port}"
        assert sent(url, hosts, Names([HERE]), trusted) == reply
        assert len(receiver.deliveries) == (1 if reply.status else 0)


def test_certificate_that_nobody_has_signed_is_refused(tmp_path: Path) -> None:
    with receiving(certificate=self_signed(tmp_path)) as receiver:
        url = receiver.url().replace("http:", "https:")
        assert sent(url, f"127.0.0.1:{receiver.port}") == Reply(error="tls")
