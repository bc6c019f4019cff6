"""The two sides of a run: an agent's, which says something, and a device's, which shows what it is told.

`Shown` does what docs/protocol.md asks of a device and nothing more; a hole in what it is told fails the test.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from amtrio.store.database import Tx
from tests.harness import Device, Json, Scene


async def set_card(scene: Scene, agent_id: str, *supports: str) -> None:
    """What an agent says that it can do."""
    card = '{"supports":[' + ",".join(f'"{word}"' for word in supports) + "]}"

    def unit(tx: Tx) -> None:
        tx.run("UPDATE agent SET card = :card WHERE id = :id", card=card, id=agent_id)

    await scene.running.services.store.write(unit)


@dataclass
class Answer:
    """What an agent says in one run."""

    device: Device
    run_id: str
    lengths: dict[int, int] = field(default_factory=dict)

    async def start(self, conversation_id: str, **data: Any) -> Json:
        reply = await self.device.ask("run_start", run_id=self.run_id, conversation_id=conversation_id, **data)
        assert reply["type"] == "run_state", reply
        state: Json = reply["data"]
        return state

    async def say(self, text: str, part: int = 0) -> None:
        offset = self.lengths.get(part, 0)
        self.lengths[part] = offset + len(text)
        await self.device.say("run_append", run_id=self.run_id, part=part, offset=offset, text=text)

    async def part(self, number: int, kind: str, **meta: Any) -> None:
        self.lengths.setdefault(number, 0)
        await self.device.say("run_part", run_id=self.run_id, part=number, kind=kind, meta=meta)

    async def resume(self) -> Json:
        reply = await self.device.ask("run_resume", run_id=self.run_id)
        assert reply["type"] == "run_state", reply
        state: Json = reply["data"]
        self.lengths = {part["part"]: part["offset"] for part in state["parts"]}
        return state

    async def finish(self, outcome: str = "done", **data: Any) -> Json:
        reply = await self.device.ask("run_finish", run_id=self.run_id, outcome=outcome, **data)
        assert reply["type"] == "run_finished", reply
        finished: Json = reply["data"]
        return finished


class Shown:
    """What one device shows of the runs it hears of."""

    def __init__(self) -> None:
        self.runs: dict[str, Json] = {}
        self.holes: set[str] = set()
        self.ended: dict[str, Json] = {}

    def hear(self, frame: Json) -> None:
        """One frame from the server, whatever it is."""
        data = frame["data"]
        match frame["type"]:
            case "run_snapshot":
                known = self.runs.get(data["run_id"])
                if known is None or data["rev"] >= known["rev"]:
                    self.runs[data["run_id"]] = {
                        "rev": data["rev"],
                        "parts": [dict(part) for part in data["parts"]],
                    }
                    self.holes.discard(data["run_id"])
            case "run_delta":
                self._delta(data)
            case "message" if "run" in data:
                self.runs.pop(data["run"]["run_id"], None)
                self.ended[data["run"]["run_id"]] = data
            case "run_ended":
                self.runs.pop(data["run_id"], None)
                self.ended[data["run_id"]] = data

    def _delta(self, data: Json) -> None:
        run = self.runs.get(data["run_id"])
        if run is None or data["rev"] > run["rev"] + 1:
            if data["run_id"] not in self.ended:
                self.holes.add(data["run_id"])
            return
        if data["rev"] <= run["rev"]:
            return
        run["rev"] = data["rev"]
        for change in data["parts"]:
            if change["part"] == len(run["parts"]):
                run["parts"].append({"part": change["part"], "kind": change["kind"], "meta": {}, "text": ""})
            part = run["parts"][change["part"]]
            if "meta" in change:
                part["meta"] = change["meta"]
            if "text" in change:
                assert change["offset"] == len(part["text"]), f"a hole in {data}"
                part["text"] += change["text"]

    def text(self, run_id: str) -> str:
        """The texts of a run, as its message will have them."""
        return "\n\n".join(part["text"] for part in self.runs[run_id]["parts"] if part["kind"] == "text")
