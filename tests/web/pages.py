"""The page on a real port, and a real browser in front of it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, sync_playwright

from gateway.web.home import PublicRecord, home_router

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--font-render-hinting=none"),
]


@contextmanager
def serving(record: PublicRecord, *, synthetic: bool = True) -> Iterator[str]:
    """The page's address while it is served on a free port of this machine."""
    app = FastAPI(docs_url=None, redoc_url=None)
    app.include_router(home_router(record, synthetic=synthetic))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(timeout=10)


@contextmanager
def browsing() -> Iterator[Browser]:
    """Debian's chromium, without a window; it dials nobody by itself."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
