"""Configuration of webhooks: hosts and secrets, and whether there are any."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus

from api.errors import ApiError
from api.settings import Settings
from api.webhook_hosts import MAX_URL, Target, WebhookHosts


@dataclass(frozen=True)
class WebhookConfig:
    """Where webhooks may go, and the secrets that each of them is signed by."""

    hosts: WebhookHosts
    secrets: tuple[bytes, ...] = field(repr=False)

    def check(self, url: str) -> None:
        """Refuse a URL that no webhook goes to.

        Raises:
            ApiError: it is malformed, or its host is not allowed (400).
        """
        try:
            target = Target.of(url)
        except ValueError:
            message = (
                "webhook_url must be an http or https URL such as https://example.org/done: a name "
                f"or an address, ASCII alone, up to {MAX_URL} characters, without a user name and "
                "without a fragment."
            )
            raise _refused(message, "invalid_value") from None
        if not self.hosts.allow(target):
            message = (
                f"This server sends no webhooks to {target.scheme}://{target.origin}: "
                "WHISPER_WEBHOOK_HOSTS does not have it."
            )
            raise _refused(message, "unsupported_value")


def webhook_config(settings: Settings) -> WebhookConfig | None:
    """What these settings mean; None: webhooks are off."""
    if not (settings.webhook_hosts and settings.webhook_secret):
        return None
    secrets = tuple(secret.get_secret_value() for secret in settings.webhook_secret)
    return WebhookConfig(WebhookHosts(settings.webhook_hosts), secrets)


def webhook_problem(settings: Settings) -> str | None:
    """The reason not to start with these settings; None: there is none."""
    if settings.webhook_hosts and not settings.webhook_secret:
        return (
            "WHISPER_WEBHOOK_HOSTS is set without WHISPER_WEBHOOK_SECRET, and no webhook is sent "
            "unsigned: set both, or neither"
        )
    return None


def checked_url(url: str | None, config: WebhookConfig | None) -> str | None:
    """The URL of a request, if it has one.

    Raises:
        ApiError: webhooks are off, or none goes to it (400).
    """
    if url is None:
        return None
    if config is None:
        message = "This server sends no webhooks: WHISPER_WEBHOOK_HOSTS is empty. Ask for the job."
        raise _refused(message, "unsupported_value")
    config.check(url)
    return url


def _refused(message: str, code: str) -> ApiError:
    return ApiError(message, status=HTTPStatus.BAD_REQUEST, param="webhook_url", code=code)
