"""A real browser that never leaves loopback: Chromium, driven by Playwright, and the server that it looks at."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI
from playwright.async_api import Browser, Page, Route, ViewportSize, async_playwright, expect

from monitor.ops.tasks import WatchedTasks

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


# A busy machine is slow, which is no failure: the runner's own time limit ends what hangs.
expect.set_options(timeout=30_000)


class NoChromium(Exception):
    """There is no Chromium on this machine."""


def chromium_path() -> str:
    """Where Chromium is: `CHROMIUM` in the environment, else on the path. Raises NoChromium."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        raise NoChromium("the browser tests need Chromium: install the Debian package `chromium`, or set CHROMIUM")
    return found


class Watched:
    """A page, and what it did that it should not have: console errors, failed scripts, requests to elsewhere."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on(
            "console", lambda said: self.complaints.append(said.text) if said.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    async def only_loopback(self, route: Route) -> None:
        host = urlsplit(route.request.url).hostname
        if host == "127.0.0.1":
            await route.continue_()
            return
        self.complaints.append(f"a request went to {host}")
        await route.abort()


@asynccontextmanager
async def a_browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM_FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def a_page(
    browser: Browser, *, dark: bool = False, width: int = 1280, height: int = 800, scripts: bool = True
) -> AsyncIterator[Watched]:
    context = await browser.new_context(
        viewport=ViewportSize(width=width, height=height),
        color_scheme="dark" if dark else "light",
        java_script_enabled=scripts,
    )
    watched = Watched(await context.new_page())
    await context.route("**/*", watched.only_loopback)
    try:
        yield watched
    finally:
        await context.close()


class _Server(uvicorn.Server):
    """uvicorn that tells when it answers, and leaves signals to the test process."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answers = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.answers.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[str]:
    """The app on a free port of loopback; gives its address. Ends the streams of open pages before it stops."""
    server = _Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=5))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        async with WatchedTasks() as tasks:
            tasks.start("server", server.serve(sockets=[listening]), may_end=True)
            await server.answers.wait()
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
            app.state.live.close()
            server.should_exit = True
            await tasks.end(grace=10)
