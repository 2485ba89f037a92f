"""The shops of one server: which one a request is for, and how each takes an edited pack over.

A tenant owns everything that is one shop's: its pack, its knowledge, its dialogue, its voice, what
its page shows.  Engines are shared; nothing of a shop is kept in them but sound, by its exact
words.  A new pack is read, checked and learnt in a slow thread and then swapped in at once: turns
that began before the swap end with the old pack, turns that begin after it use the new one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from voice_server.conversation.services import Services
from voice_server.dialogue.flows.shop_flows import ShopFlows
from voice_server.dialogue.guards.packs import GuardError, GuardPack, load_guards
from voice_server.dialogue.knowledge import Knowledge
from voice_server.dialogue.manager import ShopDialogue
from voice_server.dialogue.prompt import ShopIdentity
from voice_server.procedures import Procedures
from voice_server.shop import pack
from voice_server.shop.pack_reader import PackError, Problem
from voice_server.shop.shop import Shop
from voice_server.shop_page import ShopPage

log = logging.getLogger(__name__)

T = TypeVar("T")

READ_S = 20.0
"""A pack on a disk that hangs is given up for this time; the old one stays."""

LEARN_S = 180.0
"""A new pack is learnt in about ten seconds on an idle machine; a busy one gets so long, then the
old pack stays and the operator is told."""

NICENESS = 15
"""Of the thread that learns: callers come first."""


class UnknownShop(LookupError):
    """No shop of this server has that name."""


class ShopForbidden(PermissionError):
    """The key is another shop's."""


@dataclass(frozen=True, slots=True)
class Reload:
    """What came of a reload."""

    changed: bool
    """The new pack is used from now on."""
    problems: tuple[Problem, ...] = ()
    """Errors that kept the old pack, or warnings about the new one."""
    refusal: str = ""
    """Why the old pack was kept, "" if there was nothing to keep it for."""


class Tenant:
    """One shop of this server."""

    def __init__(self, shop: Shop, pictures: str) -> None:
        """``pictures``: URL path under which the pack's folder is served, for cards."""
        self.shop = shop
        self.page = ShopPage(shop)
        self.pictures = pictures
        self.dialogue: ShopDialogue | None = None
        self.services: Services | None = None
        self.procedures: Procedures | None = None
        self.knowledge: Knowledge | None = None
        """That of an edited pack, once one was taken over."""

    @property
    def id(self) -> str:
        """The shop's id, as it stands in addresses."""
        return self.shop.id

    @property
    def names(self) -> frozenset[str]:
        """What the shop may be asked for by: its id, and its folder's name."""
        return frozenset({self.shop.id, self.shop.folder.name})

    @property
    def identity(self) -> ShopIdentity:
        """Who speaks, for a language model."""
        greetings = {language: text.greeting for language, text in self.shop.texts.items()}
        return ShopIdentity(
            self.shop.name, self.shop.text("en").description, greetings, self.shop.familiar
        )

    def guards(self) -> Mapping[str, GuardPack]:
        """Return what is declined, by language, with the pack's own on top.

        A guard file that is wrong is named in the log and left out: the bundled guards hold.
        """
        found: dict[str, GuardPack] = {}
        for language in self.shop.languages:
            try:
                found[language] = load_guards(language, self.shop.folder)
            except GuardError as error:
                log.error("%s: the bundled guards hold: %s", self.shop.id, error)
                found[language] = load_guards(language)
        return found

    def open(self, dialogue: ShopDialogue, services: Services) -> None:
        """Begin to answer."""
        self.dialogue, self.services = dialogue, services

    def adopt(self, shop: Shop, knowledge: Knowledge) -> None:
        """Take an edited pack over, for all turns from now on. Called in the loop: atomic."""
        self.shop = shop
        self.page = ShopPage(shop)
        self.knowledge = knowledge
        if self.dialogue is None:
            return
        flows = None
        try:
            flows = self.flows(knowledge)
        except ValueError as error:
            log.error("%s: its flows stay as they were: %s", self.shop.id, error)
        self.dialogue.renew(
            self.identity, shop.languages, knowledge, flows=flows, guards=self.guards()
        )

    def flows(self, knowledge: Knowledge) -> ShopFlows | None:
        """Return the shop's flows on its facts, None where it has no platform yet.

        The facts follow the platform's prices and stock from now on.

        Raises:
            ValueError: a flow file of the pack is wrong.
        """
        if self.procedures is None:
            return None
        knowledge.follow(self.procedures.offers)
        return self.procedures.flows(self.shop, knowledge)

    async def close(self) -> None:
        """Wait for what callers started, then let go of the platform; all within deadlines."""
        if self.dialogue is not None:
            await self.dialogue.close()
        if self.procedures is not None:
            await self.procedures.close()


class Tenants:
    """All shops of a server, the default one first."""

    def __init__(self, tenants: Sequence[Tenant], hosts: Mapping[str, str] | None = None) -> None:
        """``hosts``: host name to the shop it stands for.

        Raises:
            ValueError: two shops have one name, or a host stands for a shop that is not there.
        """
        self._by_name: dict[str, Tenant] = {}
        for tenant in tenants:
            if tenant.id in self._by_name:
                raise ValueError(
                    f"two shop packs have the id {tenant.id!r}: give each its own in shop.toml"
                )
            self._by_name[tenant.id] = tenant
        for tenant in tenants:  # an id goes before a folder's name
            for name in tenant.names:
                self._by_name.setdefault(name, tenant)
        self._tenants = tuple(tenants)
        self._hosts = {}
        for host, name in (hosts or {}).items():
            if name not in self._by_name:
                raise ValueError(f"shop_hosts: {host} stands for {name!r}, which is not served")
            self._hosts[host.lower()] = self._by_name[name]

    def __iter__(self) -> Iterator[Tenant]:
        return iter(self._tenants)

    def __len__(self) -> int:
        return len(self._tenants)

    @property
    def default(self) -> Tenant:
        """The shop of requests that name none."""
        return self._tenants[0]

    def get(self, name: str) -> Tenant:
        """Return a shop by its id or its folder's name. Raises UnknownShop."""
        try:
            return self._by_name[name]
        except KeyError:
            raise UnknownShop(f"There is no shop {name[:64]!r} on this server.") from None

    def pick(self, *, asked: str = "", host: str = "", bound: str = "") -> Tenant:
        """Return the shop a request is for: what it asks for, its key's, its host's, the default.

        Args:
            asked: the ``shop`` of the query.
            host: the Host header, with or without port.
            bound: the shop the key belongs to, "" for a key of the whole server.

        Raises:
            UnknownShop: there is no such shop.
            ShopForbidden: the key belongs to another shop.
        """
        if bound:
            own = self.get(bound)
            if asked and self._by_name.get(asked) is not own:
                # The same words for a shop that exists and one that does not.
                raise ShopForbidden(f"This key does not open the shop {asked[:64]!r}.")
            return own
        if asked:
            return self.get(asked)
        return self._hosts.get(host_name(host), self.default)


def host_name(host: str) -> str:
    """Return a Host header in lower case and without its port."""
    host = host.lower()
    if host.startswith("["):
        return host.partition("]")[0].removeprefix("[")
    return host.partition(":")[0]


Learn = Callable[[Shop, str], Knowledge]
"""Makes a shop's knowledge (blocks for seconds); the text is the URL path of its pictures."""


class Reloader:
    """Watches packs and takes edited ones over; one at a time, behind everything else."""

    def __init__(
        self,
        tenants: Tenants,
        learn: Learn,
        *,
        adopted: Callable[[Tenant], None] | None = None,
    ) -> None:
        """``adopted`` is called, in the loop, after a tenant has taken a new pack over."""
        self._tenants = tenants
        self._learn = learn
        self._adopted = adopted
        self._turn = asyncio.Lock()
        self._hurry = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "shop-packs", initializer=_step_back)

    def close(self) -> None:
        """Learn nothing more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def hurry(self) -> None:
        """Look at all packs now, edited or not."""
        self._hurry.set()

    async def watch(self, every_s: float) -> None:
        """Look at the packs' files every ``every_s`` seconds (0: only at :meth:`hurry`), for ever.

        A change is taken over when the files have been still for one look: editors and
        synchronisers write several files one after the other.
        """
        seen = {tenant: await self._look(tenant) for tenant in self._tenants}
        moved: set[Tenant] = set()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(every_s or None):
                    await self._hurry.wait()
            if self._hurry.is_set():
                self._hurry.clear()
                for tenant in self._tenants:
                    await self.reload(tenant)
                continue
            for tenant in self._tenants:
                now = await self._look(tenant)
                if now is None:
                    continue
                if now != seen[tenant]:
                    seen[tenant] = now
                    moved.add(tenant)
                elif tenant in moved:
                    moved.discard(tenant)
                    await self.reload(tenant)

    async def _look(self, tenant: Tenant) -> int | None:
        """Return a number that changes with the pack's files, None if the disk does not answer."""
        try:
            async with asyncio.timeout(READ_S):
                return await self._run(signature, tenant.shop.folder)
        except (TimeoutError, OSError) as error:
            log.warning("the shop pack %s cannot be watched now: %r", tenant.shop.folder, error)
            return None

    async def reload(self, tenant: Tenant) -> Reload:
        """Take a tenant's pack over if it was edited and is sound; else the old one stays."""
        async with self._turn:
            try:
                result = await self._reload(tenant)
            except TimeoutError:
                result = Reload(False, refusal="the new pack could not be learnt in time")
            except Exception as error:  # calls go on with the old pack, whatever the new one did
                log.exception("the shop pack %s could not be taken over", tenant.shop.folder)
                result = Reload(False, refusal=f"an internal error: {type(error).__name__}")
        _tell(tenant, result)
        return result

    async def _reload(self, tenant: Tenant) -> Reload:
        old = tenant.shop
        async with asyncio.timeout(READ_S):
            try:
                found, problems = await self._run(pack.read_checked, old.folder)
            except PackError as error:
                return Reload(False, tuple(error.problems), "the new pack has errors")
        warnings = tuple(problems)
        if found.fingerprint == old.fingerprint:
            return Reload(False, warnings)
        if found.id != old.id:
            refusal = f"its id changed from {old.id!r} to {found.id!r}: restart the server for that"
            return Reload(False, warnings, refusal)
        async with asyncio.timeout(LEARN_S):
            knowledge = await self._run(self._learn, found, tenant.pictures)
        tenant.adopt(found, knowledge)
        if self._adopted is not None:
            self._adopted(tenant)
        return Reload(True, warnings)

    async def _run(self, work: Callable[..., T], *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *args)


def _tell(tenant: Tenant, result: Reload) -> None:
    """Log what came of a reload, where an operator looks for it."""
    for problem in result.problems:
        level = logging.ERROR if problem.severity == "error" else logging.WARNING
        log.log(level, "shop %s: %s", tenant.id, problem)
    if result.refusal:
        log.error("shop %s keeps its old pack: %s", tenant.id, result.refusal)
    elif result.changed:
        log.info("shop %s: the edited pack is used from now on", tenant.id)


def signature(folder: Path) -> int:
    """Return a number that changes when a file of the pack is written, added or removed.

    Only names, times and sizes are looked at: a look costs less than a millisecond.
    """
    found = []
    for path in sorted(folder.rglob("*")):
        with contextlib.suppress(FileNotFoundError):  # removed while we look: the next look tells
            status = path.stat()
            found.append((str(path), status.st_mtime_ns, status.st_size))
    return hash(tuple(found))


def _step_back() -> None:
    """Lower the calling thread's priority, where the system gives threads one."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
