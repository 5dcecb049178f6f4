"""A machine that loses its power may forget which names were spent in its last moments: that is worth nothing.

See ``gateway.rights.spend``. Who heard a token request sends it again; what he obtains opens nothing without the keys.
"""

import json
from collections.abc import Callable

import pytest

from contracts.calls import SignedCalls
from contracts.errors import Refused
from contracts.keys import SigningKey
from contracts.message_signatures import Tag, sign
from contracts.proofs import PROOF_HEADER, ProofKey
from contracts.signature_base import Message
from gateway.identity.oauth_calls import OAuthCall
from tests.factories import ISSUER, NOW, federation
from tests.token_world import CERTIFICATE, TokenWorld, proof_key

pytestmark = pytest.mark.unit

KEYS = federation()
CLIENT, OTHER = KEYS["oja#client-1"], KEYS["ccib#connector-1"]
NONCE = "nonce-0123456789abcdef"
PATH = "/v1/preview"


def obtained_again(certificate: str | None) -> tuple[TokenWorld, str]:
    """The gateway, and a token that a listener got from it after the power came back, by a request he had heard."""
    world = TokenWorld(KEYS)
    heard = SignedCalls(CLIENT, "oja", ISSUER).token_request(NOW)
    call = OAuthCall(heard.body, heard.headers[PROOF_HEADER], certificate)
    assert world.oauth.answer(call).status == 200
    assert world.oauth.answer(call).status == 400
    world.spent.clear()
    again = world.oauth.answer(call)
    assert again.status == 200
    return world, str(json.loads(again.body)["access_token"])


def called(token: str, scheme: str, key: SigningKey | None, proof: ProofKey | None) -> Message:
    headers = {"content-type": "application/json", "authorization": f"{scheme} {token}"}
    if proof is not None:
        headers[PROOF_HEADER] = proof.proof("POST", f"{ISSUER}{PATH}", NOW, NONCE, token)
    message = Message("POST", PATH, headers, b"{}")
    return message if key is None else sign(message, key, Tag.REQUEST, NOW, NONCE)


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(Refused) as caught:
        call()
    return caught.value.code


def test_a_token_for_a_proofs_key_asks_for_that_key_and_for_the_members() -> None:
    world, token = obtained_again(None)

    assert (
        code_of(lambda: world.door.authenticate(called(token, "DPoP", None, proof_key()), NOW)) == "signature-missing"
    )
    foreign = called(token, "DPoP", OTHER, proof_key())
    assert code_of(lambda: world.door.authenticate(foreign, NOW)) == "token-of-another-client"
    unproved = called(token, "DPoP", CLIENT, proof_key())
    assert code_of(lambda: world.door.authenticate(unproved, NOW)) == "proof-invalid"


def test_a_token_for_the_listeners_own_certificate_still_asks_for_the_members_key() -> None:
    world, token = obtained_again(CERTIFICATE)

    unsigned = called(token, "Bearer", None, None)
    assert code_of(lambda: world.door.authenticate(unsigned, NOW, CERTIFICATE)) == "signature-missing"
    foreign = called(token, "Bearer", OTHER, None)
    assert code_of(lambda: world.door.authenticate(foreign, NOW, CERTIFICATE)) == "token-of-another-client"
