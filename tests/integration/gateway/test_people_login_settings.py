"""Which login provider the settings name, and how the gateway shows there who it is."""

from pathlib import Path

import pytest

from contracts.errors import InvalidInput
from contracts.keys import new_key
from gateway.people.login_provider import login_kid, provider_of
from gateway.people.oidc import Provider
from gateway.settings import GatewaySettings
from tests import factories
from tests.api_world import make_home, problem_in
from tests.login_provider import SECRET
from tests.people_world import new_people_world

pytestmark = pytest.mark.integration


def test_without_a_provider_nobody_is_sent_to_one(tmp_path: Path) -> None:
    browser = new_people_world(tmp_path).browser()

    assert problem_in(browser.post("/oidc/start", {})).code == "login-not-configured"
    assert 'data-do="provider"' not in browser.get("/sign-in").text


def test_the_settings_name_a_provider_and_how_the_gateway_is_known_there(tmp_path: Path) -> None:
    keys = factories.federation()
    home = make_home(tmp_path / "home", keys)
    url = "https://login.example/.well-known/openid-configuration"

    def settings(**given: object) -> GatewaySettings:
        return GatewaySettings.model_validate({"home": home, **given})

    assert provider_of(settings(), keys.federation) is None
    assert provider_of(settings(oidc_metadata_url=url, oidc_secret=SECRET), keys.federation) == Provider(
        url, "saphan", "RS256", None, SECRET
    )
    with pytest.raises(InvalidInput, match="setting-invalid"):
        provider_of(settings(oidc_metadata_url=url), keys.federation)
    for wrong in ("https://login.example", "http://login.example/.well-known/openid-configuration"):
        with pytest.raises(InvalidInput, match="setting-invalid"):
            provider_of(settings(oidc_metadata_url=wrong, oidc_secret=SECRET), keys.federation)
    settings().folder.keys.save(new_key(login_kid(keys.federation)))
    known = provider_of(settings(oidc_metadata_url=url, oidc_secret=SECRET), keys.federation)
    assert known is not None
    assert known.key is not None
    assert known.secret is None
    assert SECRET not in repr(settings(oidc_secret=SECRET))
