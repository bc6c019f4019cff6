"""Reading the record of who administered what."""

from __future__ import annotations

from typing import Any

from amtrio.feature import registry
from amtrio.features import accounts, agents, audit
from amtrio.features.accounts import AddUser, RemoveUser, SetPassword, SetTier, UserName
from amtrio.features.agents import AddAgent, AgentName
from amtrio.features.audit import AskAudit
from tests.conftest import Journal
from tests.features.conftest import ADMIN, Cast, audited, promote
from tests.harness import ADMIN_SECRET, PASSWORD, Scene


async def test_pages_and_filters(scene: Scene, cast: Cast) -> None:
    """Newest first, each page going on where the last one ended."""
    await promote(scene, cast.alice)
    for tier, headers in (("pro", ADMIN), ("free", cast.alice.headers), ("enterprise", ADMIN)):
        answer = await scene.http.patch(f"/admin/users/{cast.bob.id}", json={"tier": tier}, headers=headers)
        assert answer.status_code == 200
    numbers: list[int] = []
    cursor: int | None = 0
    while cursor is not None:
        page = (await scene.http.get("/admin/audit", params={"limit": 2, "cursor": cursor}, headers=ADMIN)).json()
        numbers += [each["number"] for each in page["entries"]]
        cursor = page["next"]
    assert numbers == [4, 3, 2, 1]
    told = [(each["actor"], each["actor_id"], each["action"], each["details"]) for each in await audited(scene)]
    assert told == [
        ("cli", None, "user.promoted", {}),
        ("secret", None, "user.tier", {"tier": "pro"}),
        ("user", cast.alice.id, "user.tier", {"tier": "free"}),
        ("secret", None, "user.tier", {"tier": "enterprise"}),
    ]
    for query, expected in (
        ({"actor": "secret"}, [2, 4]),
        ({"actor": cast.alice.id}, [3]),
        ({"action": "user.promoted"}, [1]),
        ({"subject": cast.bob.id, "actor": "secret"}, [2, 4]),
        ({"subject": "nobody"}, []),
    ):
        assert [each["number"] for each in await audited(scene, **query)] == expected
    assert (await audited(scene))[1]["address"] == "127.0.0.1"


async def test_everything_the_command_line_does_is_recorded(scene: Scene) -> None:
    """One row per act, by `cli`; looking leaves none."""
    services = scene.running.services
    await accounts.add_user(services, AddUser(username="alice", password=PASSWORD))
    await accounts.operation_set_password(services, SetPassword(username="alice", password=PASSWORD))
    await accounts.operation_set_tier(services, SetTier(username="alice", tier="pro"))
    await accounts.operation_promote(services, UserName(username="alice"))
    await accounts.operation_demote(services, UserName(username="alice"))
    await accounts.operation_remove_user(services, RemoveUser(username="alice"))
    await agents.operation_add(services, AddAgent(agent_id="helper"))
    await agents.operation_rotate(services, AgentName(agent_id="helper"))
    await agents.operation_revoke(services, AgentName(agent_id="helper"))
    await agents.operation_remove(services, AgentName(agent_id="helper"))
    entries = (await audit.operation_audit(services, AskAudit())).entries[::-1]
    assert {each.actor for each in entries} == {"cli"}
    assert [each.action for each in entries] == [
        "user.added", "user.password", "user.tier", "user.promoted", "user.demoted", "user.removed",
        "agent.added", "agent.rotated", "agent.revoked", "agent.removed",
    ]  # fmt: skip


# What each route is asked with. Looking changes nothing and leaves no record.
ACTS: dict[tuple[str, str], dict[str, Any]] = {
    ("PATCH", "/admin/users/<user_id>"): {"tier": "pro", "is_admin": True},
    ("DELETE", "/admin/users/<user_id>"): {},
    ("DELETE", "/admin/users/<user_id>/sessions"): {},
    ("DELETE", "/admin/users/<user_id>/sessions/<session_id>"): {},
    ("POST", "/admin/users/<user_id>/password"): {},
    ("POST", "/admin/rate-limit/tier"): {"tier": "pro"},
    ("POST", "/admin/agents"): {"agent_id": "newcomer"},
    ("PATCH", "/admin/agents/<agent_id>"): {"visibility": "owner"},
    ("DELETE", "/admin/agents/<agent_id>"): {},
    ("POST", "/admin/agents/<agent_id>/rotate"): {},
    ("POST", "/admin/agents/<agent_id>/revoke"): {},
    ("PATCH", "/admin/settings"): {"registration": "closed"},
    ("POST", "/admin/invitations"): {"note": "for carol"},
    ("DELETE", "/admin/invitations/<invitation_id>"): {},
    ("POST", "/admin/profile"): {"action": "gc"},
}


async def test_every_route_that_administers_leaves_a_record_without_secrets(scene: Scene, journal: Journal) -> None:
    """A new route fails this until it is asked here; neither its record nor the log holds what it handed out."""
    writing = {(each.method, each.path) for each in registry.routes if each.who == "admin" and each.method != "GET"}
    assert writing == set(ACTS)
    handed_out: list[str] = []
    for number, ((method, path), fields) in enumerate(ACTS.items()):
        person, agent = await scene.register(f"person{number}"), await scene.register_agent(f"agent{number}")
        (session,) = (await scene.get("/auth/sessions", person))["sessions"]
        invited = (await scene.http.post("/admin/invitations", json={}, headers=ADMIN)).json()
        where = {
            "<user_id>": person.id,
            "<session_id>": session["session_id"],
            "<agent_id>": agent.id,
            "<invitation_id>": invited["invitation_id"],
        }
        filled = path
        for part, value in where.items():
            filled = filled.replace(part, value)
        before = len(await audited(scene, limit=500))
        body = fields if path != "/admin/rate-limit/tier" else fields | {"user_id": person.id}
        answer = await scene.http.request(method, filled, json=body, headers=ADMIN)
        assert answer.status_code == 200, (method, path, answer.text)
        entries = await audited(scene, limit=500)
        assert len(entries) > before, (method, path)
        handed_out += [invited["token"], person.token]
        handed_out += [str(answer.json()[name]) for name in ("token", "password") if answer.json().get(name)]
        if path == "/admin/settings":
            await scene.http.patch("/admin/settings", json={"registration": None}, headers=ADMIN)
    told = repr(await audited(scene, limit=500)) + repr(journal.entries)
    for secret in (*handed_out, ADMIN_SECRET, PASSWORD):
        assert secret not in told
