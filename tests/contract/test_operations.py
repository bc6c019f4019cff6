"""What docs/operations.md promises: its tables are those of the program, and a backup made its way can be restored.

python tests/contract/test_operations.py      writes the tables into the page anew
"""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import groupby
from pathlib import Path
from typing import Final

import pytest

from amtrio.config import SETTINGS, Config, Setting
from amtrio.metrics import PREFIX, Exposition, Gauges, Metrics
from tests.harness import open_scene

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = ROOT / "docs" / "operations.md"


def settings() -> str:
    """Every setting: one table per section."""
    defaults = Config()
    lines: list[str] = []
    for section, found in groupby(SETTINGS.values(), key=lambda each: each.name.partition(".")[0]):
        kind = getattr(defaults, section)
        lines += [f"### `[{section}]`", "", f"{type(kind).__doc__}", ""]
        lines += ["| setting | default | what | also |", "|---|---|---|---|"]
        lines += [_row(each, getattr(kind, each.name.partition(".")[2])) for each in found]
        lines.append("")
    return "\n".join(lines)


def _row(setting: Setting, default: object) -> str:
    shown = setting.kind.show(default)
    also = [f"`{name}`" for name in setting.variables[1:]] + [f"`--{setting.flag}`"] * bool(setting.flag)
    cells = (
        f"`{setting.name.partition('.')[2]}`",
        "made on the first start" if setting.name.startswith("secrets.") else f"`{shown}`" if shown else "",
        # How durations and sizes are written stands above the tables.
        f"{setting.about}; {re.split(r': | [(]or ', setting.kind.rule)[0]}",
        " ".join(also),
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def metrics() -> str:
    """Every metric of the exposition, under the name that Prometheus shows."""
    now = Gauges(0, 0, 0, 0, 0.0, 0, heartbeat_enabled=False, stale_agents=0, store_healthy=True, waiting_units=0)
    rows = ["| metric | type | what |", "|---|---|---|"]
    for each in Exposition(Metrics(), lambda: now, "").collect():
        shown = f"{each.name}_total" if each.type == "counter" else each.name
        labels = {name for sample in each.samples for name in sample.labels} - {"le"}
        # Counters by label have no sample before the first one.
        labels |= set(getattr(each, "_labelnames", ()))
        where = f" by {', '.join(f'`{name}`' for name in sorted(labels))}" if labels else ""
        rows.append(f"| `{shown}` | {each.type} | {each.documentation}{where} |")
    return "\n".join(rows) + "\n"


TABLES: Final = {"settings": settings, "metrics": metrics}


def _between(name: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- {name}: [^\n]*-->\n)(.*?)(<!-- end of {name} -->)", re.DOTALL)


@pytest.mark.parametrize("name", TABLES)
def test_the_tables_are_those_of_the_program(name: str) -> None:
    """Every setting and every metric is in the page, with its default, type and meaning, and no other one."""
    found = _between(name).search(PAGE.read_text())
    assert found is not None
    assert found[2] == f"\n{TABLES[name]()}\n", "run: python -m tests.contract.test_operations"


def test_metrics_that_the_text_names() -> None:
    """What the page says of alerts is about metrics that exist."""
    named = set(re.findall(rf"`({PREFIX}\w+)", PAGE.read_text()))
    assert named
    for name in named:
        assert f"| `{name}` |" in metrics()


def test_settings_that_the_text_names() -> None:
    """Settings named in the text, in deploy/ and in its files are settings."""
    sections = "|".join(sorted({name.partition(".")[0] for name in SETTINGS}))
    text = _between("settings").sub("", PAGE.read_text())
    assert set(re.findall(rf"`((?:{sections})\.\w+)`", text)) - {"amtrio.db", "secrets.toml"} <= set(SETTINGS)
    variables = {name for setting in SETTINGS.values() for name in setting.variables}
    for path in (PAGE, *filter(Path.is_file, (ROOT / "deploy").glob("*"))):
        named = set(re.findall(rf"\bAMTRIO_(?:{sections.upper()})_\w+", path.read_text()))
        assert named - {"AMTRIO_SECTION_NAME"} <= variables, path


def backup_command() -> str:
    found = re.search(r"^python3 -c \"(.*)\"$", PAGE.read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


async def test_a_backup_made_while_the_server_runs(tmp_path: Path) -> None:
    """The page's command copies a busy database; restored as the page says, it holds the messages in a new epoch."""
    data, copy = tmp_path / "data", tmp_path / "backup"
    copy.mkdir()
    async with open_scene(data) as scene:
        alice, helper = await scene.register("alice"), await scene.register_agent("helper")
        talk = await scene.conversation(alice, helper)
        async with scene.device(alice, "phone") as phone:
            await phone.send(talk, "before the backup")
            script = backup_command().replace("/var/lib/amtrio", str(data)).replace("/backup", str(copy))
            subprocess.run([sys.executable, "-c", script], check=True)  # noqa: ASYNC221 - the server has nothing to do
            await phone.send(talk, "after the backup")
            await phone.caught_up()
            seen, epoch = phone.seq, phone.greeting["data"]["epoch"]
    for name in ("amtrio.db-wal", "amtrio.db-shm", "amtrio.db.boot"):
        (data / name).unlink(missing_ok=True)
    (copy / "amtrio.db").replace(data / "amtrio.db")
    async with open_scene(data) as scene:
        history = await scene.get(f"/conversations/{talk}/messages", alice)
        assert [each["content"] for each in history] == ["before the backup"]
        async with scene.device(alice, "phone", since=seen, epoch=epoch) as phone:
            resync = await phone.next("resync")
            assert resync["reason"] == "epoch"
            assert resync["epoch"] != epoch


def rewrite() -> None:
    """Write the tables into the page."""
    text = PAGE.read_text()
    for name, table in TABLES.items():
        found = _between(name).search(text)
        assert found is not None
        text = f"{text[: found.start(2)]}\n{table()}\n{text[found.end(2) :]}"
    PAGE.write_text(text)


if __name__ == "__main__":
    rewrite()
