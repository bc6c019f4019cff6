"""One frozen tree of settings, and where each value came from.

    loaded = load(flags, os.environ, Path.cwd())
    loaded.config.server.port, loaded.sources["server.port"]      # 9000, "environment PORT"

tree.py has the settings, kinds.py what a value may be, sources.py how they are read, secret_file.py the secrets made
on the first start. Knows nothing of what is done with a setting.
"""

from amtrio.config.kinds import NO_SECRET, Network, Secret
from amtrio.config.sources import ConfigError, Loaded, Problem, load
from amtrio.config.tree import (
    FLAGS,
    SETTINGS,
    Auth,
    Config,
    Limits,
    Log,
    Metrics,
    Otel,
    Push,
    Runs,
    Secrets,
    Server,
    Sessions,
    Setting,
    Storage,
)

__all__ = [
    "FLAGS", "NO_SECRET", "SETTINGS", "Auth", "Config", "ConfigError", "Limits", "Loaded", "Log", "Metrics", "Network",
    "Otel", "Problem", "Push", "Runs", "Secret", "Secrets", "Server", "Sessions", "Setting", "Storage", "load",
]  # fmt: skip
