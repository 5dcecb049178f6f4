"""The gateway's links in the chain of signatures: it forwards a request for each task, and checks each answer to that.

See ``contracts.chain``. A forward is signed once, when its task is made, and kept with it, so that whoever is handed
the task again, or audits it later, sees the same signatures.
"""

import base64
from datetime import datetime
from typing import Final

from contracts.canonical import canonical_bytes, digest_of, digest_of_bytes
from contracts.chain import check_part, forward
from contracts.federation import KeyPurpose, PublicKey
from contracts.task import Forwarded, Task
from gateway.means import Means
from gateway.question import Asked
from gateway.store.relay import HeldTask, NewTask

NAME_LENGTH: Final = 32
NONCE_BYTES: Final = 16


def tasks_for(means: Means, request: Forwarded, asked: Asked, now: datetime) -> tuple[NewTask, ...]:
    """One task for each contract, with the request, as its client signed it, forwarded for it.

    Its name follows from the request, so that asking twice makes no second task.

    Raises:
        Refused: ``signature-missing`` or ``signature-wrong``, when the request carries no signature of its requester.
    """

    def nonce() -> str:
        return base64.urlsafe_b64encode(means.entropy(NONCE_BYTES)).rstrip(b"=").decode()

    tasks = []
    for contract in asked.contracts:
        name = digest_of([asked.digest, contract.digest]).removeprefix("sha-256:")[:NAME_LENGTH]
        task = Task(
            id=f"task-{name}",
            agency=contract.agency,
            contract=contract.reference,
            request=request,
            agreement=asked.agreement.document,
        )
        forwarded = forward(task, means.keys.gateway, now, nonce)
        text = canonical_bytes(forwarded)
        tasks.append(NewTask(forwarded, text.decode(), digest_of_bytes(text)))
    return tuple(tasks)


def check_answer(means: Means, held: HeldTask, posted: Forwarded, now: datetime) -> None:
    """Check that a part is signed by the task's agency as the answer to what was forwarded to it.

    Raises:
        Refused: ``signature-missing``, ``signature-wrong``, ``signature-stale`` or ``key-unknown``.
    """

    def connector(kid: str) -> PublicKey | None:
        owner = kid.partition("#")[0]
        return means.federation.key(kid, KeyPurpose.CONNECTOR, now) if owner == held.task.agency else None

    check_part(held.task, posted, connector, now)
