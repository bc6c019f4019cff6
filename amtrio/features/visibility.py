"""Whether somebody looks at the app right now: then nobody needs to be woken. Ephemeral: nothing of it is stored.

Knows devices and sockets' ends. Knows nothing of how people are woken.
"""

from __future__ import annotations

from amtrio.context import Context, Services
from amtrio.feature import command, on_presence
from amtrio.model.attention import Attention
from amtrio.protocol.frames import Command


class SetVisible(Command, frozen=True, kw_only=True):
    """
    The app is on a screen and in use, or no longer.

    Attributes:
        visible: true is to be said again every 30 seconds while it lasts; after 60 it ends by itself.
    """

    visible: bool


@command("visible", who="user", budget="ephemeral")
async def set_visible(ctx: Context, frame: SetVisible) -> None:
    """Say that somebody looks at this device, or does not."""
    attention, who = ctx.services.own(Attention), ctx.principal
    if not ctx.is_current():
        return
    if frame.visible:
        attention.look(who.account, who.device)
    else:
        attention.look_away(who.account, who.device)


@on_presence
def forget_who_left(services: Services, account: str, is_online: bool) -> None:  # noqa: FBT001 - a listener's shape
    """Nobody looks at an app that is not connected."""
    if not is_online:
        services.own(Attention).forget(account)
