"""What a connection is told that is turned away before the application sees its message."""

from http import HTTPStatus

from contracts.errors import InvalidInput, Problem, SaphanError

PROBLEM = b"application/problem+json"
RETRY_SECONDS = 5
"""How long whoever is turned away for want of room is asked to wait; connectors do."""


class Stopped(Exception):  # an exception between two callbacks of a parser, never an error that is told
    """The message is read no further.

    Args:
        error: What the sender is told.
        status: The HTTP status of that.
    """

    def __init__(self, error: SaphanError, status: HTTPStatus) -> None:
        super().__init__(error.code)
        self.error = error
        self.status = status


def unclear(why: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> Stopped:
    """A message that two programs could read in two ways, or that this one does not read at all.

    Args:
        why: Fixed words, nothing of what was sent.
        status: The HTTP status.
    """
    return Stopped(InvalidInput("request-unclear", why=why), status)


def answer(stopped: Stopped, always: list[tuple[bytes, bytes]]) -> bytes:
    """The whole HTTP response, after which the connection ends.

    Args:
        stopped: Why.
        always: The header fields that every answer of the listener has.
    """
    status = stopped.status
    problem = stopped.error.problem()
    body = Problem.model_validate({**problem.model_dump(), "status": int(status)}).model_dump_json().encode()
    fields = [
        *always,
        (b"content-type", PROBLEM),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        (b"connection", b"close"),
    ]
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        fields.append((b"retry-after", b"%d" % RETRY_SECONDS))
    head = b"".join(b"%b: %b\r\n" % field for field in fields)
    return b"HTTP/1.1 %d %b\r\n%b\r\n%b" % (status, status.phrase.encode(), head, body)
