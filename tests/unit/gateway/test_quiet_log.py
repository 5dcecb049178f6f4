"""Logs hold the type and place of a defect, never its text, and never a token."""

import logging

import pytest

from gateway.quiet_log import FOREIGN, WithoutTexts, silence_values, where_of

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_traceback_is_logged_without_its_text(name: str, caplog: pytest.LogCaptureFixture) -> None:
    silence_values()
    try:
        int("1101700203451 is no number")
    except ValueError:
        logging.getLogger(name).exception("defect of %s", "1101700203451")
    assert "ValueError in test_a_foreign_traceback_is_logged_without_its_text" in caplog.text
    assert "1101700203451" not in caplog.text


def test_a_plain_record_stays_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    silence_values()
    logging.getLogger("uvicorn.error").warning("started on %s", 8000)
    assert "started on 8000" in caplog.text


def test_the_authorization_servers_debug_log_which_holds_tokens_stays_shut() -> None:
    silence_values()
    assert not logging.getLogger("authlib.oauth2.rfc6749.grants.client_credentials").isEnabledFor(logging.DEBUG)


def test_silencing_twice_changes_nothing() -> None:
    silence_values()
    silence_values()
    filters = logging.getLogger("uvicorn.error").filters
    assert len([each for each in filters if isinstance(each, WithoutTexts)]) == 1


def test_an_exception_that_was_never_raised_has_no_place() -> None:
    assert where_of(KeyError("x")) == "KeyError in -"
