"""Programs that start others and do not want to die, as the tests of bridges run them."""

from __future__ import annotations

import sys
from pathlib import Path

# Parent, child in its group, grandchild in a session of its own: all hold the lifeline and ignore what is polite.
STUBBORN = """
import os, signal, sys, time
lifeline = os.open(sys.argv[1], os.O_WRONLY)
os.set_inheritable(lifeline, True)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
if os.fork() == 0:
    if os.fork() == 0:
        os.setsid()
        os.execvp(sys.executable, [sys.executable, "-c", "import time; print('ready', flush=True); time.sleep(600)"])
    time.sleep(600)
{then}
"""


def stubborn(lifeline: Path, then: str = "time.sleep(600)") -> list[str]:
    """It says `ready` when all three are there; `then` is what the parent does next."""
    return [sys.executable, "-c", STUBBORN.format(then=then), str(lifeline)]
