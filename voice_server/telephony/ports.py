"""What telephony needs from the rest of the server; made by the app."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from voice_server.conversation.notices import Notice
from voice_server.conversation.orders import Order
from voice_server.conversation.transcript import History
from voice_server.ids import IdFactory, new_id
from voice_server.records import CallLog, EventLog
from voice_server.speech.engine import Audio
from voice_server.telephony.call import Features
from voice_server.telephony.line import Line
from voice_server.telephony.vendor_calls import VendorAccounts

if TYPE_CHECKING:
    from voice_server.telephony.outgoing import CallBook


class CallConversation(Protocol):
    """A conversation as a call sees it."""

    history: History

    async def run(self) -> None:
        """Serve until :meth:`close`."""

    def order(self, order: Order) -> None:
        """Carry out an order; never blocks."""

    def close(self, reason: str = "closed") -> None:
        """End soon."""


class OpenCall(Protocol):
    """Makes conversations for calls."""

    def __call__(
        self,
        *,
        session_id: str,
        line: Line,
        language: str,
        features: Features,
        emit: Callable[[Notice], None],
        history: History,
    ) -> CallConversation:
        """Return a conversation that has not begun: 16 kHz in, pieces of 20 ms out.

        ``features.lead_ms`` is its lead; with ``features.clears`` or without ``buffers`` the line
        forgets what it has not played at OutputPaused (``flushes``).
        """


class Meter(Protocol):
    """Counts what operators watch."""

    def count(self, name: str, amount: float = 1.0, **labels: str) -> None:
        """Add to a counter."""

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Add one observation to a histogram."""


class CallBooks(EventLog, CallLog, Protocol):
    """Where calls are written down."""


class TranslateForStaff(Protocol):
    """Translates what was said in a call for who watches it."""

    def __call__(self, *, shop: str, text: str, language: str) -> Awaitable[str]:
        """Return the words in the company's language, "" where that is not possible."""


class SpeakText(Protocol):
    """Says a sentence outside of any conversation: to a human who is being called."""

    def __call__(self, *, shop: str, text: str, language: str) -> Awaitable[Audio]:
        """Return float32 [n] at 24 kHz. Raises EngineError."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What vendors prove themselves with; "" switches a vendor off outside demo mode."""

    twilio: str = ""
    """Auth token."""
    plivo: str = ""
    """Auth token."""
    telnyx: str = ""
    """Public key of the account, base64."""
    vonage: str = ""
    """Signature secret."""
    genesys_key: str = ""
    genesys_secret: str = ""
    """Client secret, base64."""
    asterisk: str = ""
    """A password of the operator's own, for the dialplan."""


@dataclass(frozen=True, slots=True)
class SipAccount:
    """Who may call by SIP, and how we are reached."""

    host: str = ""
    """Our address for the trunk's sound and signalling; "": the one that routes to it."""
    user: str = ""
    password: str = ""
    """What callers that are no peers must prove by digest; "" refuses them."""
    peers: frozenset[str] = frozenset()
    """Addresses of the trunk, which need no password."""
    tls: tuple[str, int] | None = None
    """Where SIP by TLS is listened for; None: nowhere."""
    certificate: str = ""
    key: str = ""
    """Files (PEM) of the certificate that callers by TLS see, its chain included, and its key."""


@dataclass(frozen=True, slots=True)
class SipTrunk:
    """Who carries the calls that we place by SIP."""

    address: str = ""
    """``host[:port]``, reached by UDP; "": no calls are placed."""
    domain: str = ""
    """In the addresses that are called; "": the trunk's own."""
    user: str = ""
    password: str = field(default="", repr=False)
    register: bool = False
    """Tell it where we are, for the calls that it brings."""
    transport: Literal["UDP", "TCP", "TLS"] = "UDP"
    """Of the registration and of what it brings."""
    authority: str = ""
    """File of the certificates that vouch for it by TLS; "": the system's."""


@dataclass(frozen=True, slots=True)
class TelephonyBackend:
    """Everything ``/telephony`` needs."""

    open_call: OpenCall
    lines: Callable[[], tuple[Line, ...]]
    """The shop's lines now: its pack may be edited while the server runs."""
    secrets: Secrets = Secrets()
    sip: SipAccount = SipAccount()
    demo: bool = False
    """On loopback without keys: unsigned calls are taken."""
    public_url: str = ""
    """``https://host`` as vendors call it; "": what the request says, for a proxy that passes the
    Host header on."""
    max_calls: int = 100
    books: Callable[[], CallBooks | None] = lambda: None
    """The store, once it is open; None keeps records in memory only."""
    translate: TranslateForStaff | None = None
    speak: SpeakText | None = None
    """None: a human is told nothing where we would have to say it ourselves (SIP, Asterisk)."""
    accounts: VendorAccounts = VendorAccounts()
    """For calls that we place."""
    trunk: SipTrunk = SipTrunk()
    call_book: Callable[[], CallBook | None] = lambda: None
    """Whom to call and when, and recordings; None while the storage is not open."""
    not_yet: Callable[[], str] = str
    """Why no call can be taken now ("the models are loading"); "" when one can."""
    new_id: IdFactory = new_id
