"""Checkpoints and cosignatures: whose word is believed, and whose is not."""

from datetime import UTC, datetime, timedelta

import pytest

from contracts.checkpoints import (
    MOST_SECONDS,
    Cosigned,
    checkpoint_text,
    cosign,
    cosigned,
    log_keys,
    log_origin,
    log_verifier_keys,
    public_bytes,
    read_checkpoint,
    read_cosignature,
    sign_checkpoint,
    signed_again,
    verify_checkpoint,
    with_cosignatures,
    witness_name,
    witness_verifier_keys,
)
from contracts.errors import IntegrityError, InvalidInput
from contracts.federation import KeyPurpose
from contracts.keys import new_key
from contracts.note import Algorithm, NoteSignature, key_id, read_note
from contracts.transparency import Checkpoint
from tests.factories import NOW, Keys, federation

pytestmark = pytest.mark.unit

WITNESSED = {
    "oja": (KeyPurpose.LOG, KeyPurpose.WITNESS),
    "ccib": (KeyPurpose.WITNESS,),
    "rtp": (KeyPurpose.WITNESS, KeyPurpose.LOG),
}
KEYS = federation(WITNESSED)
LOG = log_keys(KEYS.federation, NOW)
CHECKPOINT = Checkpoint(origin="gateway.example", size=20852163, root="0a" * 32)
SIGNED = sign_checkpoint(CHECKPOINT, KEYS["oja#log-1"])
CCIB = cosign(SIGNED, KEYS["ccib#witness-1"], NOW)
RTP = cosign(SIGNED, KEYS["rtp#witness-1"], NOW)


def wrong(document: str, keys: Keys = KEYS) -> str:
    with pytest.raises(IntegrityError) as caught:
        verify_checkpoint(document, log_keys(keys.federation, NOW))
    return caught.value.code


# ------------------------------------------------------------------ the log's own signature
def test_a_checkpoint_is_three_lines_under_the_logs_name() -> None:
    lines = SIGNED.split("\n")

    assert lines[:3] == ["gateway.example", "20852163", "CgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgo="]
    assert lines[4].startswith("\u2014 gateway.example ")
    assert verify_checkpoint(SIGNED, LOG) == CHECKPOINT == read_checkpoint(SIGNED)


@pytest.mark.parametrize(
    ("gateway", "origin"),
    [("https://gateway.example", "gateway.example"), ("http://127.0.0.1:80/", "127.0.0.1:80"), ("urn:a", "urn:a")],
)
def test_the_log_is_named_after_the_gateway(gateway: str, origin: str) -> None:
    assert log_origin(gateway) == origin


@pytest.mark.parametrize("gateway", ["", "https://", "https://a b", "https://a+b", "https://a\nb"])
def test_a_gateway_whose_name_would_break_the_note_has_no_log(gateway: str) -> None:
    with pytest.raises(InvalidInput, match="setting-invalid"):
        log_origin(gateway)


@pytest.mark.parametrize(
    "signed",
    [
        sign_checkpoint(CHECKPOINT, KEYS["rtp#log-1"]),
        sign_checkpoint(CHECKPOINT, KEYS["oja#witness-1"]),
        sign_checkpoint(CHECKPOINT.model_copy(update={"origin": "other.example"}), KEYS["oja#log-1"]),
        SIGNED.replace("20852163", "20852164"),
        f"{CCIB.join([checkpoint_text(CHECKPOINT) + chr(10), ''])}",
        "nothing\n",
    ],
    ids=["another member's log key", "another purpose", "another log", "altered", "cosigned alone", "no note"],
)
def test_a_checkpoint_is_believed_only_from_this_logs_own_key(signed: str) -> None:
    assert wrong(signed) == "log-checkpoint-wrong"


@pytest.mark.parametrize(
    "text",
    [
        "gateway.example\n07\n" + "A" * 43 + "=\n",
        "gateway.example\n-1\n" + "A" * 43 + "=\n",
        "gateway.example\n7\nAAAA\n",
        "gateway.example\n7\n",
        "gateway.example\n7\n" + "A" * 43 + "=\nmore\n",
        "\n7\n" + "A" * 43 + "=\n",
    ],
)
def test_a_signed_text_of_another_form_is_no_checkpoint(text: str) -> None:
    key = KEYS["oja#log-1"]
    name = "gateway.example"
    value = NoteSignature(name, key_id(name, Algorithm.SIGNATURE, public_bytes(key)), key.sign(text.encode()))

    assert wrong(f"{text}\n{value.line}") == "log-checkpoint-wrong"


def test_one_bad_signature_under_the_logs_name_spoils_the_note() -> None:
    bad = NoteSignature("gateway.example", read_note(SIGNED).signatures[0].key_id, bytes(64))

    assert wrong(SIGNED + bad.line) == "log-checkpoint-wrong"


def test_a_signature_of_somebody_unknown_is_passed_over() -> None:
    unknown = NoteSignature("elsewhere.example", bytes(4), bytes(64))

    assert verify_checkpoint(SIGNED + unknown.line, LOG) == CHECKPOINT


def test_a_key_that_was_revoked_or_had_ended_before_signs_no_checkpoint() -> None:
    ended = federation(WITNESSED, valid_until=NOW - timedelta(days=1))
    member = KEYS.federation.members[0]
    revoked = member.model_copy(update={"keys": tuple(k.model_copy(update={"revoked": True}) for k in member.keys)})
    without = KEYS.federation.model_copy(update={"members": (revoked, *KEYS.federation.members[1:])})

    assert wrong(SIGNED, ended) == "log-checkpoint-wrong"
    assert verify_checkpoint(SIGNED, log_keys(ended.federation, NOW - timedelta(days=2))) == CHECKPOINT
    assert verify_checkpoint(SIGNED, log_keys(ended.federation)) == CHECKPOINT
    with pytest.raises(IntegrityError):
        verify_checkpoint(SIGNED, log_keys(without))


def test_a_new_key_of_the_log_signs_beside_the_old_one_once() -> None:
    new = new_key("oja#log-2")

    again = signed_again(SIGNED, new)

    assert len(read_note(again).signatures) == 2
    assert signed_again(again, new) == again
    assert signed_again(SIGNED, KEYS["oja#log-1"]) == SIGNED


# ------------------------------------------------------------------ witnesses
def test_agencies_that_cosigned_are_counted_once_each() -> None:
    later = cosign(SIGNED, KEYS["ccib#witness-1"], NOW + timedelta(seconds=9))
    document = with_cosignatures(SIGNED, (RTP, CCIB, later))

    assert cosigned(document, LOG) == (Cosigned("ccib", NOW + timedelta(seconds=9)), Cosigned("rtp", NOW))
    assert cosigned(SIGNED, LOG) == ()
    assert verify_checkpoint(document, LOG) == CHECKPOINT


def test_the_operator_is_no_witness_of_its_own_log() -> None:
    line = cosign(SIGNED, KEYS["oja#witness-1"], NOW)

    assert cosigned(SIGNED + line, LOG) == ()
    assert read_cosignature(SIGNED, line, LOG) is None


def test_the_logs_key_cannot_stand_for_a_witness() -> None:
    key, name = KEYS["oja#log-1"], witness_name("gateway.example", "ccib")
    forged = cosign(SIGNED, key, NOW).replace("witness/oja", "witness/ccib")
    own_id = read_note(SIGNED + CCIB).signatures[1].key_id
    under_its_id = NoteSignature(name, own_id, (0).to_bytes(8, "big") + key.sign(b"anything"))

    assert cosigned(SIGNED + forged, LOG) == ()
    with pytest.raises(IntegrityError, match="log-checkpoint-wrong"):
        cosigned(SIGNED + under_its_id.line, LOG)


def test_a_cosignature_of_another_checkpoint_or_time_is_wrong() -> None:
    other = sign_checkpoint(CHECKPOINT.model_copy(update={"size": 7}), KEYS["oja#log-1"])
    moved = read_note(SIGNED + CCIB).signatures[1]
    value = (int.from_bytes(moved.value[:8], "big") + 1).to_bytes(8, "big") + moved.value[8:]
    endless = (MOST_SECONDS + 1).to_bytes(8, "big") + moved.value[8:]

    for line in (
        NoteSignature(moved.name, moved.key_id, value).line,
        NoteSignature(moved.name, moved.key_id, endless).line,
        NoteSignature(moved.name, moved.key_id, b"short").line,
        cosign(other, KEYS["ccib#witness-1"], NOW),
    ):
        with pytest.raises(IntegrityError, match="log-checkpoint-wrong"):
            read_cosignature(SIGNED, line, LOG)


def test_a_witness_counts_only_while_its_key_may_sign() -> None:
    early = cosign(SIGNED, KEYS["ccib#witness-1"], NOW - timedelta(days=400))

    assert cosigned(SIGNED + early, LOG) == ()


def test_the_cosigned_message_is_that_of_the_specification() -> None:
    at = datetime(2023, 3, 20, 13, 32, 27, tzinfo=UTC)
    signature = read_note(SIGNED + cosign(SIGNED, KEYS["ccib#witness-1"], at)).signatures[1]
    message = f"cosignature/v1\ntime 1679319147\n{checkpoint_text(CHECKPOINT)}"

    assert int.from_bytes(signature.value[:8], "big") == 1679319147
    assert KEYS["ccib#witness-1"].sign(message.encode()) == signature.value[8:]


def test_keys_are_handed_to_other_programs_under_their_names() -> None:
    (log,) = log_verifier_keys(LOG)
    witnesses = witness_verifier_keys(LOG)

    assert log.startswith("gateway.example+")
    assert [each.split("+")[0] for each in witnesses] == ["gateway.example/witness/ccib", "gateway.example/witness/rtp"]
