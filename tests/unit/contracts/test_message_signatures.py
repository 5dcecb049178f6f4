"""Signed requests: what is accepted, and every way to attack one."""

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from contracts.errors import Refused
from contracts.federation import KeyPurpose
from contracts.keys import SigningKey, new_key
from contracts.message_signatures import (
    CLOCK_SKEW_SECONDS,
    WINDOW_SECONDS,
    Tag,
    Verified,
    covered_components,
    new_nonce,
    sign,
    verify,
)
from contracts.signature_base import Message, content_digest, signature_base
from tests.factories import NOW, federation

pytestmark = pytest.mark.unit

CURVE_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
KEYS = federation()
CLIENT, GATEWAY = KEYS["oja#client-1"], KEYS["oja#gateway-1"]
CLIENTS, GATEWAYS = KEYS.resolve(KeyPurpose.CLIENT), KEYS.resolve(KeyPurpose.GATEWAY)
NONCE = "nonce-0123456789abcdef"
BODY = b'{"id":"REQ-0001"}'


def request(path: str = "/v1/requests", body: bytes = BODY, nonce: str = NONCE, key: SigningKey = CLIENT) -> Message:
    return sign(Message("POST", path, {"content-type": "application/json"}, body), key, Tag.REQUEST, NOW, nonce)


def with_header(message: Message, name: str, value: str | None) -> Message:
    headers = dict(message.headers) | ({} if value is None else {name: value})
    if value is None:
        del headers[name]
    return replace(message, headers=headers)


def code_of(message: Message, at: datetime = NOW, tag: Tag = Tag.REQUEST) -> str:
    with pytest.raises(Refused) as caught:
        verify(message, tag, CLIENTS if tag is Tag.REQUEST else GATEWAYS, at)
    return caught.value.code


def test_a_request_is_accepted_as_its_sender_signed_it() -> None:
    verified = verify(request(), Tag.REQUEST, CLIENTS, NOW)

    assert verified == Verified(kid="oja#client-1", nonce=NONCE, created=NOW)


def test_the_profile_is_what_the_reference_says() -> None:
    message = request()

    assert message.headers["signature-input"] == (
        'saphan=("@method" "@path" "content-type" "content-digest");created=1768446000;expires=1768446060'
        f';nonce="{NONCE}";keyid="oja#client-1";tag="saphan-request"'
    )


def test_a_get_is_signed_with_the_digest_of_nothing() -> None:
    message = sign(Message("GET", "/v1/budget", {}, b""), CLIENT, Tag.REQUEST, NOW, NONCE)

    assert message.headers["content-digest"] == content_digest(b"")
    assert message.headers["content-type"] == "application/json"
    assert verify(message, Tag.REQUEST, CLIENTS, NOW).kid == CLIENT.kid


def test_signing_again_replaces_what_was_signed_before() -> None:
    again = sign(request(), CLIENT, Tag.REQUEST, NOW + timedelta(minutes=5), "another-nonce-0123456789")

    assert verify(again, Tag.REQUEST, CLIENTS, NOW + timedelta(minutes=5)).nonce == "another-nonce-0123456789"


@pytest.mark.parametrize("nonce", ["", "short", "x" * 65, 'quote"0123456789abcdef', "line\n0123456789abcdef"])
def test_a_nonce_has_one_form(nonce: str) -> None:
    with pytest.raises(ValueError, match="nonce"):
        request(nonce=nonce)


def test_nonces_differ() -> None:
    assert len({new_nonce() for _ in range(100)}) == 100
    assert verify(request(nonce=new_nonce()), Tag.REQUEST, CLIENTS, NOW).kid == CLIENT.kid


# ------------------------------------------------------------------ attacks on a request
def test_an_altered_body_is_refused() -> None:
    assert code_of(replace(request(), body=b'{"id":"REQ-0002"}')) == "signature-wrong"


def test_an_altered_body_with_a_fitting_digest_is_refused() -> None:
    other = b'{"id":"REQ-0002"}'
    message = with_header(replace(request(), body=other), "content-digest", content_digest(other))

    assert code_of(message) == "signature-wrong"


@pytest.mark.parametrize(("name", "value"), [("method", "PUT"), ("path", "/v1/other"), ("path", "/v1/requests?wait=9")])
def test_another_method_path_or_query_is_refused(name: str, value: str) -> None:
    assert code_of(replace(request(), **{name: value})) == "signature-wrong"  # type: ignore[arg-type]  # both are str


def test_a_query_is_covered() -> None:
    message = request("/v1/releases?agency=ccib")

    assert verify(message, Tag.REQUEST, CLIENTS, NOW).kid == CLIENT.kid
    assert code_of(replace(message, path="/v1/releases?agency=rtp")) == "signature-wrong"
    assert code_of(replace(message, path="/v1/releases")) == "signature-wrong"


def test_another_content_type_is_refused() -> None:
    assert code_of(with_header(request(), "content-type", "text/plain")) == "signature-wrong"


@pytest.mark.parametrize("name", ["content-type", "content-digest", "signature"])
def test_a_missing_header_is_refused(name: str) -> None:
    assert code_of(with_header(request(), name, None)) == "signature-wrong"


def test_an_unsigned_request_is_refused() -> None:
    assert code_of(with_header(request(), "signature-input", None)) == "signature-missing"


def test_a_signature_of_another_meaning_is_missing() -> None:
    assert code_of(request(), tag=Tag.RESPONSE) == "signature-missing"


def test_a_request_as_old_as_the_window_is_the_oldest_that_is_accepted() -> None:
    assert verify(request(), Tag.REQUEST, CLIENTS, NOW + timedelta(seconds=WINDOW_SECONDS)).created == NOW
    assert code_of(request(), NOW + timedelta(seconds=WINDOW_SECONDS + 1)) == "signature-stale"


def test_a_shorter_window_binds() -> None:
    with pytest.raises(Refused, match="signature-stale"):
        verify(request(), Tag.REQUEST, CLIENTS, NOW + timedelta(seconds=11), 10)


def test_a_longer_window_does_not_outlive_the_signature() -> None:
    with pytest.raises(Refused, match="signature-stale"):
        verify(request(), Tag.REQUEST, CLIENTS, NOW + timedelta(seconds=WINDOW_SECONDS + 1), 3600)


def test_a_request_from_the_future_is_refused() -> None:
    assert verify(request(), Tag.REQUEST, CLIENTS, NOW - timedelta(seconds=CLOCK_SKEW_SECONDS)).created == NOW
    assert code_of(request(), NOW - timedelta(seconds=CLOCK_SKEW_SECONDS + 1)) == "signature-stale"


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (-6, "signature-stale"),
        (-5, None),
        (0, None),
        (59, None),
        (60, None),
        (60.5, "signature-stale"),
        (61, "signature-stale"),
    ],
)
def test_the_window_is_sixty_seconds_and_five_for_clocks_that_differ(seconds: float, code: str | None) -> None:
    at = NOW + timedelta(seconds=seconds)

    if code is None:
        assert verify(request(), Tag.REQUEST, CLIENTS, at).created == NOW
    else:
        assert code_of(request(), at) == code


def test_freshness_does_not_bind_a_forwarded_request() -> None:
    late = NOW + timedelta(days=6)

    verified = verify(request(), Tag.REQUEST, CLIENTS, late, at_receipt=False)

    assert verified.created == NOW


def resigned(parameters: str, components: str = "", key: SigningKey = CLIENT) -> Message:
    """A request whose parameters its own client chose freely and signed well."""
    message = request()
    covered = tuple(components.split()) or covered_components(message, Tag.REQUEST)
    forged = sign_base(signature_base(message, covered, parameters), key)
    message = with_header(message, "signature-input", f"x=({' '.join(covered)}){parameters}")
    return with_header(message, "signature", f"x=:{forged}:")


def sign_base(base: bytes, key: SigningKey) -> str:
    return base64.b64encode(key.sign(base)).decode()


CREATED = int(NOW.timestamp())
GOOD = f';created={CREATED};expires={CREATED + 60};nonce="{NONCE}";keyid="oja#client-1";tag="saphan-request"'


def test_the_forger_of_parameters_signs_well() -> None:
    assert verify(resigned(GOOD), Tag.REQUEST, CLIENTS, NOW).nonce == NONCE


def test_parameters_may_stand_in_any_order() -> None:
    reversed_order = ";" + ";".join(reversed(GOOD[1:].split(";")))

    assert verify(resigned(reversed_order), Tag.REQUEST, CLIENTS, NOW).created == NOW


@pytest.mark.parametrize(
    "parameters",
    [
        GOOD.replace(f";created={CREATED}", ""),
        GOOD.replace(f";expires={CREATED + 60}", ""),
        GOOD.replace(f';nonce="{NONCE}"', ""),
        GOOD.replace(';keyid="oja#client-1"', ""),
        GOOD.replace(NONCE, "short"),
        GOOD.replace(NONCE, "with blank 0123456789"),
        GOOD.replace("oja#client-1", "nobody"),
        GOOD.replace(f"created={CREATED}", f'created="{CREATED}x"'),
        GOOD.replace(f"created={CREATED}", f"created={CREATED}.5"),
        GOOD.replace(f"created={CREATED}", "created=123456789012"),
        GOOD.replace(f"created={CREATED}", "created=๑๗๖๘๔๔๖๐๐๐"),
        GOOD.replace(f"expires={CREATED + 60}", 'expires="soon"'),
        GOOD.replace('nonce="', 'nonce=";'),
        GOOD + ';alg="ecdsa-p256-sha256"',
        GOOD + ';tag="saphan-request"',
        GOOD + f";created={CREATED}",
        GOOD + "; ",
        "x" + GOOD,
        GOOD.replace("created=", "alg="),
        GOOD.replace(f"created={CREATED}", f"expires={CREATED}"),
    ],
)
def test_only_the_five_parameters_each_once_and_well_formed_are_accepted(parameters: str) -> None:
    assert code_of(resigned(parameters)) == "signature-wrong"


@pytest.mark.parametrize("expires", [CREATED + 61, CREATED, CREATED - 1])
@pytest.mark.parametrize("at_receipt", [True, False])
def test_a_client_cannot_sign_a_longer_life(expires: int, at_receipt: bool) -> None:  # noqa: FBT001  # a case
    message = resigned(GOOD.replace(str(CREATED + 60), str(expires)))

    with pytest.raises(Refused, match="signature-stale"):
        verify(message, Tag.REQUEST, CLIENTS, NOW, at_receipt=at_receipt)


@pytest.mark.parametrize(
    "components",
    [
        '"@method" "@path" "content-type"',
        '"@path" "@method" "content-type" "content-digest"',
        '"@method" "@path" "@query" "content-type" "content-digest"',
    ],
)
def test_a_signature_over_other_components_is_refused(components: str) -> None:
    message = request()
    covered = components.split()
    message = with_header(message, "signature-input", f"x=({components}){GOOD}")
    lines = [each for each in covered if each != '"@query"']
    message = with_header(message, "signature", f"x=:{sign_base(signature_base(message, lines, GOOD), CLIENT)}:")

    assert code_of(message) == "signature-wrong"


def test_two_signatures_of_one_meaning_are_refused_whatever_their_labels() -> None:
    first, second = request(), request(nonce="second-0123456789abcdef")
    double = second.headers["signature-input"].replace("saphan=", "other=")
    message = with_header(first, "signature-input", f"{first.headers['signature-input']}, {double}")
    both = f"{first.headers['signature']}, {second.headers['signature'].replace('saphan=', 'other=')}"

    assert code_of(with_header(message, "signature", both)) == "signature-wrong"


def test_a_signature_of_another_meaning_beside_ours_does_no_harm() -> None:
    message = request()
    proxy = 'proxy=("@authority");created=1;keyid="p, q";tag="proxy"'
    message = with_header(message, "signature-input", f"{proxy}, {message.headers['signature-input']}")
    message = with_header(message, "signature", f"proxy=:AAAA:, {message.headers['signature']}")

    assert verify(message, Tag.REQUEST, CLIENTS, NOW).kid == CLIENT.kid


@pytest.mark.parametrize("name", ["signature-input", "signature"])
@pytest.mark.parametrize("suffix", [", ", ",", " x", ', saphan="x"', ", =1", '"', '"x=1', ', other="'])
def test_a_malformed_signature_header_is_refused(name: str, suffix: str) -> None:
    message = request()

    assert code_of(with_header(message, name, message.headers[name] + suffix)) == "signature-wrong"


@pytest.mark.parametrize(
    "signature",
    ["other=:AAAA:", "saphan=:AAAA:", "saphan=AAAA", "saphan=:!!!!:", f"saphan={'A' * 88}", f"saphan=:{'A' * 86}==:"],
)
def test_what_is_no_signature_is_refused(signature: str) -> None:
    assert code_of(with_header(request(), "signature", signature)) == "signature-wrong"


@pytest.mark.parametrize(
    "rewritten",
    [
        lambda raw: f"saphan={base64.b64encode(raw).decode()}",
        lambda raw: f"saphan=:{base64.b64encode(raw).decode()}",
        lambda raw: f"saphan=:!{base64.b64encode(raw).decode()}:",
        lambda raw: f"saphan=:{base64.b64encode(raw[:32] + bytes(1) + raw[32:]).decode()}:",
    ],
    ids=["no colons", "one colon", "junk in base64", "a zero too many"],
)
def test_a_good_signature_in_another_form_is_refused(rewritten: Callable[[bytes], str]) -> None:
    message = request()
    raw = base64.b64decode(message.headers["signature"].removeprefix("saphan=:").removesuffix(":"))

    assert code_of(with_header(message, "signature", rewritten(raw))) == "signature-wrong"


def test_a_signature_that_does_not_say_what_it_covers_is_refused() -> None:
    assert code_of(with_header(resigned(GOOD), "signature-input", f"x={GOOD}")) == "signature-wrong"


def test_a_key_that_nobody_registered_is_refused() -> None:
    assert code_of(request(key=new_key("oja#client-9"))) == "key-unknown"


def test_another_key_under_a_registered_name_is_refused() -> None:
    assert code_of(request(key=new_key("oja#client-1"))) == "signature-wrong"


def test_a_key_of_another_purpose_is_refused() -> None:
    assert code_of(request(key=KEYS["ccib#connector-1"])) == "key-unknown"


def test_a_resolver_that_gives_another_key_is_not_believed() -> None:
    key = CLIENTS("oja#client-1")
    assert key is not None
    renamed = key.model_copy(update={"kid": "oja#client-2"})
    with pytest.raises(Refused, match="key-unknown"):
        verify(request(), Tag.REQUEST, lambda _: renamed, NOW)


def test_a_malleated_signature_keeps_its_nonce_so_the_nonce_is_what_stops_a_replay() -> None:
    message = request()
    raw = base64.b64decode(message.headers["signature"].removeprefix("saphan=:").removesuffix(":"))
    mirrored = raw[:32] + (CURVE_ORDER - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")

    malleated = with_header(message, "signature", f"saphan=:{base64.b64encode(mirrored).decode()}:")

    assert malleated.headers["signature"] != message.headers["signature"]
    assert verify(malleated, Tag.REQUEST, CLIENTS, NOW) == verify(message, Tag.REQUEST, CLIENTS, NOW)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("method", 'POST\n"@path": /v1/requests'),
        ("path", "/v1/requests\n"),
        ("path", "v1/requests"),
        ("path", "/v1/คำขอ"),
    ],
)
def test_no_component_can_smuggle_in_another_line(name: str, value: str) -> None:
    with pytest.raises(Refused, match="absent or malformed"):
        sign(replace(request(), **{name: value}), CLIENT, Tag.REQUEST, NOW, NONCE)  # type: ignore[arg-type]  # both str


def test_no_header_can_smuggle_in_another_line() -> None:
    with pytest.raises(Refused, match="absent or malformed"):
        sign(Message("GET", "/", {"content-type": "a\nb"}, b""), CLIENT, Tag.REQUEST, NOW, NONCE)


def test_a_component_that_the_profile_does_not_know_is_absent() -> None:
    with pytest.raises(Refused, match="absent or malformed"):
        signature_base(request(), ['"@authority"'], "")
