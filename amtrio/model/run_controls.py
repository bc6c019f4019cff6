"""What a person wants of a run that goes on, to stop or to take something into account, and whether its agent heard.

Lives in memory with the run. Knows the fan-out. Knows no SQL, no command, no socket.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import trio

from amtrio.context import Services
from amtrio.protocol.frames import Event

if TYPE_CHECKING:
    from amtrio.model.open_runs import OpenRun

# Each may have 64 KiB of text, and all of them are handed over at once when the agent comes back.
MAX_UNHEARD = 50
Action = Literal["stop", "steer"]
ControlState = Literal["sent", "acknowledged", "unresponsive", "closed"]


@dataclass(slots=True)
class Control:
    """
    One wish.

    Attributes:
        asked_at: when it was last handed to the agent, by the monotonic clock. first_asked_at: when the person did.
        text, message_id: of `steer`, which is stored as a message, too; the text until the agent has heard it.
    """

    id: str
    action: Action
    asked_at: float
    text: str | None = None
    message_id: str | None = None
    state: ControlState = "sent"
    first_asked_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.first_asked_at = self.asked_at


class RunControl(Event, frozen=True, kw_only=True):
    """For the agent: what the person wants of its run. Ephemeral, and sent again until it is acknowledged."""

    type = "run_control"
    run_id: str
    conversation_id: str
    control_id: str
    action: Action
    text: str | None = None
    message_id: str | None = None


class RunControlState(Event, frozen=True, kw_only=True):
    """For the person's devices: what became of a wish. Ephemeral."""

    type = "run_control_state"
    run_id: str
    conversation_id: str
    control_id: str
    action: Action
    state: ControlState


def ask(services: Services, run: OpenRun, control: Control) -> None:
    """Hand a new wish to the agent, and let every device of the person know of it."""
    run.controls[control.id] = control
    _hand_over(services, run, control)
    tell_state(services, run, control)


def has_room(run: OpenRun) -> bool:
    """Whether the agent has heard enough of what was said into its run for more to be said."""
    return sum(control.state != "acknowledged" for control in run.controls.values()) < MAX_UNHEARD


def heard(services: Services, run: OpenRun, control: Control) -> None:
    """The agent has it; every device of the person is told."""
    control.state, control.text = "acknowledged", None
    tell_state(services, run, control)


def ask_again(services: Services, run: OpenRun) -> None:
    """What an agent did not acknowledge on the connection before, now that it is back."""
    for control in run.controls.values():
        if control.state != "acknowledged":
            control.state, control.asked_at = "sent", trio.current_time()
            _hand_over(services, run, control)


def _hand_over(services: Services, run: OpenRun, control: Control) -> None:
    services.fanout.tell(
        RunControl(
            run_id=run.id,
            conversation_id=run.conversation_id,
            control_id=control.id,
            action=control.action,
            text=control.text,
            message_id=control.message_id,
        ),
        (run.agent,),
        is_urgent=True,
    )


def tell_state(services: Services, run: OpenRun, control: Control) -> None:
    """Let every device of the person know where a wish stands."""
    services.fanout.tell(
        RunControlState(
            run_id=run.id,
            conversation_id=run.conversation_id,
            control_id=control.id,
            action=control.action,
            state=control.state,
        ),
        run.watchers,
        is_urgent=True,
    )
