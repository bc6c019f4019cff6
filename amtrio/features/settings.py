"""What administrators change while the server runs, over what its configuration says.

Knows one table. What a setting does is known by the feature that reads it.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from amtrio.context import Context, Nothing
from amtrio.feature import get, patch
from amtrio.model.audit import record
from amtrio.store.database import ReadTx, Tx

Registration = Literal["open", "invitation", "closed"]
_SET = """
INSERT INTO server_setting (name, value) VALUES ('registration', :value)
ON CONFLICT (name) DO UPDATE SET value = excluded.value"""


class SettingsShown(msgspec.Struct, frozen=True, kw_only=True):
    """
    What is in force.

    Attributes:
        registration: who may make an account: everybody (`open`), the invited (`invitation`) or nobody (`closed`).
        configured_registration: what the configuration says.
        is_registration_changed: true while an administrator's choice is in force in place of it.
    """

    registration: Registration
    configured_registration: Registration
    is_registration_changed: bool


class ChangeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """
    What is to be changed; what is left out stays.

    Attributes:
        registration: null goes back to what the configuration says.
    """

    registration: Registration | msgspec.UnsetType | None = msgspec.UNSET


@get("/admin/settings", who="admin")
def show_settings(tx: ReadTx, ctx: Context, request: Nothing) -> SettingsShown:
    """What is in force, and what the configuration says."""
    del request
    row = tx.one("SELECT value FROM server_setting WHERE name = 'registration'")
    configured = msgspec.convert(ctx.config.auth.registration, Registration)
    return SettingsShown(
        registration=row[0] if row is not None else configured,
        configured_registration=configured,
        is_registration_changed=row is not None,
    )


@patch("/admin/settings", who="admin")
def change_settings(tx: Tx, ctx: Context, request: ChangeSettings) -> SettingsShown:
    """Change what is in force; it lasts over restarts."""
    if request.registration is None:
        tx.run("DELETE FROM server_setting WHERE name = 'registration'")
    elif request.registration is not msgspec.UNSET:
        tx.run(_SET, value=request.registration)
    if request.registration is not msgspec.UNSET:
        record(tx, ctx, "setting.changed", "registration", value=request.registration)
    return show_settings(tx, ctx, Nothing())
