"""A server of our own that says on each connection exactly what a test tells it to, and notes what it heard."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Final

ANSWER: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LONG_SECONDS: Final = 10.0


@dataclass
class Heard:
    """One connection, as the server has it."""

    socket: socket.socket
    over: Event
    """Set when the test is over: nobody needs to be waited for any more."""

    requests: list[bytes] = field(default_factory=list)

    def request(self) -> bytes:
        """Hear the next request; empty when the other side has closed."""
        heard = b""
        while b"\r\n\r\n" not in heard:
            piece = self.socket.recv(65_536)
            if not piece:
                return b""
            heard += piece
        head, _, body = heard.partition(b"\r\n\r\n")
        lengths = [each[15:] for each in head.lower().split(b"\r\n") if each.startswith(b"content-length:")]
        while lengths and len(body) < int(lengths[0]):
            body += self.socket.recv(65_536)
        self.requests.append(head + b"\r\n\r\n" + body)
        return self.requests[-1]

    def say(self, answer: bytes) -> None:
        """Say something."""
        self.socket.sendall(answer)


Script = Callable[[Heard], None]


def polite(heard: Heard) -> None:
    """Answer every request."""
    while heard.request():
        heard.say(ANSWER)


def saying(*answers: bytes) -> Script:
    """Hear a request before each of the answers, and close after the last."""

    def script(heard: Heard) -> None:
        for each in answers:
            heard.request()
            heard.say(each)

    return script


@dataclass
class WireServer:
    """Takes connections one after the other, each by the next script; the last one serves all that follow."""

    scripts: tuple[Script, ...]
    tls: ssl.SSLContext | None = None
    taken: list[Heard] = field(default_factory=list)
    over: Event = field(default_factory=Event)
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    url: str = field(init=False)
    """Where it is reached."""

    def __post_init__(self) -> None:
        scheme = "http" if self.tls is None else "https"
        self.url = f"{scheme}://localhost:{self.listener.getsockname()[1]}"

    def serve(self) -> None:
        """Take connections until the listener is closed."""
        with suppress(OSError):
            while True:
                heard = Heard(self.listener.accept()[0], self.over)
                script = self.scripts[min(len(self.taken), len(self.scripts) - 1)]
                self.taken.append(heard)
                Thread(target=self._speak, args=(heard, script), daemon=True).start()

    def _speak(self, heard: Heard, script: Script) -> None:
        with suppress(OSError), heard.socket as plain:  # the client may close whenever it likes
            plain.settimeout(LONG_SECONDS)
            if self.tls is not None:
                heard.socket = self.tls.wrap_socket(plain, server_side=True)
            with heard.socket:
                script(heard)


@contextmanager
def serving(*scripts: Script, tls: ssl.SSLContext | None = None) -> Iterator[WireServer]:
    """A server that runs."""
    server = WireServer(scripts, tls)
    thread = Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.listener.shutdown(socket.SHUT_RDWR)
        server.listener.close()
        thread.join()
