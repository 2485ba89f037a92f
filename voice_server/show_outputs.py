"""Where the shows of one server go: what the settings name from the start, what the host adds."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

from aiohttp import web

from voice_server.config import LOOPBACK, Settings
from voice_server.live.out.output import Look, ShowOutput
from voice_server.live.out.target import OutError, Target, parse_record, read_push
from voice_server.live.session import ShowSession
from voice_server.web.live_out import OutBackend, add_live_out

log = logging.getLogger(__name__)

FOLDER = "recordings"
"""Folder of the data with what hosts record."""


class ShowOutputs:
    """One output a show that runs."""

    def __init__(self, settings: Settings) -> None:
        """Nothing goes out yet."""
        self._settings = settings
        self._outputs: dict[str, ShowOutput] = {}
        self._begun: set[str] = set()
        self._port = settings.port

    def get(self, show_id: str) -> ShowOutput | None:
        """Return a show's output, None when there is no such show."""
        return self._outputs.get(show_id)

    def listening(self, port: int) -> None:
        """The server listens; our own browser comes there."""
        self._port = port

    def add_routes(self, application: web.Application, shop_of: Callable[[str], str]) -> None:
        """Add the routes of what leaves."""
        add_live_out(application, OutBackend(self.get, self._settings.data / FOLDER, shop_of))

    def open(self, session: ShowSession) -> None:
        """A show begins to wait; what the settings name starts with the first one.

        After its end it is not begun anew: a platform would see the same show again and again.
        """
        sheet = session.sheet
        output = self._outputs[sheet.id] = ShowOutput(
            sheet.id,
            address=self._address,
            alarms=session.alarms,
            language=sheet.language,
            on_change=lambda: session.pages.send(output.report(), keep=True, host=True),
        )
        if sheet.id in self._begun:
            return
        self._begun.add(sheet.id)
        look = Look(self._settings.show_layout, sheet.language, sheet.language)
        try:
            for target in wishes(self._settings, sheet.id):
                output.start(target, look)
        except OutError as error:
            log.error("the show %s does not leave: %s", sheet.id, error)

    async def close(self, show_id: str, *, aired: bool = True) -> None:
        """A show is over: what goes out ends, recordings are made whole.

        One that was not ``aired`` (its run-sheet was edited) begins again with the next.
        """
        if not aired:
            self._begun.discard(show_id)
        output = self._outputs.pop(show_id, None)
        if output is not None:
            await output.close()

    def _address(self) -> str:
        host = self._settings.host
        if host in LOOPBACK or host in ("", "0.0.0.0", "::"):  # noqa: S104
            host = "::1" if host in ("::1", "::") else "127.0.0.1"
        return f"http://{f'[{host}]' if ':' in host else host}:{self._port}"


def wishes(settings: Settings, show_id: str) -> Iterator[Target]:
    """Return where the settings send a show. Raises OutError."""
    for secret in settings.show_push:
        name, _, address = secret.get_secret_value().partition("=")
        if name == show_id:
            yield read_push(address)
    for wish in settings.show_record:
        name, _, path = wish.partition("=")
        if name == show_id:
            yield parse_record(path)
