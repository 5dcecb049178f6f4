"""Three independent libraries of RFC 9421 judge the chain of signatures; one of them signs messages that we judge."""

import json
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from contracts.chain import binding_of, message_of
from contracts.errors import Refused
from contracts.federation import KeyPurpose, PublicKey
from contracts.keys import SoftwareKey, new_key
from contracts.message_signatures import TASK_HEADER, Tag, covered_components, label_of, new_nonce, sign, verify
from contracts.signature_base import Message, content_digest
from tests.factories import NOW
from tests.interop.environments import HERE, node_environment, python_environment, say
from tests.interop.signed_messages import PART, Case, Signers, as_json, cases, public_pem, request, task_for

NODE_LIBRARIES = ("http-message-signatures", "http-message-sig")
KEYS = Signers(new_key("oja#client-1"), new_key("oja#gateway-1"), new_key("ccib#connector-1"))
PURPOSES = (
    (KEYS.requester, KeyPurpose.CLIENT),
    (KEYS.gateway, KeyPurpose.GATEWAY),
    (KEYS.connector, KeyPurpose.CONNECTOR),
)


def check() -> int:
    """0 if all of them say what we say."""
    now = datetime.now(UTC)
    given = list(cases(KEYS, now))
    verdicts = [_python(given), *(_node(name, given) for name in NODE_LIBRARIES)]
    return max(*verdicts, _theirs(now))


def _python(given: Sequence[Case]) -> int:
    return _compare("http-message-signatures (Python)", _ask_python({"cases": _written(given)}), given)


def _node(library: str, given: Sequence[Case]) -> int:
    home = node_environment("signatures")
    with tempfile.TemporaryDirectory() as folder:
        path = _file(folder, {"cases": _written(given)})
        done = subprocess.run(["node", str(home / "verify.mjs"), library, path], check=True, capture_output=True)
    return _compare(f"{library} (npm)", json.loads(done.stdout), given)


def _compare(tool: str, answer: dict[str, Any], given: Sequence[Case]) -> int:
    wrong = [each.name for each in given if answer["verdicts"][each.name] is not each.good]
    ours = [each.name for each in given if _we_accept(each.message, each.tag) is not each.good]
    good = sum(each.good for each in given)
    said = f"{good} messages of the chain verified, {len(given) - good} altered ones refused"
    say(tool, answer["version"], f"DISAGREES: {', '.join(wrong + ours)}" if wrong or ours else said)
    return int(bool(wrong or ours))


def _theirs(now: datetime) -> int:
    """Request, forward and part as the Python library signs them, each over the one before."""
    asked = replace(request(), headers={**request().headers, "content-digest": content_digest(request().body)})
    signed = _signed_by_library(asked, Tag.REQUEST, KEYS.requester, "sig1", covered_components(asked, Tag.REQUEST))
    task = task_for(signed)
    bound = replace(signed, headers={**signed.headers, TASK_HEADER: binding_of(task)})
    components = covered_components(bound, Tag.FORWARD)
    forwarded = _signed_by_library(bound, Tag.FORWARD, KEYS.gateway, "onward", components)
    headers = {"content-type": "application/json", "content-digest": content_digest(PART)}
    answer = Message("POST", "/v1/requests", headers, PART, 200, forwarded)
    part = _signed_by_library(answer, Tag.PART, KEYS.connector, "mine", covered_components(answer, Tag.PART))
    # Ours over theirs, too.
    ours = sign(message_of(task.request), KEYS.requester, Tag.REQUEST, now, new_nonce())
    made = {"request": (signed, Tag.REQUEST), "forward": (forwarded, Tag.FORWARD), "part": (part, Tag.PART)}
    wrong = [name for name, (message, tag) in made.items() if not _we_accept(message, tag)]
    swapped = replace(part, request=replace(forwarded, headers={**forwarded.headers, **_signature(ours)}))
    wrong += ["part on another request"] if _we_accept(swapped, Tag.PART) else []
    version = _ask_python({})["version"]
    said = (
        f"NOT ACCEPTED BY US AS MEANT: {', '.join(wrong)}" if wrong else "its request, forward and part accepted by us"
    )
    say("http-message-signatures (Python)", version, said)
    return int(bool(wrong))


def _signed_by_library(message: Message, tag: Tag, key: SoftwareKey, label: str, components: Sequence[str]) -> Message:
    wanted = {
        "name": tag.value,
        "message": as_json(message),
        "kid": key.kid,
        "nonce": new_nonce(),
        "label": label,
        "tag": tag.value,
        "components": components,
        "append": tag is Tag.FORWARD,
    }
    answer = _ask_python({"wanted": [wanted], "private": {key.kid: key.to_pem().decode()}})
    return replace(message, headers=answer["signed"][tag.value])


def _we_accept(message: Message, tag: Tag) -> bool:
    try:
        verify(message, tag, _resolve, datetime.now(UTC))
    except Refused:
        return False
    return True


def _resolve(kid: str) -> PublicKey | None:
    return next(
        (key.public_key(purpose, NOW, NOW.replace(year=NOW.year + 1)) for key, purpose in PURPOSES if key.kid == kid),
        None,
    )


def _written(given: Sequence[Case]) -> list[dict[str, object]]:
    return [
        {
            "name": each.name,
            "message": as_json(each.message),
            "tag": each.tag.value,
            "label": label_of(each.message, each.tag),
        }
        for each in given
    ]


def _ask_python(content: dict[str, object]) -> dict[str, Any]:
    python = python_environment("http_signatures") / "python"
    with tempfile.TemporaryDirectory() as folder:
        command = [str(python), str(HERE / "http_signatures.py"), _file(folder, content)]
        done = subprocess.run(command, check=True, capture_output=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _file(folder: str, content: dict[str, object]) -> str:
    path = Path(folder, "cases.json")
    public = {key.kid: public_pem(key) for key, _ in PURPOSES}
    path.write_text(json.dumps({"public": public, **content}), encoding="utf-8")
    return str(path)


def _signature(message: Message) -> dict[str, str]:
    return {name: message.headers[name] for name in ("signature-input", "signature")}
