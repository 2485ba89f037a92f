"""What the web application reaches of a server: its shops, conversations, desks and shows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from aiohttp import web

from voice_server.call_staff import CallStaff
from voice_server.config import Settings
from voice_server.conversation.mutable import MutableConversation
from voice_server.conversation.notices import Notice
from voice_server.conversation.services import ConversationOptions
from voice_server.conversation.session import Conversation
from voice_server.conversation.transcript import History
from voice_server.desks import OpenDesks
from voice_server.dialogue.llm.model import LanguageModel
from voice_server.dialogue.personal import PersonalConsent, Profile
from voice_server.dialogue.shop_session import ShopSession
from voice_server.engines import Engines
from voice_server.model_keeping import state_of
from voice_server.phone_lines import add_phone, telephony_backend
from voice_server.realtime.api_errors import ApiError
from voice_server.realtime.customer import Customer
from voice_server.realtime.ports import PRINCIPAL, RealtimeBackend
from voice_server.realtime.returning import Returning
from voice_server.realtime.session_config import SessionDefaults
from voice_server.shows import Shows
from voice_server.speech.engine import EngineError
from voice_server.speech.visemes import visemes
from voice_server.telephony.calls import Calls
from voice_server.telephony.outgoing import CallBook
from voice_server.telephony.ports import CallBooks
from voice_server.tenants import Reload, ShopForbidden, Tenant, Tenants, UnknownShop
from voice_server.web.application import WebBackend
from voice_server.web.pages import add_pages
from voice_server.web.storefronts import Storefront, Storefronts, add_storefronts
from voice_server.web.telephony import TELEPHONY

Welcome = Callable[[str, str, str, Mapping[str, object]], None]


class WebSeams:
    """Joins the web application with the parts of one server."""

    def __init__(
        self,
        settings: Settings,
        tenants: Tenants,
        engines: Engines,
        desks: OpenDesks,
        shows: Shows,
        model: LanguageModel | None,
        reload: Callable[[Tenant], Awaitable[Reload]],
        returning: Callable[[], Returning | None] = lambda: None,
        books: Callable[[], CallBooks | None] = lambda: None,
        call_book: Callable[[], CallBook | None] = lambda: None,
        welcome: Welcome = lambda shop, session, customer, consent: None,
    ) -> None:
        """``engines`` may still be empty: what needs them is refused until they are loaded.

        ``returning``: where clients' resume tokens outlive the process.  ``books``: where calls are
        written down, ``call_book``: who may be called; once they are open.  ``welcome``
        notes whose a session is (shop id, session id, customer's id, what they agreed to).
        """
        self._settings = settings
        self._tenants = tenants
        self._engines = engines
        self._desks = desks
        self._shows = shows
        self._model = model
        self._reload = reload
        self._returning = returning
        self._welcome = welcome
        self._calls: Calls | None = None
        self._books = books
        self._call_book = call_book

    def backend(self) -> WebBackend:
        """Return what the web application is made from."""
        settings = self._settings
        return WebBackend(
            realtime=replace(
                self._realtime(self._tenants.default),
                for_request=self._realtime_for,
                returning=self._returning,
            ),
            rest=lambda: self._engines.rest,
            ready=self._ready,
            details=lambda: {"language_model": state_of(self._model)},
            api_keys=tuple(key.get_secret_value() for key in settings.api_keys),
            shop_keys={
                self._tenants.get(shop).id: tuple(key.get_secret_value() for key in keys)
                for shop, keys in settings.shop_keys.items()
            },
            demo=settings.demo_mode,
            allowed_origins=settings.allowed_origins,
            extend=[
                self._add_pages,
                self._add_phone,
                self._shows.add_routes,
                self._desks.add_routes,
            ],
        )

    def _realtime(self, tenant: Tenant, customer: Customer | None = None) -> RealtimeBackend:
        """Return what a session with a shop starts from."""
        settings = self._settings
        return RealtimeBackend(
            open_conversation=partial(self._open_conversation, tenant, customer),
            defaults=SessionDefaults(
                instructions=tenant.shop.tone, allow_instructions=settings.allow_instructions
            ),
            visemes=visemes,
            voices=self._engines.voice_ids,
            max_sessions=settings.max_sessions,
            resume_s=settings.resume_s,
        )

    def _realtime_for(self, request: web.Request) -> tuple[str, RealtimeBackend]:
        tenant = self._shop_of(request)
        principal = request.get(PRINCIPAL)
        customer = principal.customer if principal is not None else None
        return tenant.id, self._realtime(tenant, customer)

    def _shop_of(self, request: web.Request, asked: str = "") -> Tenant:
        """Return the shop a request is for. Raises ApiError."""
        principal = request.get(PRINCIPAL)
        bound = principal.shop if principal is not None else ""
        asked = asked or request.query.get("shop", "")
        try:
            return self._tenants.pick(asked=asked, host=request.host, bound=bound)
        except UnknownShop as error:
            raise ApiError(404, str(error.args[0]), code="shop_not_found") from None
        except ShopForbidden as error:
            raise ApiError(403, str(error), code="shop_forbidden") from None

    def _add_pages(self, application: web.Application) -> None:
        add_pages(application, None)
        add_storefronts(
            application, Storefronts(self._shop_of, lambda: list(self._tenants), self._reload_json)
        )

    def _add_phone(self, application: web.Application) -> None:
        backend = telephony_backend(
            self._settings,
            lambda: [tenant.shop for tenant in self._tenants],
            self._open_call,
            ready=self._ready,
            staff=CallStaff(self._tenants, self._desks, lambda: self._model),
            books=self._books,
            call_book=self._call_book,
        )
        add_phone(application, self._settings, backend)
        self._calls = application[TELEPHONY].calls

    def _open_call(
        self,
        shop_id: str,
        options: ConversationOptions,
        *,
        emit: Callable[[Notice], None],
        history: History,
        channel: str = "phone",
        customer: Customer | None = None,
    ) -> MutableConversation:
        services = self._tenants.get(shop_id).services
        if services is None:
            raise EngineError("the engines are still being loaded")

        def make(emit: Callable[[Notice], None]) -> Conversation:
            made = Conversation(services=services, options=options, emit=emit, history=history)
            if customer is not None and isinstance(made.dialogue, ShopSession):
                made.dialogue.know(*known_of(customer))
                told = customer.consent.model_dump()
                self._welcome(shop_id, options.session_id, customer.id, told)
            return made

        call = self._calls.find(options.session_id) if self._calls is not None else None
        started = call.flow.started if call is not None else None
        phone = started.caller if started is not None else ""
        if phone:
            self._welcome(shop_id, options.session_id, phone, {})
        return self._desks.join(
            shop_id, options.session_id, emit, make, channel=channel, phone=phone
        )

    async def _reload_json(self, front: Storefront) -> Mapping[str, Any]:
        result = await self._reload(self._tenants.get(front.id))
        problems = [
            {"severity": p.severity, "file": p.file, "line": p.line, "message": p.message,
             "remedy": p.remedy}
            for p in result.problems
        ]  # fmt: skip
        return {"changed": result.changed, "refusal": result.refusal, "problems": problems}

    def _ready(self) -> Mapping[str, bool]:
        return {
            "vad": self._engines.listeners is not None,
            "end_of_turn": self._engines.listeners is not None,
            "speech_to_text": self._engines.listeners is not None,
            "text_to_speech": self._engines.voices is not None,
            "facts": self._tenants.default.services is not None,
        }

    def _open_conversation(
        self,
        tenant: Tenant,
        customer: Customer | None,
        *,
        session_id: str,
        input_rate: int,
        emit: Callable[[Notice], None],
        history: History,
        flushes: bool,
        language: str | None,
    ) -> MutableConversation:
        options = ConversationOptions(
            session_id,
            input_rate=input_rate,
            flushes=flushes,
            language=language,
            lead_ms=self._settings.lead_ms,
        )
        return self._open_call(
            tenant.id, options, emit=emit, history=history, channel="button", customer=customer
        )


def known_of(customer: Customer) -> tuple[Profile, PersonalConsent]:
    """Return what advice may use of a customer, and by which consent."""
    consent = customer.consent
    return (
        Profile(tuple(customer.bought), tuple(customer.likes)),
        PersonalConsent(consent.history, consent.profile, consent.id),
    )
