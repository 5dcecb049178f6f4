"""Python's http-message-signatures judges our messages and signs some itself; run in an environment of its own.

python http_signatures.py CASES.json  ->  {"version": ..., "verdicts": {...}, "signed": {...}} on standard output
"""

import datetime as dt
import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from http_message_signatures import (  # type: ignore[import-not-found]  # it lives in its own environment
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    algorithms,
)
from http_message_signatures.exceptions import (  # type: ignore[import-not-found]  # as above
    HTTPMessageSignaturesException,
)

ALGORITHM = algorithms.ECDSA_P256_SHA256
LIFE = dt.timedelta(seconds=60)


class Request:
    """What the library takes for a request."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.method, self.url, self.headers = given["method"], given["url"], dict(given["headers"])


class Response:
    """What the library takes for a response."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.status_code, self.headers = given["status"], dict(given["headers"])
        self.request = Request(given["request"])


class Keys(HTTPSignatureKeyResolver):  # type: ignore[misc]  # as above
    """The keys of the file, by key id."""

    def __init__(self, public: dict[str, str], private: dict[str, str]) -> None:
        self.public, self.private = public, private

    def resolve_public_key(self, key_id: str) -> bytes:
        return self.public[key_id].encode()

    def resolve_private_key(self, key_id: str) -> bytes:
        return self.private[key_id].encode()


def message_of(given: dict[str, Any]) -> Request | Response:
    return Request(given) if given["status"] is None else Response(given)


def verdict(case: dict[str, Any], keys: Keys) -> bool:
    verifier = HTTPMessageVerifier(signature_algorithm=ALGORITHM, key_resolver=keys)
    try:
        (found,) = verifier.verify(message_of(case["message"]), max_age=LIFE, expect_tag=case["tag"])
    except HTTPMessageSignaturesException:
        return False
    return bool(found.parameters["tag"] == case["tag"])


def signed(wanted: dict[str, Any], keys: Keys) -> dict[str, str]:
    message, now = message_of(wanted["message"]), dt.datetime.now(dt.UTC)
    HTTPMessageSigner(signature_algorithm=ALGORITHM, key_resolver=keys).sign(
        message,
        key_id=wanted["kid"],
        created=now,
        expires=now + LIFE,
        nonce=wanted["nonce"],
        label=wanted["label"],
        tag=wanted["tag"],
        include_alg=False,
        covered_component_ids=wanted["components"],
        append_if_signature_exists=wanted["append"],
        use_existing_digest=True,
    )
    return {name.lower(): value for name, value in message.headers.items()}


def main() -> None:
    given = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    keys = Keys(given["public"], given.get("private", {}))
    answer = {
        "version": version("http-message-signatures"),
        "verdicts": {each["name"]: verdict(each, keys) for each in given.get("cases", [])},
        "signed": {each["name"]: signed(each, keys) for each in given.get("wanted", [])},
    }
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
