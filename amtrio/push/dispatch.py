"""When to wake people: a message that stays unread for a while, and nobody looks.

Hears what was committed, waits, asks `decision` for today's truth and hands it to the services. Push follows people,
not sockets: a socket says nothing about whether anybody looks. Knows no SQL and no service in particular.

What waits is in memory. After a restart it is found again from what is unread; docs/discussion/push.md.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace
from typing import Any, Final

import structlog
import trio

from amtrio.clock import MICROS_PER_SECOND, jitter
from amtrio.config import Push
from amtrio.context import Services, account_key
from amtrio.errors import AmtrioError
from amtrio.model.attention import Attention
from amtrio.model.push_device import Platform
from amtrio.model.waking import (
    Decision,
    Device,
    Notice,
    decide_to_wake,
    decide_to_withdraw,
    forget_device,
    mark_shown,
    remembered,
)
from amtrio.protocol.frames import Event
from amtrio.push.apns import Apns
from amtrio.push.fcm import Fcm
from amtrio.push.provider import Gone, Provider, Refused, TryAgain
from amtrio.push.schedule import Key, Place, Schedule, Task
from amtrio.push.webpush import WebPush

log = structlog.stdlib.get_logger(__name__)

WORKERS: Final = 8
# One entry per person and conversation, of about 500 bytes. Beyond, messages are delivered but wake nobody.
MAX_WAITING: Final = 10_000
MAX_SHOWN: Final = 50_000
# Who was not woken for a message by then is not woken for it any more: it is no news.
MAX_AGE_SECONDS: Final = 600.0
# Waits before a failed push is tried again, unless the service names one; after the last of them it is given up.
BACK_OFF_SECONDS: Final = (2.0, 8.0, 30.0, 120.0)
MAX_RETRY_AFTER_SECONDS: Final = 300.0
# One push with everything around it. Providers have time-outs of their own for each step.
SEND_SECONDS: Final = 30.0
# A database that refuses, or a bug of ours: the worker waits so long, growing, before it goes on.
FIRST_PAUSE_SECONDS: Final = 1.0
MAX_PAUSE_SECONDS: Final = 60.0


class Dispatcher:
    """
    Who is woken when.

    Args:
        providers: by the platform of the devices they reach.
    """

    def __init__(self, services: Services, providers: Mapping[Platform, Provider]) -> None:
        self._services = services
        self._settings: Push = services.config.push
        self._providers = providers
        self._attention = services.own(Attention)
        self._attention.looked_away = self._looked_away
        self._schedule = Schedule()
        self._shown: dict[Place, int] = {}
        self._in_flight: set[Place] = set()
        self._deferred: dict[str, set[Key]] = {}
        self._is_full = False
        self._is_stopping = False
        self._idle = trio.Event()
        # By their words: what is announced is made by features, which nothing here may know.
        self._hears: Mapping[str, Callable[[Any], None]] = {
            "message": self._posted,
            "receipt": self._read,
            "message_deleted": self._deleted,
            "conversation_deleted": self._conversation_deleted,
        }

    @property
    def waiting(self) -> int:
        """How many tasks wait or are being done."""
        return len(self._schedule.waiting) + len(self._in_flight)

    @property
    def deferred(self) -> int:
        """How many of them wait because somebody looks."""
        return sum(len(keys & self._schedule.waiting.keys()) for keys in self._deferred.values())

    # -- news ---------------------------------------------------------------------------------------------------------

    def heard(self, event: Event) -> None:
        """Called with every committed event, on the way of everybody's messages: nothing here waits."""
        hear = self._hears.get(event.type)
        if hear is not None:
            hear(event)

    def _posted(self, event: Any) -> None:
        account = account_key("user", event.user_id)
        is_own = event.sender_type != "agent" and event.sender_id == event.user_id
        if is_own or account not in self._attention.reachable or not self._providers:
            return
        key: Key = ((account, event.conversation_id), "wake")
        waiting = self._schedule.waiting.get(key)
        if waiting is not None and waiting.only is None:
            # The first unread one counts, and what is shown then is the newest.
            return
        if waiting is None and len(self._schedule.waiting) >= MAX_WAITING:
            self._overflow()
            return
        self._is_full = False
        tracing = self._services.tracing
        now = trio.current_time()
        cause = tracing.cause() if tracing is not None else None
        self._schedule.put(Task(key, now, now + self._settings.grace_s, cause=cause))

    def _read(self, event: Any) -> None:
        self._look_again((f"{event.account_kind[0]}:{event.account_id}", event.conversation_id))

    def _deleted(self, event: Any) -> None:
        self._look_again((account_key("user", event.user_id), event.conversation_id))

    def _conversation_deleted(self, event: Any) -> None:
        for place in [place for place in self._shown if place[1] == event.conversation_id]:
            self._look_again(place)

    def _look_again(self, place: Place) -> None:
        """What is on a screen, or on its way to one, may be wrong now. What still waits finds out by itself."""
        if place in self._shown or place in self._in_flight:
            now = trio.current_time()
            self._schedule.put(Task((place, "withdraw"), now, now))

    def _looked_away(self, account: str) -> None:
        """What waited because somebody looked need not wait any longer."""
        if self._attention.looks_until(account) is not None:
            return
        now = trio.current_time()
        for key in self._deferred.pop(account, ()):
            task = self._schedule.waiting.get(key)
            if task is not None:
                self._schedule.put(replace(task, due=max(now, task.since + self._settings.grace_s)))

    def _overflow(self) -> None:
        self._count("any", "dropped")
        if not self._is_full:
            self._is_full = True
            log.warning("push_queue_full", waiting=MAX_WAITING)

    # -- workers ------------------------------------------------------------------------------------------------------

    async def remember(self) -> None:
        """Find out what the time before a restart left to do."""
        since_us = self._services.clock.now_us() - int(MAX_AGE_SECONDS * MICROS_PER_SECOND)
        found = await self._services.store.read(remembered, since_us, MAX_SHOWN)
        self._attention.reachable |= found.reachable
        self._shown |= found.shown
        now = trio.current_time()
        for place in found.open[:MAX_WAITING]:
            self._schedule.put(Task((place, "wake"), now, now + self._settings.grace_s))
        for place in found.read:
            self._schedule.put(Task((place, "withdraw"), now, now))

    async def work(self) -> None:
        """Do what is due, one task after the other, for ever."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            task = await self._schedule.next()
            place = task.key[0]
            if self._is_stopping:
                # Found again after the restart.
                continue
            if place in self._in_flight:
                self._put_unless_newer(replace(task, due=trio.current_time() + FIRST_PAUSE_SECONDS))
                continue
            self._in_flight.add(place)
            try:
                await self._do(task)
                pause = FIRST_PAUSE_SECONDS
                continue
            except AmtrioError as exc:
                # A disk that refuses is the store's to report.
                log.warning("push_postponed", error=str(exc), again_in_s=pause)
                self._put_unless_newer(replace(task, due=trio.current_time() + pause))
            except Exception:
                self._services.metrics.errors += 1
                log.exception("push_failed", again_in_s=pause)
            finally:
                self._in_flight.discard(place)
                if not self._in_flight:
                    self._idle.set()
            await trio.sleep(jitter(pause))
            pause = min(pause * 2, MAX_PAUSE_SECONDS)

    async def _do(self, task: Task) -> None:
        place, kind = task.key
        self._deferred.get(place[0], set()).discard(task.key)
        decision = await (self._decide_to_wake(task) if kind == "wake" else self._decide_to_withdraw(task))
        log.debug("push_decided", account=place[0], conversation_id=place[1], decision=decision.reason)
        if decision.notice is None:
            return
        devices = [
            device
            for device in decision.devices
            if device.platform in self._providers and (task.only is None or device.id in task.only)
        ]
        later, gone = await self._tell_all(devices, decision.notice, task)
        if later:
            due = trio.current_time() + max(later.values())
            again = replace(task, due=due, attempt=task.attempt + 1, only=frozenset(later))
            self._put_unless_newer(again)
        if kind == "wake" and len(later) < len(devices):
            await self._note(place, decision.seq)
        elif kind == "withdraw" and not later:
            await self._note(place, 0)
        for device in gone:
            await self._services.store.write(forget_device, device.id, device.address)

    async def _decide_to_wake(self, task: Task) -> Decision:
        account, conversation_id = place = task.key[0]
        if trio.current_time() - task.since > MAX_AGE_SECONDS:
            return Decision("too old")
        decision = await self._services.store.read(
            decide_to_wake,
            account,
            conversation_id,
            # Those who are left to be told do not show it yet.
            shown=self._shown.get(place, 0) if task.only is None else 0,
            now_us=self._services.clock.now_us(),
            has_text=self._settings.show_text,
        )
        until = self._attention.looks_until(account)
        if decision.notice is None or until is None:
            return decision
        # Somebody looks, and has not read it. If that is still so when nobody looks any more, it is news.
        self._put_unless_newer(replace(task, due=until))
        self._deferred.setdefault(account, set()).add(task.key)
        return Decision("somebody looks")

    async def _decide_to_withdraw(self, task: Task) -> Decision:
        account, conversation_id = place = task.key[0]
        shown = self._shown.get(place, 0)
        if not shown:
            return Decision("nothing shown")
        return await self._services.store.read(decide_to_withdraw, account, conversation_id, shown=shown)

    async def _note(self, place: Place, seq: int) -> None:
        """What is on the screens now."""
        known = self._shown.pop(place, 0)
        if seq:
            self._shown[place] = max(seq, known)
            if len(self._shown) > MAX_SHOWN:
                del self._shown[next(iter(self._shown))]
        if seq != known:
            await self._services.store.write(mark_shown, *place, seq)

    def _put_unless_newer(self, task: Task) -> None:
        """What came meanwhile under the same key does for both."""
        if task.key not in self._schedule.waiting:
            self._schedule.put(task)

    # -- one push -----------------------------------------------------------------------------------------------------

    async def _tell_all(
        self, devices: Sequence[Device], notice: Notice, task: Task
    ) -> tuple[dict[str, float], list[Device]]:
        """Tell all devices at once; answers which are to be told again in how many seconds, and which are gone."""
        later: dict[str, float] = {}
        gone: list[Device] = []
        async with trio.open_nursery() as nursery:
            for device in devices:
                nursery.start_soon(self._tell, device, notice, task, later, gone)
        return later, gone

    async def _tell(
        self, device: Device, notice: Notice, task: Task, later: dict[str, float], gone: list[Device]
    ) -> None:
        provider = self._providers[device.platform]
        tracing = self._services.tracing
        about = {"provider": provider.name, "device": device.id}
        result = "sent"
        try:
            with (
                nullcontext() if tracing is None or task.cause is None else tracing.push(provider.name, task.cause),
                trio.fail_after(SEND_SECONDS),
            ):
                await provider.send(device, notice)
        except Gone:
            result = "gone"
            gone.append(device)
            log.info("push_device_gone", **about)
        except Refused as exc:
            result = "failed"
            log.warning("push_not_taken", reason=str(exc), **about)
        except (TryAgain, trio.TooSlowError) as exc:
            after = _pause_after(exc, task.attempt)
            result = "failed" if after is None else "again"
            reason = str(exc) if isinstance(exc, TryAgain) else "too slow"
            if after is None:
                log.warning("push_given_up", reason=reason, **about)
            else:
                later[device.id] = after
                log.info("push_delayed", reason=reason, again_in_s=round(after, 1), **about)
        except Exception:
            # The other devices of the same person are none the worse for it.
            result = "failed"
            self._services.metrics.errors += 1
            log.exception("push_failed", **about)
        self._count(provider.name, result)

    def _count(self, provider: str, result: str) -> None:
        pushes = self._services.metrics.pushes
        pushes[provider, result] = pushes.get((provider, result), 0) + 1

    # -- the end ------------------------------------------------------------------------------------------------------

    async def drain(self) -> None:
        """Begin nothing more, and wait for what is on its way."""
        self._is_stopping = True
        while self._in_flight:
            self._idle = trio.Event()
            await self._idle.wait()


def _pause_after(error: TryAgain | trio.TooSlowError, attempt: int) -> float | None:
    """Seconds until a push that failed for the `attempt`th time, from 0, is tried again; None = no more."""
    if attempt >= len(BACK_OFF_SECONDS):
        return None
    asked = error.after_seconds if isinstance(error, TryAgain) else None
    # "At once" is fine after a first failure, and a loop after the second.
    if asked is not None and (asked > 0 or attempt == 0):
        return min(asked, MAX_RETRY_AFTER_SECONDS)
    return jitter(BACK_OFF_SECONDS[attempt])


def open_providers(services: Services) -> dict[Platform, Provider]:
    """
    The services that are set up.

    Raises:
        CannotPush: one is switched on and cannot be used.
    """
    settings, clock = services.config.push, services.clock
    providers: dict[Platform, Provider] = {}
    if settings.vapid_private_key:
        providers["web"] = WebPush(settings, clock)
    if settings.apns_enabled:
        providers["ios"] = Apns(settings, clock)
    if settings.fcm_enabled:
        providers["android"] = Fcm(settings, clock)
    return providers


@asynccontextmanager
async def open_dispatcher(
    services: Services, providers: Mapping[Platform, Provider], *, drain_seconds: float
) -> AsyncIterator[Dispatcher]:
    """Wake people until the block is left; what is on its way then has so long to get there."""
    dispatcher = Dispatcher(services, providers)
    try:
        if providers:
            await dispatcher.remember()
        async with trio.open_nursery() as workers:
            for number in range(WORKERS if providers else 0):
                workers.start_soon(dispatcher.work, name=f"push {number}")
            try:
                yield dispatcher
            finally:
                with trio.move_on_after(drain_seconds, shield=True):
                    await dispatcher.drain()
                workers.cancel_scope.cancel()
    finally:
        with trio.move_on_after(1, shield=True):
            for provider in providers.values():
                await provider.aclose()
