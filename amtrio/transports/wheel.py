"""One 1 Hz wheel for all sockets: pings, presence deadlines, stalled sockets, cursors, the garbage collector.

Nothing wakes per connection. Knows sessions and the clock.
"""

from __future__ import annotations

import gc

import trio

from amtrio.protocol.session import Close
from amtrio.transports.session import Session
from amtrio.transports.sessions import Sessions

WHEEL_SECONDS = 1.0
# Long-lived objects are moved out of the garbage collector's sight this often: a full collection with 5000 sockets
# took over a second before, and next to nothing after.
FREEZE_EVERY_SECONDS = 60.0


async def turn_wheel(sessions: Sessions) -> None:
    """Turn until cancelled."""
    metrics = sessions.services.metrics
    freeze_at = trio.current_time() + FREEZE_EVERY_SECONDS
    while True:
        due = trio.current_time() + WHEEL_SECONDS
        await trio.sleep_until(due)
        now = trio.current_time()
        metrics.loop_lag_seconds.observe(max(0.0, now - due))
        for session in tuple(sessions.open):
            _look_at(sessions, session, now)
        await sessions.write_cursors()
        if now >= freeze_at:
            freeze_at = now + FREEZE_EVERY_SECONDS
            gc.freeze()


def _look_at(sessions: Sessions, session: Session, now: float) -> None:
    socket = session.socket
    if socket is None or socket.is_closing:
        return
    config, metrics = sessions.services.config.sessions, sessions.services.metrics
    dead_after = sessions.dead_after(session)
    silent = now - socket.last_received_at
    if not session.is_attached and now - session.opened_at > config.hello_timeout_s:
        session.close(Close.NO_SIGN_OF_LIFE, "no hello came in time")
    elif socket.buffered and now - socket.last_drained_at > config.stall_s:
        metrics.slow_closed += 1
        session.close(Close.TOO_SLOW, "nothing was read for too long; what is missing is kept")
    elif silent > dead_after:
        metrics.stale_agents += session.account[:1] == "a"
        session.close(Close.NO_SIGN_OF_LIFE, "no sign of life")
    elif now >= session.next_ping_at:
        ping_every = sessions.ping_every(session)
        session.next_ping_at = now + ping_every
        # The presence time-out is the connection's own scope; should the wheel stand still, it fires by itself.
        socket.nursery.cancel_scope.deadline = socket.last_received_at + dead_after + ping_every
        if silent >= ping_every / 2:
            socket.ping()
