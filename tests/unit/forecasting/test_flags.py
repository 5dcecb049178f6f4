import pytest

from contracts.errors import InvalidInput
from forecasting.flags import meaning_of, meanings

pytestmark = pytest.mark.unit


def test_every_flag_is_a_code_with_a_meaning_in_both_languages() -> None:
    for flag, meaning in meanings().items():
        assert flag == flag.lower()
        assert " " not in flag
        assert meaning.th.strip()
        assert meaning.en.endswith(".")


def test_an_unknown_flag_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidInput) as caught:
        meaning_of("no-such-flag")

    assert caught.value.code == "unknown-flag"
    assert "below-noise" in str(caught.value.details)
