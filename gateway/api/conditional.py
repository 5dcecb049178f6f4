"""Entity tags (RFC 9110): read only what changed, and change only what one has read.

A tag is the SHA-256 of the representation, so it needs no memory: the same bytes have the same tag everywhere.
"""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from pydantic import BaseModel
from starlette.responses import Response

from contracts.errors import Refused

ANY: Final = "*"


def tag_of(body: bytes) -> str:
    """The strong entity tag of a representation, in quotes."""
    return f'"{urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode()}"'


def with_tag(method: str, headers: Mapping[str, str], response: Response) -> Response:
    """Give what was read its tag; who has it already (``If-None-Match``) gets 304 and no body."""
    if method != "GET" or response.status_code != HTTPStatus.OK:
        return response
    tag = tag_of(bytes(response.body))
    response.raw_headers.append((b"etag", tag.encode()))
    known = headers.get("if-none-match")
    if known is None or tag not in _tags(known):
        return response
    kept = {name: value for name, value in response.headers.items() if name not in {"content-length", "content-type"}}
    return Response(b"", HTTPStatus.NOT_MODIFIED, kept)


def check_unchanged(headers: Mapping[str, str], present: BaseModel) -> None:
    """Refuse a change to what is no longer as its caller read it (``If-Match``); without the header nothing is checked.

    Raises:
        Refused: ``precondition-failed``.
    """
    wanted = headers.get("if-match")
    if wanted is None or wanted.strip() == ANY:
        return
    if tag_of(present.model_dump_json(by_alias=True).encode()) not in _tags(wanted):
        raise Refused("precondition-failed")


def _tags(header: str) -> set[str]:
    """The tags in a header; a weak one compares as its strong form, for our tags are never weak."""
    return {each.strip().removeprefix("W/") for each in header.split(",")}
