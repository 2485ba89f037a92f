"""Joins phone lines with shops: which line is whose, and what a call's conversation is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Protocol

from aiohttp import web

from voice_server.call_staff import CallStaff
from voice_server.config import LOOPBACK, Settings
from voice_server.conversation.notices import Notice
from voice_server.conversation.services import ConversationOptions
from voice_server.conversation.transcript import History
from voice_server.shop.phone import PhoneLine
from voice_server.shop.phone_outbound import PhoneOutbound
from voice_server.shop.shop import Shop
from voice_server.speech.engine import LISTENING_RATE
from voice_server.telephony.call import Features
from voice_server.telephony.dial_rules import Dialling
from voice_server.telephony.line import Line
from voice_server.telephony.outbound_phrases import always_said
from voice_server.telephony.outgoing import CallBook
from voice_server.telephony.phrases import PhonePhrase, phrase
from voice_server.telephony.ports import (
    CallBooks,
    CallConversation,
    Secrets,
    SipAccount,
    SipTrunk,
    TelephonyBackend,
)
from voice_server.telephony.vendor_calls import VendorAccounts
from voice_server.web.telephony import add_telephony

PIECE_MS = 20.0
"""A frame of every phone."""


class MakeConversation(Protocol):
    """The app's own way to open a conversation with a shop."""

    def __call__(
        self,
        shop_id: str,
        options: ConversationOptions,
        *,
        emit: Callable[[Notice], None],
        history: History,
    ) -> CallConversation:
        """Return a conversation that has not begun. Raises EngineError while loading."""


def telephony_backend(
    settings: Settings,
    shops: Callable[[], Iterable[Shop]],
    make: MakeConversation,
    *,
    ready: Callable[[], Mapping[str, bool]],
    staff: CallStaff | None = None,
    books: Callable[[], CallBooks | None] = lambda: None,
    call_book: Callable[[], CallBook | None] = lambda: None,
) -> TelephonyBackend:
    """Return what ``/telephony`` needs. ``shops``: all of them, the default first."""

    def open_call(
        *,
        session_id: str,
        line: Line,
        language: str,
        features: Features,
        emit: Callable[[Notice], None],
        history: History,
    ) -> CallConversation:
        options = ConversationOptions(
            session_id,
            input_rate=LISTENING_RATE,
            language=language,
            flushes=features.clears or not features.buffers,
            lead_ms=features.lead_ms,
            piece_ms=PIECE_MS,
        )
        return make(line.shop, options, emit=emit, history=history)

    def not_yet() -> str:
        missing = [engine for engine, there in ready().items() if not there]
        return f"the server is still loading: {', '.join(missing)}" if missing else ""

    return TelephonyBackend(
        open_call,
        lambda: lines(shops(), staff.language if staff is not None else None),
        secrets=Secrets(
            twilio=settings.twilio_auth_token.get_secret_value(),
            plivo=settings.plivo_auth_token.get_secret_value(),
            telnyx=settings.telnyx_public_key,
            vonage=settings.vonage_signature_secret.get_secret_value(),
            genesys_key=settings.genesys_api_key.get_secret_value(),
            genesys_secret=settings.genesys_client_secret.get_secret_value(),
            asterisk=settings.asterisk_password.get_secret_value(),
        ),
        sip=SipAccount(
            settings.sip_host,
            settings.sip_user,
            settings.sip_password.get_secret_value(),
            frozenset(settings.sip_peers),
            listen_address("sip_tls", settings.sip_tls),
            settings.sip_certificate,
            settings.sip_key,
        ),
        demo=settings.demo_mode,
        public_url=settings.public_url,
        max_calls=settings.max_calls,
        not_yet=not_yet,
        books=books,
        call_book=call_book,
        accounts=accounts(settings),
        trunk=SipTrunk(
            settings.sip_trunk,
            settings.sip_trunk_domain,
            settings.sip_trunk_user,
            settings.sip_trunk_password.get_secret_value(),
            register=settings.sip_trunk_register,
            transport=settings.sip_trunk_transport,
            authority=settings.sip_trunk_authority,
        ),
        translate=staff.translate if staff is not None else None,
        speak=staff.speak if staff is not None else None,
    )


def lines(
    shops: Iterable[Shop], staff_language: Callable[[str], str] | None = None
) -> tuple[Line, ...]:
    """Return the lines of all shops; without any, the first shop takes every call.

    ``staff_language``: shop id to the language of its people, None for each shop's own first.
    """
    shops = list(shops)

    def _line(shop: Shop, phone: PhoneLine) -> Line:
        language = staff_language(shop.id) if staff_language else shop.default_language
        return replace(_spoken(shop, phone), staff_language=language)

    found = [_line(shop, phone) for shop in shops for phone in shop.phone]
    if not found and shops:
        keys = {str(key): language for key, language in enumerate(shops[0].languages, 1)}
        found = [_line(shops[0], PhoneLine(shops[0].languages, name="all numbers", keys=keys))]
    return tuple(found)


def spoken_by_phone(lines: Iterable[Line]) -> Iterator[tuple[Line, str, str]]:
    """Yield line, language and text of what only a phone says: for the phrase cache."""
    for line in lines:
        for language in line.languages:
            key = next((key for key, chosen in line.keys.items() if chosen == language), "")
            for which in PhonePhrase:
                if which is not PhonePhrase.WHISPER and (key or which is not PhonePhrase.CHOICE):
                    yield line, language, phrase(which, language, key=key)
            out, recording = line.dialling is not None, line.recording
            for text in always_said(
                language, line.shop_name, line.number, out=out, recording=recording
            ):
                yield line, language, text


def _spoken(shop: Shop, phone: PhoneLine) -> Line:
    return Line(
        languages=phone.languages,
        greetings={language: shop.text(language).greeting for language in phone.languages},
        number=phone.number,
        name=phone.name,
        shop=shop.id,
        vendor=phone.vendor,
        human=phone.human,
        queue=phone.queue,
        listening=phone.listening,
        market=shop.market.country,
        keys=phone.keys,
        idle_s=float(phone.idle_s),
        longest_s=float(phone.longest_s),
        tones=phone.tones,
        shop_name=shop.name,
        dialling=_dialling(phone.outbound),
        recording=phone.recording,
        recording_days=phone.recording_days,
    )


def _dialling(outbound: PhoneOutbound | None) -> Dialling | None:
    if outbound is None:
        return None
    return Dialling(
        outbound.vendor,
        outbound.allow,
        per_minute=outbound.per_minute,
        ring_s=outbound.ring_s,
        detect=outbound.detect,
        machine=outbound.machine,
        call_backs=outbound.call_backs,
    )


def accounts(settings: Settings) -> VendorAccounts:
    """Return what the vendors' REST APIs want of us."""
    bases = {
        "twilio": settings.twilio_api,
        "telnyx": settings.telnyx_api,
        "plivo": settings.plivo_api,
        "vonage": settings.vonage_api,
    }
    return VendorAccounts(
        twilio_sid=settings.twilio_account_sid,
        twilio_token=settings.twilio_auth_token.get_secret_value(),
        telnyx_key=settings.telnyx_api_key.get_secret_value(),
        telnyx_connection=settings.telnyx_connection_id,
        plivo_id=settings.plivo_auth_id,
        plivo_token=settings.plivo_auth_token.get_secret_value(),
        vonage_application=settings.vonage_application_id,
        vonage_key=settings.vonage_private_key.get_secret_value(),
        bases={vendor: base for vendor, base in bases.items() if base},
    )


def listen_address(name: str, text: str) -> tuple[str, int] | None:
    """Return host and port of a setting, None where it is empty.

    Raises ValueError for one that is neither.
    """
    if not text:
        return None
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"{name} is 'host:port', such as 127.0.0.1:9092, not {text!r}")
    return host.strip("[]") or "127.0.0.1", int(port)


def add_phone(application: web.Application, settings: Settings, backend: TelephonyBackend) -> None:
    """Add the routes, and the servers of AudioSocket and SIP.

    Raises:
        ValueError: the address is no address, or is open to others without a password.
    """
    address = listen_address("audiosocket", settings.audiosocket)
    sip = listen_address("sip", settings.sip)
    if address is not None and address[0] not in LOOPBACK and not backend.secrets.asterisk:
        raise ValueError(
            f"audiosocket on {address[0]} needs asterisk_password: AudioSocket itself knows none"
        )
    if (
        sip is not None
        and sip[0] not in LOOPBACK
        and not (backend.sip.peers or backend.sip.password or backend.trunk.register)
    ):
        raise ValueError(f"sip on {sip[0]} needs sip_peers, or sip_user and sip_password")
    if backend.sip.tls is not None and not (sip and backend.sip.certificate):
        raise ValueError("sip_tls needs sip, and sip_certificate")
    if backend.trunk.register and not (sip and backend.trunk.address and backend.trunk.user):
        raise ValueError("sip_trunk_register needs sip, sip_trunk and sip_trunk_user")
    add_telephony(application, backend, audiosocket=address, sip=sip)
