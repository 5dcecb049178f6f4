"""Signed notes against the example of their specification, and everything that is none."""

import base64

import pytest

from contracts.errors import IntegrityError
from contracts.federation import KeyPurpose
from contracts.keys import new_key
from contracts.note import (
    MOST_CHARACTERS,
    MOST_SIGNATURES,
    Algorithm,
    NoteSignature,
    is_key_name,
    is_signed,
    key_bytes,
    key_id,
    read_note,
    verifier_key,
)
from tests.factories import NOW

pytestmark = pytest.mark.unit

# Go's sumdb/note package documents this key and this note (its example of Open).
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
ENIGMA = """If you think cryptography is the answer to your problem,
then you don't know what your problem is.

\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
"""
LINE = f"\u2014 name {base64.b64encode(bytes(70)).decode()}\n"


def test_the_published_example_is_read_and_verified() -> None:
    name, hashed, encoded = PETER.split("+", 2)
    public = base64.b64decode(encoded)[1:]

    note = read_note(ENIGMA)

    (signature,) = note.signatures
    assert note.text.endswith("your problem is.\n")
    assert (signature.name, signature.key_id.hex()) == (name, hashed)
    assert signature.key_id == key_id(name, Algorithm.SIGNATURE, public)
    assert verifier_key(name, Algorithm.SIGNATURE, public) == PETER
    assert is_signed(public, note.text.encode(), signature.value)
    assert not is_signed(public, note.text.upper().encode(), signature.value)
    assert signature.line == ENIGMA.splitlines(keepends=True)[-1]


def test_an_empty_line_in_the_text_does_not_end_it() -> None:
    note = read_note(f"one\n\ntwo\n\n{LINE}{LINE}")

    assert (note.text, len(note.signatures)) == ("one\n\ntwo\n", 2)


@pytest.mark.parametrize(
    "document",
    [
        "",
        "text\n",
        "text\n\n",
        f"text\n{LINE}",
        f"text\n\n{LINE[:-1]}",
        f"text\n\n-{LINE[1:]}",
        f"text\n\n{LINE[:-3]}*=\n",
        "text\n\n\u2014 name AAAA\n",
        "text\n\n\u2014 na+me AAAAAAAA\n",
        "text\n\n\u2014  AAAAAAAA\n",
        "text\n\n\u2014 name\n",
        f"te\rxt\n\n{LINE}",
        f"text\x00\n\n{LINE}",
        f"text\n\n{LINE * (MOST_SIGNATURES + 1)}",
        f"{'x' * MOST_CHARACTERS}\n\n{LINE}",
    ],
)
def test_what_is_no_note_is_not_read(document: str) -> None:
    with pytest.raises(IntegrityError, match="log-checkpoint-wrong"):
        read_note(document)


def test_a_signature_of_the_wrong_length_or_by_no_key_does_not_fit() -> None:
    assert not is_signed(bytes(32), b"message", bytes(64))
    assert not is_signed(bytes(31), b"message", bytes(64))


def test_only_an_ed25519_key_signs_notes() -> None:
    key = new_key("oja#client-1").public_key(KeyPurpose.CLIENT, NOW, NOW)
    with pytest.raises(IntegrityError, match="log-checkpoint-wrong"):
        key_bytes(key)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\tb", "a\nb", "\x01"])
def test_a_name_that_would_break_the_line_names_no_key(name: str) -> None:
    assert not is_key_name(name)


def test_the_same_key_under_another_name_or_algorithm_is_found_by_another_id() -> None:
    ids = {key_id(name, kind, bytes(32)) for name in ("one", "two") for kind in Algorithm}

    assert len(ids) == 4
    assert all(len(each) == 4 for each in ids)
    assert NoteSignature("one", bytes(4), bytes(64)).line.startswith("\u2014 one AAAA")
