"""Real nginx and real Caddy in front of a server of the tests, configured by the files that stand in deploy/.

The files are taken as they are; only ports, paths and, where a test asks for it, time-outs are put in their place.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import trio

from tests.contract.certificates import make_certificate
from tests.harness import PATIENCE_SECONDS, Scene, open_scene

DEPLOY: Final = Path(__file__).resolve().parents[2] / "deploy"
NAMES: Final = ("nginx", "caddy")
_STOP_SECONDS: Final = 3.0
# For client ids: a server that comes after another one on the same data remembers those of the first.
_NUMBERS: Final = itertools.count(1)
# A child that asks the system for a free port may find that somebody else was quicker.
_TRIES: Final = 3


@dataclass(frozen=True)
class Proxy:
    """
    A proxy that runs.

    Attributes:
        upstream_port: where it looks for the server; kept free until `behind` starts one.
        trusted: the certificate to check its own by.
        folder: of its logs.
    """

    name: str
    port: int
    plain_port: int
    upstream_port: int
    trusted: Path
    folder: Path

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def client(self, *, address: str | None = None, **options: Any) -> httpx.AsyncClient:
        """
        A client of this proxy.

        Args:
            address: where it connects from; all of 127.0.0.0/8 is this machine.
        """
        http2 = options.pop("http2", False)
        transport = httpx.AsyncHTTPTransport(local_address=address, http2=http2)
        return httpx.AsyncClient(base_url=self.url, transport=transport, timeout=PATIENCE_SECONDS, **options)

    def logs(self) -> str:
        """Everything it has written down."""
        return "".join(path.read_text() for path in self.folder.glob("*.log"))


@dataclass
class ProxiedScene(Scene):
    """A scene whose people, agents and devices all come through the proxy."""

    proxy: Proxy | None = None

    @property
    def ws_url(self) -> str:
        assert self.proxy is not None
        return f"wss://localhost:{self.proxy.port}"


@asynccontextmanager
async def behind(proxy: Proxy, directory: Path, **sections: Any) -> AsyncIterator[ProxiedScene]:
    """Start a server behind `proxy`; leaving stops it in order, and the next one may take its place."""
    sections["server"] = {"port": proxy.upstream_port, **sections.get("server", {})}
    async with open_scene(directory, **sections) as scene, proxy.client() as http:
        yield ProxiedScene(scene.running, scene.config, http, scene.nursery, _NUMBERS, proxy)


@asynccontextmanager
async def open_proxy(name: str, folder: Path, *, silence_seconds: int | None = None) -> AsyncIterator[Proxy]:
    """
    Run nginx or Caddy until the block is left.

    Args:
        silence_seconds: after which it cuts a connection to the server, in place of what the file says.
    """
    program = find(name)
    start = {"nginx": _start_nginx, "caddy": _start_caddy}[name]
    with reserved_ports(3) as (port, plain_port, upstream_port):
        for _ in range(_TRIES):
            proxy = Proxy(name, port, plain_port, upstream_port, folder / _ROOTS[name], folder)
            process = await start(program, proxy, silence_seconds)
            try:
                if await _is_ready(process, proxy):
                    yield proxy
                    return
            finally:
                await _stop(process)
    pytest.fail(f"{name} did not start:\n{proxy.logs()}")


def find(name: str) -> Path:
    """The program; on a machine without it the test is skipped, except where all tests must run."""
    places = [shutil.which(name), f"/usr/sbin/{name}", Path(sys.executable).parent / name]
    found = next((Path(place) for place in places if place is not None and Path(place).is_file()), None)
    if found is None:
        text = f"there is no {name} here: apt install nginx-light, or make install-dev for Caddy"
        if os.environ.get("CI") == "true":
            pytest.fail(text)
        pytest.skip(text)
    return found


@contextmanager
def reserved_ports(count: int) -> Iterator[list[int]]:
    """Ports that nobody else is given by the system, while whoever sets SO_REUSEADDR may listen on them."""
    with ExitStack() as held:
        ports = []
        for _ in range(count):
            bound = held.enter_context(socket.socket())
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(("127.0.0.1", 0))
            ports.append(bound.getsockname()[1])
        yield ports


def rendered(text: str, changes: Mapping[str, str]) -> str:
    """The text with every change made; one that finds nothing to change means that file and test have parted."""
    for old, new in changes.items():
        assert old in text, f"{old!r} is not in the file any more"
        text = text.replace(old, new)
    return text


# Where each proxy's clients find the certificate to trust.
_ROOTS: Final = {"nginx": "certificate.pem", "caddy": "caddy/pki/authorities/local/root.crt"}


def nginx_config(proxy: Proxy, silence_seconds: int | None = None) -> Path:
    """deploy/nginx.conf where this test has its ports and files, inside the least main file that nginx runs with."""
    certificate, key = make_certificate(proxy.folder)
    changes = {
        "listen 80;": f"listen 127.0.0.1:{proxy.plain_port};",
        "listen 443 ": f"listen 127.0.0.1:{proxy.port} ",
        "server 127.0.0.1:8080;": f"server 127.0.0.1:{proxy.upstream_port};",
        "/etc/letsencrypt/live/chat.example.org/fullchain.pem": str(certificate),
        "/etc/letsencrypt/live/chat.example.org/privkey.pem": str(key),
        "/var/log/nginx/": f"{proxy.folder}/",
    }
    if silence_seconds is not None:
        changes |= {
            f"proxy_{way}_timeout 120s;": f"proxy_{way}_timeout {silence_seconds}s;" for way in ("read", "send")
        }
    site = proxy.folder / "site.conf"
    site.write_text(rendered((DEPLOY / "nginx.conf").read_text(), changes))
    # One worker, as the connections that nginx keeps belong to each alone. `user` is for root only, who would otherwise
    # give up the right to read the test's folder.
    main = proxy.folder / "main.conf"
    places = "".join(
        f"{kind}_temp_path {proxy.folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main.write_text(
        f"{'user root;' if os.geteuid() == 0 else ''}\ndaemon off;\nworker_processes 1;\n"
        f"pid {proxy.folder}/nginx.pid;\n"
        f"error_log {proxy.folder}/error.log;\nevents {{ worker_connections 256; }}\n"
        f"http {{\n{places}access_log off;\ninclude {site};\n}}\n"
    )
    return main


def caddy_config(proxy: Proxy, silence_seconds: int | None = None) -> Path:
    """deploy/Caddyfile with ports of our own, nothing outside the folder, and no other Caddy's admin port."""
    options = (
        "{\n\tadmin off\n\tskip_install_trust\n\tdefault_bind 127.0.0.1\n"
        f"\thttp_port {proxy.plain_port}\n\thttps_port {proxy.port}\n"
    )
    # Global options stand in one block at the top.
    changes = {"\n{\n": f"\n{options}"}
    if silence_seconds is not None:
        changes["dial_timeout 5s"] = f"dial_timeout 5s\n\t\t\tread_timeout {silence_seconds}s"
    text = rendered((DEPLOY / "Caddyfile").read_text(), changes)
    path = proxy.folder / "Caddyfile"
    path.write_text(text)
    return path


async def _start_nginx(program: Path, proxy: Proxy, silence_seconds: int | None) -> trio.Process:
    config = nginx_config(proxy, silence_seconds)
    # Before it has read where its log is, it would write to the one of the system.
    command = [str(program), "-e", str(proxy.folder / "error.log"), "-p", str(proxy.folder), "-c", str(config)]
    return await _start(command, proxy, {})


async def _start_caddy(program: Path, proxy: Proxy, silence_seconds: int | None) -> trio.Process:
    config = caddy_config(proxy, silence_seconds)
    command = [str(program), "run", "--adapter", "caddyfile", "--config", str(config)]
    return await _start(command, proxy, caddy_environment(proxy))


def caddy_environment(proxy: Proxy) -> dict[str, str]:
    """What tells deploy/Caddyfile its two addresses, and Caddy where to keep its certificates."""
    return {
        "AMTRIO_SITE": "localhost",
        "AMTRIO_UPSTREAM": f"127.0.0.1:{proxy.upstream_port}",
        "XDG_DATA_HOME": str(proxy.folder),
        "XDG_CONFIG_HOME": str(proxy.folder),
    }


async def _start(command: list[str], proxy: Proxy, environment: Mapping[str, str]) -> trio.Process:
    # A session of its own: its workers are ended with it.
    with (proxy.folder / "output.log").open("ab") as output:
        return await trio.lowlevel.open_process(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=os.environ | environment,
        )


async def _is_ready(process: trio.Process, proxy: Proxy) -> bool:
    """Whether both ports are listened on, as soon as they are; False if it ended instead."""
    with trio.move_on_after(PATIENCE_SECONDS):
        while process.poll() is None:
            try:
                for port in (proxy.port, proxy.plain_port):
                    await (await trio.open_tcp_stream("127.0.0.1", port)).aclose()
            except OSError:
                await trio.sleep(0.02)
            else:
                return proxy.trusted.is_file()
    return False


async def _stop(process: trio.Process) -> None:
    """End it and all it has started, politely first."""
    with trio.CancelScope(shield=True):
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, number)
            except ProcessLookupError:
                break
            with trio.move_on_after(_STOP_SECONDS):
                await process.wait()
