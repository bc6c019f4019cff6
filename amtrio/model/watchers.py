"""Who may know whether an account is here, and what it says of itself.

Knows SQL. Knows no command, no route, no socket; who is online it is told.
"""

from __future__ import annotations

from collections.abc import Iterable

from amtrio.context import kind_of
from amtrio.store.database import ReadTx


def watchers_of(tx: ReadTx, account: str, online: Iterable[str]) -> list[str]:
    """
    Those of `online` who may see `account`.

    An agent is seen by whom its visibility names; a person by the agents he talks with and by his own devices.
    """
    if kind_of(account) == "user":
        partners = tx.all(
            """
            SELECT DISTINCT other.account_key FROM member mine
            JOIN member other ON other.conversation_id = mine.conversation_id AND other.left_at_seq IS NULL
            WHERE mine.account_key = :account AND mine.left_at_seq IS NULL""",
            account=account,
        )
        allowed = {row[0] for row in partners} | {account}
        return [key for key in online if key in allowed]
    row = tx.one("SELECT visibility, owner_key FROM agent WHERE account_key = :account", account=account)
    if row is None:
        return []
    visibility, owner = row
    people = [key for key in online if kind_of(key) == "user"]
    if visibility == "everyone":
        return people
    allowed = {owner}
    if visibility == "listed":
        allowed |= {
            row[0] for row in tx.all("SELECT account_key FROM agent_reader WHERE agent_key = :account", account=account)
        }
    return [key for key in people if key in allowed]
