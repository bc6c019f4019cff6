"""README's agent, run as it stands there."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import trio

from tests.harness import AGENT_SECRET, open_scene

README = Path(__file__).parents[2] / "README.md"


async def test_the_agent_of_the_readme_answers(tmp_path: Path) -> None:
    """Copied, with address and token put in, it says what it heard."""
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    async with open_scene(tmp_path) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        program = tmp_path / "agent.py"
        code = code.replace("http://localhost:8080", f"http://127.0.0.1:{scene.running.port}")
        program.write_text(code.replace("agt_...", AGENT_SECRET))
        async with scene.device(alice, "phone") as phone, trio.open_nursery() as nursery:
            await nursery.start(trio.run_process, [sys.executable, str(program)])
            await phone.send(talk, "polo")
            heard = await phone.next("message", sender_type="agent")
            assert heard["content"] == "You said: polo"
            nursery.cancel_scope.cancel()
