"""Places calls: checks who may be called, asks a vendor or a trunk, follows what becomes of it."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import aiohttp

from voice_server.bodies import read_body
from voice_server.records import StorageError
from voice_server.telephony.calls import Calls, Full, Ticket
from voice_server.telephony.dial_rules import (
    Dialling,
    NotDialled,
    Pace,
    allowed_from,
    check_number,
    e164,
)
from voice_server.telephony.line import Line, digits, masked
from voice_server.telephony.outbound import REASON_CHARS, Outbound
from voice_server.telephony.outgoing import CallBook, Outgoing, Wish
from voice_server.telephony.ports import Meter, TelephonyBackend
from voice_server.telephony.vendor_calls import (
    PlaceCall,
    RestRequest,
    VendorCalls,
    VendorRefused,
    read_reply,
    vendor_calls,
)

log = logging.getLogger(__name__)

REST_S = 10.0
"""A vendor's API that has not answered by then: the call counts as not placed, and is ended if an
answer comes all the same."""

GRACE_S = 20.0
"""A call of which nothing is heard so long after it must have stopped ringing is over."""

REPLY_BYTES = 64 * 1024
KEPT = 1000
"""Calls that can still be asked for; the oldest are forgotten."""


class Trunk(Protocol):
    """Places calls by our own SIP."""

    async def place(self, outgoing: Outgoing, ticket: Ticket) -> None:
        """Send the INVITE. Raises NotDialled."""

    def cancel(self, outgoing: Outgoing) -> None:
        """End it, ringing or not."""


@dataclass(frozen=True, slots=True)
class Placing:
    """What the dialler is made of."""

    backend: TelephonyBackend
    calls: Calls
    meter: Meter
    check_room: Callable[[], None]
    now: Callable[[], float]
    """Monotonic seconds."""


class Dialler:
    """All calls that this server places."""

    def __init__(
        self,
        placing: Placing,
        *,
        book: Callable[[], CallBook | None],
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``book``: once the storage is open."""
        self._placing = placing
        self._backend = placing.backend
        self._book = book
        self._wall = wall
        self._pace = Pace()
        # Bounded by KEPT: those that are over longest go first.
        self._calls: OrderedDict[str, Outgoing] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._http: aiohttp.ClientSession | None = None
        self.trunk: Trunk | None = None
        self.base_url = placing.backend.public_url.rstrip("/")
        """``https://host``: how vendors reach us."""

    def find(self, id: str) -> Outgoing | None:
        """Return a call by its id, None for one that is unknown or forgotten."""
        return self._calls.get(id)

    @property
    def recent(self) -> list[Outgoing]:
        """The last calls, newest first."""
        return list(self._calls.values())[::-1]

    # ---------------------------------------------------------------- placing

    async def place(self, wish: Wish) -> Outgoing:
        """Check a wish and place the call; what becomes of it is in the result.

        Raises NotDialled: nothing was placed.
        """
        try:
            outgoing = await self._checked(wish)
        except NotDialled as refused:
            self._placing.meter.count("calls_not_placed_total", code=refused.code)
            self._audit(wish, "call.refused", code=refused.code)
            log.info("a call to %s is not placed: %s", masked(wish.number), refused)
            raise
        call = outgoing.outbound
        ticket = Ticket(
            outgoing.vendor, "", call.number, call.line.number, outgoing=outgoing
        )  # fmt: skip
        self._keep(outgoing)
        self._audit(wish, "call.placed", id=call.id, line=call.line.name, vendor=outgoing.vendor)
        try:
            if outgoing.vendor == "sip":
                assert self.trunk is not None, "checked"  # noqa: S101
                await self.trunk.place(outgoing, ticket)
            else:
                await self._ask_vendor(outgoing, ticket)
        except NotDialled as refused:
            outgoing.finish("failed", str(refused))
            raise
        self._placing.meter.count("calls_placed_total", vendor=outgoing.vendor)
        self._spawn(self._watch(outgoing))
        return outgoing

    async def _checked(self, wish: Wish) -> Outgoing:
        """Return the call as it will be placed. Raises NotDialled."""
        number = e164(wish.number)
        line, dialling = self._line(wish)
        check_number(number, dialling.allow)
        book = self._book()
        if book is None:
            raise NotDialled("not_ready", "the server is still loading")
        try:
            self._placing.check_room()
            if await book.opted_out(number, line.shop):
                raise NotDialled("opted_out", "this number has asked not to be called any more")
        except Full as full:
            raise NotDialled("not_ready", str(full)) from None
        except StorageError as error:
            raise NotDialled("not_ready", f"it is not known who opted out: {error}") from None
        self._check_time(book, number, line, promised=wish.purpose == "call_back")
        self._check_carrier(dialling)
        language = wish.language if wish.language in line.languages else line.language
        reason = " ".join(wish.reason.split())[:REASON_CHARS]
        id_ = self._backend.new_id("out")
        outbound = Outbound(id_, line, number, language, wish.purpose, reason)
        self._pace.take(line.name, number, dialling.per_minute, self._placing.now())
        return Outgoing(outbound, wish.by, self._placing.now(), dialling.vendor)

    def _line(self, wish: Wish) -> tuple[Line, Dialling]:
        lines = [one for one in self._backend.lines() if wish.shop in ("", one.shop)]
        if wish.line:
            number = digits(wish.line)
            lines = [
                one for one in lines
                if one.name == wish.line or (number and digits(one.number) == number)
            ]  # fmt: skip
        if not lines:
            raise NotDialled("no_line", "there is no such line: see [[phone.lines]] of the shop")
        for line in lines:
            if line.dialling is not None:
                return line, line.dialling
        raise NotDialled("no_outbound", "this line does not call out: it has no 'outbound' table")

    def _check_time(self, book: CallBook, number: str, line: Line, *, promised: bool) -> None:
        now = self._wall()
        shop_opens = book.open_from(line.shop, now)
        if shop_opens is None or shop_opens > now:
            raise NotDialled("closed", "the shop is closed", shop_opens)
        free = allowed_from(number, now, promised=promised)
        if free is None or free > now:
            raise NotDialled("quiet_hours", "people there are not called at this time", free)

    def _check_carrier(self, dialling: Dialling) -> None:
        if dialling.vendor == "sip":
            if self.trunk is None:
                raise NotDialled("no_outbound", "set sip and sip_trunk to call by SIP")
            return
        if dialling.vendor not in self._backend.accounts.usable():
            raise NotDialled(
                "no_outbound", f"the account of {dialling.vendor} is not configured: see the guide"
            )
        if not self.base_url:
            raise NotDialled("no_outbound", "set public_url: the vendor must reach us")

    # ---------------------------------------------------------------- vendors

    async def _ask_vendor(self, outgoing: Outgoing, ticket: Ticket) -> None:
        call, vendor = outgoing.outbound, outgoing.vendor
        dialling = call.line.dialling
        assert dialling is not None, "checked"  # noqa: S101
        token = self._backend.new_id("tk")
        self._placing.calls.late_tickets.put(token, ticket, self._placing.now())
        base = f"{self.base_url}/telephony/{vendor}"
        try:
            api = self._api(vendor)
            request = api.place(
                PlaceCall(
                    call.number, call.line.number,
                    answer_url=f"{base}/placed/{call.id}", events_url=f"{base}/events/{call.id}",
                    stream_url=f"{base}/{token}".replace("http", "ws", 1),
                    ring_s=dialling.ring_s, detect=dialling.detect == "vendor",
                )
            )  # fmt: skip
            status, headers, body = await self._send(request)
            outgoing.vendor_call = read_reply(api, vendor, status, headers, body)
        except VendorRefused as refused:
            again = None
            if refused.later:
                wait_s = min(max(refused.retry_after_s, 60.0), 3600.0)
                again = datetime.fromtimestamp(self._wall().timestamp() + wait_s, UTC)
            raise NotDialled("vendor", str(refused), again) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            what = "does not answer" if isinstance(error, TimeoutError) else "cannot be reached"
            again = datetime.fromtimestamp(self._wall().timestamp() + 60, UTC)
            raise NotDialled("vendor", f"{vendor} {what}", again) from None

    def _api(self, vendor: str) -> VendorCalls:
        return vendor_calls(
            vendor,
            self._backend.accounts,
            now=lambda: self._wall().timestamp(),
            new_id=self._backend.new_id,
        )

    async def _send(self, request: RestRequest) -> tuple[int, Any, bytes]:
        if self._http is None:
            timeout = aiohttp.ClientTimeout(total=REST_S)
            self._http = aiohttp.ClientSession(timeout=timeout)
        async with self._http.request(
            request.method, request.url, headers=dict(request.headers), data=request.body or None,
            allow_redirects=False,
        ) as reply:  # fmt: skip
            return reply.status, reply.headers, await read_body(reply.content, REPLY_BYTES)

    async def _watch(self, outgoing: Outgoing) -> None:
        """End a call that stays without news; tell Telnyx what comes after our stream."""
        dialling = outgoing.outbound.line.dialling
        ring_s = dialling.ring_s if dialling is not None else 0
        while not outgoing.over.is_set():
            try:
                async with asyncio.timeout(ring_s + GRACE_S):
                    await outgoing.over.wait()
            except TimeoutError:
                if outgoing.session is not None:
                    await outgoing.over.wait()
                    break
                outgoing.finish("no_answer", "nothing more was heard of the call")
                await self._end(outgoing)
                return
        if outgoing.vendor == "telnyx" and outgoing.session is not None:
            await self._end(outgoing)

    async def hang_up(self, outgoing: Outgoing) -> None:
        """End a call that rings or goes on."""
        if outgoing.session is not None:
            outgoing.session.end("an operator hung up")
            return
        outgoing.finish("failed", "an operator hung up")
        await self._end(outgoing)

    async def _end(self, outgoing: Outgoing) -> None:
        """Take care that nothing rings or stays open at the vendor."""
        if outgoing.vendor == "sip":
            if self.trunk is not None:
                self.trunk.cancel(outgoing)
            return
        session = outgoing.session
        target = session.flow.tally.transferred_to if session is not None else ""
        try:
            api = self._api(outgoing.vendor)
            request = api.transfer(outgoing.vendor_call, target) if target else None
            status, _, _ = await self._send(request or api.hang_up(outgoing.vendor_call))
            if status >= 400 and status != 404:
                log.warning("%s did not end a call: %d", outgoing.vendor, status)
        except (VendorRefused, aiohttp.ClientError, TimeoutError, OSError) as error:
            log.warning("%s was not told to end a call: %s", outgoing.vendor, error)

    # ---------------------------------------------------------------- keeping

    def _keep(self, outgoing: Outgoing) -> None:
        outgoing.ended = self._over
        self._calls[outgoing.outbound.id] = outgoing
        while len(self._calls) > KEPT:
            self._calls.popitem(last=False)

    def _over(self, outgoing: Outgoing) -> None:
        call = outgoing.outbound
        log.info(
            "a call to %s is over: %s (%s)", masked(call.number), outgoing.outcome, outgoing.words
        )
        self._placing.meter.count("calls_out_total", outcome=outgoing.outcome)
        book = self._book()
        if book is not None:
            book.audit(
                "call.out_over", call.line.shop,
                outgoing.session.id if outgoing.session is not None else call.id,
                id=call.id, outcome=outgoing.outcome, words=outgoing.words, purpose=call.purpose,
            )  # fmt: skip

    def _audit(self, wish: Wish, kind: str, **payload: Any) -> None:
        book = self._book()
        if book is not None:
            book.audit(
                kind, wish.shop, wish.session or payload.get("id", ""), number=masked(wish.number),
                by=wish.by, purpose=wish.purpose, **payload,
            )  # fmt: skip

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """The server stops."""
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)
        if self._http is not None:
            await self._http.close()
