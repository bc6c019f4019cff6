"""The web client at `/`: its files with their headers, its pages, and that the API is what it was."""

from __future__ import annotations

import gzip
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import trio

from amtrio.config import Server
from amtrio.feature import registry
from amtrio.transports import webchat as module
from amtrio.transports.aliases import aliases_of
from amtrio.transports.webchat import CONTENT_SECURITY_POLICY, CannotServe, load, open_webchat
from tests.conftest import Journal
from tests.harness import Scene, open_scene
from tests.transports.conftest import cast, filled, refused
from tests.web_client import BROTLI, FILES, INDEX, SCRIPT, make_web_client

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
PLAIN = {"Accept-Encoding": "identity"}
SCRIPT_PATH = "/assets/app-1234abcd.js"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_web_client(tmp_path / "built")


@asynccontextmanager
async def serving(tmp_path: Path, folder: Path | None) -> AsyncIterator[Scene]:
    async with open_scene(tmp_path, server={"webchat_enabled": True, "webchat_dir": folder}) as scene:
        yield scene


async def spoken(scene: Scene, request: bytes) -> bytes:
    """The whole answer to a request that no client library would write."""
    stream = await trio.open_tcp_stream("127.0.0.1", scene.running.port)
    async with stream:
        await stream.send_all(request + b"\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return b"".join([piece async for piece in stream])


# ---------------------------------------------------------------------------------------------------------------- files


@pytest.mark.parametrize(
    ("path", "kind", "caching"),
    [
        ("/", "text/html; charset=utf-8", "no-cache"),
        ("/index.html", "text/html; charset=utf-8", "no-cache"),
        (SCRIPT_PATH, "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
        ("/assets/app-DgK_x-9Z.css", "text/css; charset=utf-8", "public, max-age=31536000, immutable"),
        # Eight letters between hyphen and dot that are a word.
        ("/assets/emoji-category.json", "application/json", "no-cache"),
        ("/sw.js", "text/javascript; charset=utf-8", "no-cache"),
        ("/manifest.webmanifest", "application/manifest+json", "no-cache"),
        ("/icons/icon.svg", "image/svg+xml", "no-cache"),
        ("/LICENSES", "application/octet-stream", "no-cache"),
    ],
)
async def test_a_file_comes_with_its_type_and_its_caching(
    tmp_path: Path, folder: Path, path: str, kind: str, caching: str
) -> None:
    """What has its digest in its name is kept for ever, everything else is asked for again; nothing is guessed."""
    async with serving(tmp_path, folder) as scene:
        answer = await scene.http.get(path, headers=PLAIN)
        assert (answer.status_code, answer.content) == (200, FILES[path[1:] or "index.html"])
        assert answer.headers["Content-Type"] == kind
        assert answer.headers["Cache-Control"] == caching
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        head = await scene.http.head(path, headers=PLAIN)
        assert (head.status_code, head.content) == (200, b"")
        for name in ("Content-Type", "Content-Length", "Cache-Control", "ETag"):
            assert head.headers[name] == answer.headers[name], name


async def test_whatever_a_browser_runs_has_the_strict_policy(tmp_path: Path, folder: Path) -> None:
    """Page and scripts, since a worker lives by the policy of its own file; a picture opened alone may do nothing."""
    async with serving(tmp_path, folder) as scene:
        for path in ("/", "/c/conv_1", "/sw.js", SCRIPT_PATH):
            headers = (await scene.http.get(path, headers=BROWSER)).headers
            assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY, path
            assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
            assert headers["X-Frame-Options"] == "DENY"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert "microphone=(self)" in headers["Permissions-Policy"]
        assert "unsafe" not in CONTENT_SECURITY_POLICY
        assert "*" not in CONTENT_SECURITY_POLICY
        picture = await scene.http.get("/icons/icon.svg")
        assert picture.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br, zstd", "br"), ("gzip", "gzip"), ("br;q=0, gzip;q=0.5", "gzip"), ("*", "br"), ("BR", "br"),
        ("br;q=0, *;q=1", "gzip"), ("identity", ""), ("br;q=0, gzip;q=0.000", ""), ("br;q=nan", ""), ("", ""),
        ("gzip;q=1.0;x=2", "gzip"),
    ],
)  # fmt: skip
async def test_the_smallest_form_that_the_other_side_reads(
    tmp_path: Path, folder: Path, accepted: str, encoding: str
) -> None:
    """As the build left it in the folder, under a tag of its own, and caches are told what it depends on."""
    bodies = {"br": BROTLI, "gzip": gzip.compress(SCRIPT, mtime=0), "": SCRIPT}
    async with (
        serving(tmp_path, folder) as scene,
        scene.http.stream("GET", SCRIPT_PATH, headers={"Accept-Encoding": accepted}) as answer,
    ):
        raw = b"".join([piece async for piece in answer.aiter_raw()])
        assert raw == bodies[encoding]
        assert answer.headers.get("Content-Encoding", "") == encoding
        assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert answer.headers["Content-Length"] == str(len(raw))
        assert "Accept-Encoding" in answer.headers["Vary"]
        assert answer.headers["ETag"].endswith(f'-{encoding}"') == bool(encoding)


async def test_a_twin_is_no_file_of_its_own(tmp_path: Path, folder: Path) -> None:
    """And a file without one says nothing of encodings."""
    async with serving(tmp_path, folder) as scene:
        refused(await scene.http.get(f"{SCRIPT_PATH}.br", headers=BROWSER), 404, "not_found")
        answer = await scene.http.get("/sw.js", headers={"Accept-Encoding": "br"})
        assert "Content-Encoding" not in answer.headers
        assert "Accept-Encoding" not in answer.headers.get("Vary", "")


async def test_what_a_browser_has_is_not_sent_again(tmp_path: Path, folder: Path) -> None:
    """304 by tag, also one that a proxy made weak, with the headers that replace those of the copy."""
    async with serving(tmp_path, folder) as scene:
        for path in ("/", "/c/conv_1", SCRIPT_PATH, "/sw.js"):
            whole = await scene.http.get(path, headers=BROWSER | {"Accept-Encoding": "gzip"})
            tag = whole.headers["ETag"]
            for known in (tag, f'"other", W/{tag}', "*"):
                for method in ("GET", "HEAD"):
                    answer = await scene.http.request(
                        method, path, headers=BROWSER | {"Accept-Encoding": "gzip", "If-None-Match": known}
                    )
                    assert (answer.status_code, answer.content) == (304, b"")
                    for name in ("ETag", "Cache-Control", "Content-Security-Policy", "Vary"):
                        assert answer.headers[name] == whole.headers[name], name
                    assert not {"Content-Type", "Content-Length", "Content-Encoding"} & {*answer.headers}
            again = await scene.http.get(path, headers=BROWSER | {"If-None-Match": '"other"'})
            assert again.status_code == 200
        # The tag of one form does not stand for the other.
        answer = await scene.http.get(SCRIPT_PATH, headers=PLAIN | {"If-None-Match": f'"{"0" * 20}-gzip"'})
        assert answer.status_code == 200


# ---------------------------------------------------------------------------------------------------------------- pages


async def test_an_address_inside_the_client_is_its_page(tmp_path: Path, folder: Path) -> None:
    """For browsers that show a page; a program that asks there reads that nothing is there, as ever."""
    async with serving(tmp_path, folder) as scene:
        for path in ("/c/conv_1", "/settings", "/c/conv_1/m/msg_2", "/c/helper.v2"):
            answer = await scene.http.get(path, headers=BROWSER)
            assert (answer.status_code, answer.content) == (200, INDEX), path
            assert answer.headers["Cache-Control"] == "no-cache"
            assert "Accept," in answer.headers["Vary"]
            for accept in ("*/*", "application/json", "text/html;q=0", ""):
                refused(await scene.http.get(path, headers={"Accept": accept}), 404, "not_found")
            refused(await scene.http.post(path, headers=BROWSER), 404, "not_found")


async def test_a_file_that_is_gone_does_not_look_like_a_page(tmp_path: Path, folder: Path) -> None:
    """A script of yesterday's build must fail, not arrive as HTML; and the refusal is not kept."""
    async with serving(tmp_path, folder) as scene:
        for path in ("/assets/app-00000000.js", "/assets/app", "/favicon.ico", "/icons/", "/nosuch.js", "/chat/nosuch"):
            answer = await scene.http.get(path, headers=BROWSER)
            refused(answer, 404, "not_found")
            assert answer.headers["Cache-Control"] == "no-store"


async def test_addresses_of_the_older_server_lead_to_the_client(tmp_path: Path, folder: Path) -> None:
    """It served its web chat under /chat/: files are there as well, and the page moves to `/` with its query."""
    async with serving(tmp_path, folder) as scene:
        for path in ("/chat", "/chat/", "/chat/?conversation=conv_1", "/chat//"):
            answer = await scene.http.get(path, headers=BROWSER)
            assert answer.status_code == 302
            assert answer.headers["Location"] == path.replace("/chat", "/", 1).replace("//", "/").replace("//", "/")
        odd = await spoken(scene, b"GET /chat/?a=%0d%0aX:y&b=//c HTTP/1.1")
        assert b"302" in odd.splitlines()[0]
        assert b"\r\nlocation: /?a=%0d%0ax:y&b=//c\r\n" in odd.lower()
        assert (await scene.http.get(f"/chat{SCRIPT_PATH}", headers=PLAIN)).content == SCRIPT
        assert (await scene.http.get("/chat/index.html", headers=PLAIN)).content == INDEX


# -------------------------------------------------------------------------------------------------------------- the API


async def test_the_api_answers_as_without_a_client(tmp_path: Path, folder: Path) -> None:
    """Every route, to a browser as well, whatever a client may call its files; and what only begins like one."""
    (folder / "health").write_text("not this one")
    (folder / "docs").write_text("nor this one")
    places = {route.path for route in registry.routes} | {path for (_, path), _ in aliases_of(registry.routes)}
    async with serving(tmp_path / "with", folder) as scene, open_scene(tmp_path / "without") as other:
        for path in sorted(places):
            for at in (filled(path), f"{filled(path)}/no/such/thing", f"/{filled(path).split('/')[1]}"):
                ours = await scene.http.get(at, headers=BROWSER)
                theirs = await other.http.get(at, headers=BROWSER)
                assert ours.status_code == theirs.status_code, at
                assert ours.headers["Content-Type"] == theirs.headers["Content-Type"], at
        assert (await scene.http.get("/health", headers=BROWSER)).json()["status"] == "ok"
        assert "REST" in (await scene.http.get("/docs", headers=BROWSER)).text
        refused(await scene.http.get("/client/connect", headers=BROWSER), 426, "upgrade_required")
        refused(await scene.http.put("/health"), 405, "method_not_allowed")


async def test_sockets_and_requests_work_beside_it(tmp_path: Path, folder: Path) -> None:
    async with serving(tmp_path, folder) as scene:
        alice, _, talk = await cast(scene)
        async with scene.device(alice) as phone:
            assert (await phone.send(talk, "hello"))["message_id"]
        upgrade = await scene.knock("/", offers="v2")
        assert upgrade.status_code == 404, "a socket is no page"


async def test_requests_for_it_are_counted_and_named_like_all(tmp_path: Path, folder: Path) -> None:
    async with serving(tmp_path, folder) as scene:
        answer = await scene.http.get("/", headers={"X-Request-ID": "mine"})
        assert answer.headers["X-Request-ID"] == "mine"
        assert scene.running.services.metrics.requests == {("GET", 200): 1}


# ----------------------------------------------------------------------------------------------------------- the folder

SECRET = b"the operator's diary"


@pytest.mark.parametrize(
    "target",
    [
        "/../diary.txt", "/assets/../../diary.txt", "/%2e%2e/diary.txt", "/..%2fdiary.txt", "/%2e%2e%2fdiary.txt",
        "/..\\diary.txt", "/..%5cdiary.txt", "/assets/..%5c..%5cdiary.txt", "/%00", "/index.html%00.js", "/%0d%0aX:y",
        "//diary.txt", "/./../diary.txt", "/....//diary.txt", "/%252e%252e/diary.txt", "/out.txt", "/dir/diary.txt",
        "/.hidden", "/.git/config", "/chat/../../diary.txt", "/chat/..%5cdiary.txt", "/chat/%5cevil.example",
    ],
)  # fmt: skip
async def test_no_path_leads_out_of_the_folder(tmp_path: Path, folder: Path, target: str) -> None:
    """Dots, backslashes, NUL, encodings of them, links and hidden files: none of it is there, nor a page for most."""
    (tmp_path / "diary.txt").write_bytes(SECRET)
    (folder / "out.txt").symlink_to(tmp_path / "diary.txt")
    (folder / "dir").symlink_to(tmp_path)
    (folder / ".hidden").write_bytes(SECRET)
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_bytes(SECRET)
    async with serving(tmp_path, folder) as scene:
        accept = b"\r\nAccept: text/html"
        answer = await spoken(scene, f"GET {target} HTTP/1.1".encode() + accept)
        assert SECRET not in answer
        status = int(answer.split(b" ", 2)[1])
        assert status in {400, 404} or (status == 200 and INDEX in answer), answer
        assert b"\nlocation:" not in answer.lower()
        if re.search(r"\\|%5c|%0|\.txt", target):
            assert status in {400, 404}


async def test_a_link_inside_the_folder_is_followed(tmp_path: Path, folder: Path) -> None:
    """Some builds link their files to those of a release."""
    (folder / "latest.js").symlink_to(folder / "sw.js")
    async with serving(tmp_path, folder) as scene:
        assert (await scene.http.get("/latest.js")).content == FILES["sw.js"]


async def test_files_are_read_once(tmp_path: Path, folder: Path) -> None:
    """What becomes of the folder afterwards changes nothing: no request waits for a disk."""
    async with serving(tmp_path, folder) as scene:
        for name in FILES:
            (folder / name).unlink()
        assert (await scene.http.get(SCRIPT_PATH, headers=PLAIN)).content == SCRIPT


def test_a_folder_that_is_no_client_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing, a file, without an index, or so large that it must be something else."""
    with pytest.raises(CannotServe, match=r"webchat_dir: .*nowhere cannot be read: No such file"):
        load(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CannotServe, match=r"empty has no index\.html"):
        load(tmp_path / "empty")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CannotServe, match=r"file cannot be read: Not a directory"):
        load(tmp_path / "file")
    folder = make_web_client(tmp_path / "built")
    size = sum(len(content) for content in FILES.values())
    monkeypatch.setattr(module, "MOST_BYTES", size)
    assert load(folder).is_built
    monkeypatch.setattr(module, "MOST_BYTES", size - 1)
    with pytest.raises(CannotServe, match="is it a web client"):
        load(folder)
    monkeypatch.setattr(module, "MOST_BYTES", size)
    monkeypatch.setattr(module, "MOST_FILES", len(FILES) - 1)
    with pytest.raises(CannotServe, match="is it a web client"):
        load(folder)


async def test_which_client_is_served(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The named one, else our own if it was built, else none; switched off it is not even looked for."""
    own = make_web_client(tmp_path / "own")
    (own / "sw.js").write_bytes(b"ours")
    monkeypatch.setattr(module, "BUILT", own)
    ours = await open_webchat(Server())
    named = await open_webchat(Server(webchat_dir=folder))
    monkeypatch.setattr(module, "BUILT", tmp_path / "not_built")
    none = await open_webchat(Server())
    assert ours is not None
    assert named is not None
    assert none is not None
    assert (ours.is_built, named.is_built, none.is_built) == (True, True, False)
    assert ours.files["sw.js"].bodies[""] == b"ours"
    assert named.files["sw.js"].bodies[""] == FILES["sw.js"]
    assert await open_webchat(Server(webchat_enabled=False, webchat_dir=tmp_path / "nowhere")) is None
    with pytest.raises(CannotServe):
        await open_webchat(Server(webchat_dir=tmp_path / "nowhere"))


# ---------------------------------------------------------------------------------------------------------- without one


async def test_without_a_client_a_browser_reads_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, journal: Journal
) -> None:
    """A page that says so, as the 404 that it is; programs read the one shape of errors."""
    monkeypatch.setattr(module, "BUILT", tmp_path / "not_built")
    async with serving(tmp_path, None) as scene:
        page = await scene.http.get("/", headers=BROWSER)
        assert page.status_code == 404
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "make webchat" in page.text
        assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
        assert page.headers["Cache-Control"] == "no-store"
        refused(await scene.http.get("/"), 404, "not_found")
        for path in ("/c/conv_1", "/chat/", "/index.html"):
            refused(await scene.http.get(path, headers=BROWSER), 404, "not_found")
        assert not scene.running.has_webchat
        assert [entry["event"] for entry in journal.entries if entry["event"].startswith("webchat")] == [
            "webchat_missing"
        ]


async def test_switched_off_there_is_nothing_at_all(tmp_path: Path, folder: Path) -> None:
    off = {"webchat_enabled": False, "webchat_dir": folder}
    async with open_scene(tmp_path, server=off) as scene:
        for path in ("/", "/index.html", SCRIPT_PATH, "/c/conv_1", "/chat/"):
            refused(await scene.http.get(path, headers=BROWSER), 404, "not_found")
        assert not scene.running.has_webchat


async def test_pages_of_other_hosts_cannot_read_it(tmp_path: Path, folder: Path) -> None:
    """The rule of every answer counts for files as well."""
    async with serving(tmp_path, folder) as scene:
        answer: httpx.Response = await scene.http.get("/", headers={"Origin": "https://elsewhere.example"})
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "Origin" in answer.headers["Vary"]
