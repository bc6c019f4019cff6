"""What the fake server knows of runs, questions, queues and cards: one agent, one person, all in memory.

Written from docs/protocol.md alone, so that it and the library agree only where both read it alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
Tell = Callable[[str, str, Json], None]
AT = "2026-11-22T10:00:03.000Z"


class Refusal(Exception):
    """Becomes an `error` frame."""

    def __init__(self, code: str, text: str, **fields: Any) -> None:
        super().__init__(text)
        self.data: Json = {"error": text, "code": code, "retry": "no", **fields}


@dataclass
class FakeRun:
    """Attributes: rev: changes so far. writes: every text as it was taken, with its offset."""

    run_id: str
    conversation_id: str
    reply_to: str | None
    parts: list[Json] = field(default_factory=list)
    rev: int = 0
    state: str = "open"
    outcome: str | None = None
    message: Json | None = None
    controls: dict[str, Json] = field(default_factory=dict)
    acked: set[str] = field(default_factory=set)
    finish: Json | None = None

    @property
    def text(self) -> str:
        return "\n\n".join(part["text"] for part in self.parts if part["kind"] == "text")

    def stands(self, *, repeated: bool) -> Json:
        found: Json = {
            "run_id": self.run_id,
            "conversation_id": self.conversation_id,
            "state": self.state,
            "rev": self.rev,
            "parts": [
                {"part": number, "kind": part["kind"], "offset": len(part["text"])}
                for number, part in enumerate(self.parts)
            ],
            "repeated": repeated,
        }
        if self.state == "ended":
            found |= {"outcome": self.outcome, "message_id": self.message and self.message["message_id"]}
        return found

    def snapshot(self) -> Json:
        return {
            "run_id": self.run_id,
            "conversation_id": self.conversation_id,
            "agent_id": "demo",
            "reply_to": self.reply_to,
            "rev": self.rev,
            "started_at": AT,
            "parts": [{"part": number, **part} for number, part in enumerate(self.parts)],
        }


@dataclass
class FakeRuns:
    """
    Attributes:
        post: stores a message of the agent and announces it; data in, stored message out.
        announce, tell: an event for an account, kept in its log or not.
        find: a stored message by its id.
        refuse: refusals for the next commands of a kind, one each: {"run_append": [Refusal(...)]}.
        card: as the agent told it last.
    """

    post: Callable[[Json], Json]
    announce: Tell
    tell: Tell
    find: Callable[[str], Json]
    runs: dict[str, FakeRun] = field(default_factory=dict)
    refuse: dict[str, list[Refusal]] = field(default_factory=dict)
    card: Json = field(default_factory=dict)
    cards: int = 0
    withdrawn: set[str] = field(default_factory=set)
    size_limit: int = 512 * 1024

    def knows(self, word: str) -> bool:
        return hasattr(self, f"on_{word}")

    def command(self, word: str, data: Json) -> tuple[str, Json] | None:
        """The answer, or None where there is none."""
        try:
            if self.refuse.get(word):
                raise self.refuse[word].pop(0)
            answer: tuple[str, Json] | None = getattr(self, f"on_{word}")(data)
        except Refusal as refusal:
            return "error", refusal.data
        return answer

    # ------------------------------------------------------------------------------------------------ of the agent

    def on_card(self, data: Json) -> tuple[str, Json]:
        self.cards += 1
        self.card |= {name: value for name, value in data.items() if name != "client_id"}
        return "done", {"status": "stored"}

    def on_run_start(self, data: Json) -> tuple[str, Json]:
        known = self.runs.get(data["run_id"])
        if known is not None:
            return "run_state", known.stands(repeated=True)
        reply_to = data.get("reply_to")
        if reply_to is not None:
            self._take(reply_to)
        run = self.runs[data["run_id"]] = FakeRun(data["run_id"], data["conversation_id"], reply_to)
        self.tell("u:alice", "run_snapshot", run.snapshot())
        return "run_state", run.stands(repeated=False)

    def on_message_take(self, data: Json) -> tuple[str, Json]:
        message = self._take(data["message_id"])
        return "done", {"status": "taken", **_place(message)}

    def _take(self, message_id: str) -> Json:
        message = self.find(message_id)
        if message_id in self.withdrawn or message.get("deleted"):
            raise Refusal("withdrawn", "the person took it back")
        if message.pop("queued", False):
            for key in ("u:alice", "a:demo"):
                self.announce(
                    key, "message_taken", {**_place(message), "conversation_seq": message["conversation_seq"]}
                )
        return message

    def _open(self, data: Json) -> FakeRun:
        run = self.runs.get(data["run_id"])
        if run is None:
            raise Refusal("not_found", "no such run", details={"run_id": data["run_id"]})
        if run.state == "ended":
            raise Refusal("run_closed", "the run has ended", details={"run_id": run.run_id})
        return run

    def on_run_append(self, data: Json) -> None:
        run, number = self._open(data), data["part"]
        is_new = number == len(run.parts)
        if number > len(run.parts):
            raise Refusal("conflict", "part out of order", details={"run_id": run.run_id, "part": number})
        text = "" if is_new else run.parts[number]["text"]
        if data["offset"] > len(text):
            details = {"run_id": run.run_id, "part": number, "expected_offset": len(text)}
            raise Refusal("run_gap", "something before it is missing", details=details)
        if sum(len(part["text"]) for part in run.parts) + len(data["text"]) > self.size_limit:
            raise Refusal("too_large", "a run is at most 512 KiB", details={"run_id": run.run_id})
        fresh = data["text"][len(text) - data["offset"] :]
        if is_new:
            run.parts.append({"kind": "text", "meta": {}, "text": ""})
        if fresh or is_new:
            run.parts[number]["text"] += fresh
            delta = {"part": number, "offset": len(text), "text": fresh} | ({"kind": "text"} if is_new else {})
            self._changed(run, delta)

    def on_run_part(self, data: Json) -> None:
        run, number = self._open(data), data["part"]
        meta, kind = data.get("meta", {}), data["kind"]
        if number > len(run.parts) or (number < len(run.parts) and run.parts[number]["kind"] != kind):
            raise Refusal("conflict", "part out of order", details={"run_id": run.run_id, "part": number})
        if number == len(run.parts):
            run.parts.append({"kind": kind, "meta": meta, "text": ""})
            self._changed(run, {"part": number, "kind": kind, "meta": meta})
        elif run.parts[number]["meta"] != meta:
            run.parts[number]["meta"] = meta
            self._changed(run, {"part": number, "meta": meta})

    def _changed(self, run: FakeRun, delta: Json) -> None:
        run.rev += 1
        place = {"run_id": run.run_id, "conversation_id": run.conversation_id, "rev": run.rev}
        self.tell("u:alice", "run_delta", {**place, "parts": [delta]})

    def on_run_resume(self, data: Json) -> tuple[str, Json]:
        run = self.runs.get(data["run_id"])
        if run is None:
            raise Refusal("not_found", "no such run")
        for control_id, control in run.controls.items():
            if control_id not in run.acked and run.state == "open":
                self.tell("a:demo", "run_control", control)
        return "run_state", run.stands(repeated=True)

    def on_run_finish(self, data: Json) -> tuple[str, Json]:
        run = self.runs.get(data["run_id"])
        if run is None:
            raise Refusal("not_found", "no such run")
        if run.state == "open":
            run.finish = data
            self.end(run.run_id, data["outcome"], error=data.get("error"), usage=data.get("usage"))
        kept = run.message
        return "run_finished", {
            "run_id": run.run_id,
            "conversation_id": run.conversation_id,
            "outcome": run.outcome,
            "message_id": kept and kept["message_id"],
            "conversation_seq": kept and kept["conversation_seq"],
        }

    def end(self, run_id: str, outcome: str, *, error: str | None = None, usage: Json | None = None) -> None:
        """End a run, as the server also does by itself."""
        run = self.runs[run_id]
        run.state, run.outcome = "ended", outcome
        if not error and all(part["kind"] == "status" for part in run.parts):
            ended = {"run_id": run_id, "conversation_id": run.conversation_id, "agent_id": "demo", "outcome": outcome}
            for key in ("u:alice", "a:demo"):
                self.announce(key, "run_ended", ended)
            return
        parts = []
        for number, part in enumerate(run.parts):
            is_text = part["kind"] == "text"
            said = {"length": len(part["text"])} if is_text else {"text": part["text"]}
            parts.append({"part": number, "kind": part["kind"], "meta": part["meta"], **said})
        record: Json = {"run_id": run_id, "outcome": outcome, "started_at": AT, "ended_at": AT, "parts": parts}
        record |= {name: value for name, value in (("error", error), ("usage", usage)) if value is not None}
        content = run.text or "(no text)"
        run.message = self.post({"conversation_id": run.conversation_id, "content": content, "run": record})

    def on_run_control_ack(self, data: Json) -> None:
        self.runs[data["run_id"]].acked.add(data["control_id"])

    def on_question_close(self, data: Json) -> tuple[str, Json]:
        message = self.settle(data["message_id"], "closed", None)
        return "done", {"status": "closed", **_place(message)}

    # ------------------------------------------------------------------------------------------------ of the person

    def on_run_control(self, data: Json) -> tuple[str, Json]:
        run = self._open(data)
        control: Json = {
            "run_id": run.run_id,
            "conversation_id": run.conversation_id,
            "control_id": f"control-{len(run.controls) + 1:08}",
            "action": data["action"],
        }
        answer: Json = {"status": "sent", "run_id": run.run_id, "control_id": control["control_id"]}
        if data["action"] == "steer":
            said = {"conversation_id": run.conversation_id, "content": data["text"], "steers": run.run_id}
            message = self.post({**said, "as": "user"})
            control |= {"text": data["text"], "message_id": message["message_id"]}
            answer |= {name: message[name] for name in ("message_id", "conversation_seq")}
        run.controls[control["control_id"]] = control
        self.tell("a:demo", "run_control", control)
        return "done", answer

    def on_run_attach(self, data: Json) -> tuple[str, Json]:
        return "run_snapshot", self._open(data).snapshot()

    def on_message_withdraw(self, data: Json) -> tuple[str, Json]:
        message = self.find(data["message_id"])
        if not message.pop("queued", False):
            raise Refusal("taken", "the agent has it already")
        self.withdrawn.add(data["message_id"])
        message |= {"content": "", "deleted": True}
        gone = {**_place(message), "conversation_seq": message["conversation_seq"]}
        for key in ("u:alice", "a:demo"):
            self.announce(key, "message_deleted", gone)
        return "done", {"status": "withdrawn", **_place(message)}

    def on_answer(self, data: Json) -> tuple[str, Json]:
        given = {"option_ids": data.get("option_ids", []), "answered_by": "alice", "answered_at": AT}
        if "text" in data:
            given["text"] = data["text"]
        message = self.settle(data["message_id"], "answered", given)
        return "done", {"status": "answered", **_place(message), "question": message["question"]}

    def settle(self, message_id: str, state: str, answer: Json | None) -> Json:
        """End a question, as the server also does by itself."""
        message = self.find(message_id)
        question = message["question"]
        if question["state"] != "open":
            code = "answered" if question["state"] == "answered" else "closed"
            raise Refusal(code, "somebody was faster", details={"answer": question.get("answer")})
        question["state"] = state
        if answer is not None:
            question["answer"] = answer
        word = "question_answered" if state == "answered" else "question_closed"
        for key in ("u:alice", "a:demo"):
            self.announce(key, word, {**_place(message), "question": dict(question)})
        return message


def _place(message: Json) -> Json:
    return {name: message[name] for name in ("message_id", "conversation_id")}
