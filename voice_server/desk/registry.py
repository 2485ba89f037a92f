"""Makes the desk that a shop's pack names. A new vendor is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from voice_server.desk.chatlayer import ChatlayerDesk, ChatlayerOptions
from voice_server.desk.console import ConsoleDesk
from voice_server.desk.console_store import ConsoleStore
from voice_server.desk.dixa import DixaDesk, DixaOptions
from voice_server.desk.packet import Desk
from voice_server.desk.settings import DeskSettings
from voice_server.desk.sunshine import SunshineDesk, SunshineOptions
from voice_server.desk.zendesk import ZendeskDesk, ZendeskOptions

FIELD = "field_"
"""Options ``field_<slot> = <number>`` map slots to a ticket's custom fields."""


class DeskUnusable(Exception):
    """The desk cannot work as it is set up; the message says what to do."""


def make_desk(settings: DeskSettings, folder: Path, *, token: str = "", secret: str = "") -> Desk:
    """Return the desk of a shop.

    ``folder``: the data folder, for the console.  ``token`` is the vendor's API token, ``secret``
    what its webhooks are signed with (VOICE_SERVER_DESK_TOKEN, VOICE_SERVER_DESK_SECRET).

    Raises:
        DeskUnusable: something that the vendor needs is missing.
        OSError, sqlite3.Error: the console's file cannot be opened.
    """
    if settings.kind == "console":
        return ConsoleDesk(ConsoleStore(folder / "console.db"))
    return _VENDORS[settings.kind](_Options(settings, token, secret))


class _Options:
    """Reads a vendor's options and names what is missing."""

    def __init__(self, settings: DeskSettings, token: str, secret: str) -> None:
        self.kind, self.values = settings.kind, settings.vendor
        self._token, self._secret = token, secret

    def need(self, key: str) -> str:
        value = self.values.get(key, "")
        if not value:
            raise DeskUnusable(f'[desk.{self.kind}] in shop.toml needs {key} = "..."')
        return value

    def get(self, key: str, default: str = "") -> str:
        return self.values.get(key, default)

    def number(self, key: str) -> int:
        value = self.values.get(key, "0")
        if not value.isdecimal():
            raise DeskUnusable(f"[desk.{self.kind}] in shop.toml: {key} must be a whole number")
        return int(value)

    @property
    def token(self) -> str:
        if not self._token:
            raise DeskUnusable(f"the desk {self.kind} needs VOICE_SERVER_DESK_TOKEN")
        return self._token

    @property
    def secret(self) -> str:
        if not self._secret:
            raise DeskUnusable(f"the desk {self.kind} needs VOICE_SERVER_DESK_SECRET")
        return self._secret


def _zendesk(options: _Options) -> Desk:
    fields = {
        key.removeprefix(FIELD): options.number(key)
        for key in options.values
        if key.startswith(FIELD)
    }
    return ZendeskDesk(
        ZendeskOptions(
            subdomain=options.need("subdomain"),
            token=options.token,
            email=options.get("email"),
            group_id=options.number("group_id"),
            fields=fields,
            line=options.get("line"),
        )
    )


def _sunshine(options: _Options) -> Desk:
    default = SunshineOptions()
    return SunshineDesk(
        SunshineOptions(
            app=options.need("app"),
            key_id=options.need("account"),
            token=options.token,
            agents=options.get("agents", default.agents),
            ours=options.get("ours", default.ours),
            hook_secret=options.secret,
            base_url=options.get("base_url", default.base_url),
        )
    )


def _dixa(options: _Options) -> Desk:
    return DixaDesk(
        DixaOptions(
            token=options.token,
            contact_endpoint=options.get("contact_endpoint"),
            queue_id=options.need("queue_id"),
            email_integration=options.need("email_integration"),
        )
    )


def _chatlayer(options: _Options) -> Desk:
    url = options.need("url")
    if not url.startswith("https://"):
        raise DeskUnusable("[desk.chatlayer] in shop.toml: url must begin with https://")
    return ChatlayerDesk(ChatlayerOptions(url=url, secret=options.secret))


_VENDORS: Mapping[str, Callable[[_Options], Desk]] = {
    "zendesk": _zendesk,
    "sunshine": _sunshine,
    "dixa": _dixa,
    "chatlayer": _chatlayer,
}
