"""Every desk with its vendor's fake, behind one face."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.fakes.desks.chatlayer import SECRET, FakeChatlayer
from tests.fakes.desks.cloud import Cloud
from tests.fakes.desks.dixa import FakeDixa
from tests.fakes.desks.sunshine import APP, FakeSunshine
from tests.fakes.desks.zendesk import FakeZendesk
from voice_server.desk.chatlayer import ChatlayerDesk, ChatlayerOptions
from voice_server.desk.console import ConsoleDesk
from voice_server.desk.console_store import ConsoleStore
from voice_server.desk.dixa import DixaDesk, DixaOptions
from voice_server.desk.packet import Desk
from voice_server.desk.sunshine import SunshineDesk, SunshineOptions
from voice_server.desk.zendesk import ZendeskDesk, ZendeskOptions

REQUEST_S = 0.12
"""Faults that stall cost a test so much; a slow answer counts as one more fault."""


async def inline(function: Callable[..., Any], *values: Any) -> Any:
    """Instead of a thread."""
    return function(*values)


class ConsoleCloud(Cloud):
    """The console has no cloud: its own file answers."""

    store: ConsoleStore

    def tickets(self) -> list[str]:
        return [case.packet.id for case in self.store.open_cases(1000)]

    def notes(self, reference: str) -> list[str]:
        case = self.store.by_reference(reference)
        assert case is not None
        lines = [line.text for _, line in self.store.lines(case.packet.id)]
        return [case.packet.internal_summary, *lines]


@dataclass
class Pair:
    """A desk and where its tickets land."""

    desk: Desk
    cloud: Cloud


@asynccontextmanager
async def pair(name: str) -> AsyncIterator[Pair]:
    """Open a desk by name."""
    cloud: Cloud
    desk: Desk
    if name == "console":
        console = ConsoleCloud()
        console.store = ConsoleStore(":memory:")
        desk = ConsoleDesk(console.store, clock=lambda: 1000.0, in_thread=inline)
        yield Pair(desk, console)
        await desk.close()
        return
    clouds: dict[str, type[Cloud]] = {
        "zendesk": FakeZendesk,
        "sunshine": FakeSunshine,
        "dixa": FakeDixa,
        "chatlayer": FakeChatlayer,
    }
    async with clouds[name]() as cloud:
        desk = make(name, cloud.url)
        try:
            yield Pair(desk, cloud)
        finally:
            await desk.close()


def make(name: str, url: str, request_s: float = REQUEST_S) -> Desk:
    """Return a vendor's desk that asks its fake."""
    if name == "zendesk":
        return ZendeskDesk(
            ZendeskOptions(
                subdomain="marolle",
                token="zd-token",
                email="ops@shop.be",
                group_id=7,
                fields={"commande": 360001},
                line="+3225550123",
                base_url=url,
                request_s=request_s,
            )
        )
    if name == "sunshine":
        return SunshineDesk(
            SunshineOptions(
                app=APP,
                key_id="app_1",
                token="sunco-secret",
                hook_secret="hook-secret",
                base_url=url,
                request_s=request_s,
            )
        )
    if name == "dixa":
        return DixaDesk(
            DixaOptions(
                token="dixa-token",
                contact_endpoint="+3225550123",
                queue_id="q-1",
                email_integration="hello@marolle.example",
                base_url=f"{url}/v1",
                request_s=request_s,
            )
        )
    return ChatlayerDesk(ChatlayerOptions(url=url, secret=SECRET, request_s=request_s))


VENDORS = ("zendesk", "sunshine", "dixa", "chatlayer")
ALL = ("console", *VENDORS)
