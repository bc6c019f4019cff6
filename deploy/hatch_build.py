"""What hatchling calls while it packs: the web client is built into the package before the package is packed.

Knows hatchling, and nothing of Node: deploy/webchat.py does.
"""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


def _builder(root: Path) -> ModuleType:
    # A script beside this one; neither is part of a package.
    spec = importlib.util.spec_from_file_location("amtrio_deploy_webchat", root / "deploy" / "webchat.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class WebchatHook(BuildHookInterface[Any]):
    """For wheel and sdist alike: who installs either needs no Node."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Asked by pip before the build: Node is fetched only when there is something to build."""
        builder = _builder(Path(self.root))
        return [builder.NODE] if builder.stale(Path(self.root)) is not None else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the interface's
        """Build it, unless the checkout itself is what will run: there `make run` builds it."""
        root = Path(self.root)
        builder = _builder(root)
        if version == "editable" or builder.stale(root) is None:
            return
        node = builder.installed_node()
        if node is None:
            text = f"amtrio: the web chat is to be built, which needs {builder.NODE}"
            raise SystemExit(f"{text}: install it, or leave the web chat out with AMTRIO_WEBCHAT=0")
        try:
            builder.build(root, node)
        except builder.BuildFailed as error:
            text = f"amtrio: the web chat could not be built: {error}"
            raise SystemExit(text) from error
