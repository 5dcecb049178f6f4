"""Canonical bytes are the library's, whatever JSON they are of."""

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from contracts.canonical import canonical_bytes
from contracts.errors import InvalidInput

pytestmark = pytest.mark.property

TEXTS = st.text() | st.text('ab\u00e9\ue000\ufb01\U0001f600"\\/\b\f\n\r\t\x00\x1f\x7f\u2028\ud800', max_size=6)
EVERYDAY = st.floats(1e-5, 1e17) | st.integers(-(10**6), 10**6).map(lambda cents: cents / 100)
EDGES = st.sampled_from([2**53 - 1, 2**53, -0.0, 1e21, 1e-4, 9.999999999999999e-5, 1e15, 999999999999999.9, 5e-324])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | EVERYDAY | EDGES | TEXTS
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(TEXTS, inner), max_leaves=20
)


@given(JSON)
def test_every_value_is_written_as_the_library_writes_it(value: object) -> None:
    try:
        expected = rfc8785.dumps(value)  # type: ignore[arg-type]  # whatever was drawn
    except (rfc8785.CanonicalizationError, UnicodeEncodeError):
        with pytest.raises(InvalidInput, match="not-canonical"):
            canonical_bytes({"value": value})
        return

    assert canonical_bytes({"value": value}) == b'{"value":' + expected + b"}"


def test_names_that_are_no_texts_are_refused() -> None:
    with pytest.raises(InvalidInput, match="not-canonical"):
        canonical_bytes({"value": {1: "one"}})
