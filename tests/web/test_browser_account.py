"""The account's pages in a real browser with a virtual authenticator: invitation, passkey, own key, approval."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from contracts.key_request import as_key, read_key_request
from contracts.people import PersonRole
from gateway.exchange import Exchange
from gateway.main import create_app, system_clock
from gateway.people import accounts, own_keys
from gateway.people.accounts import Guest
from gateway.settings import GatewaySettings
from tests import factories
from tests.api_world import make_home
from tests.gateway_world import World
from tests.people_world import STEWARD
from tests.served_world import free_port

pytestmark = pytest.mark.e2e

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
TELEPHONE, DESK = 390, 1280


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Gateway"]:
    folder, port = tmp_path_factory.mktemp("account"), free_port()
    issuer = f"http://localhost:{port}"
    made = factories.federation(
        valid_from=system_clock().replace(year=2020), valid_until=system_clock().replace(year=2040)
    )
    keys = replace(made, federation=made.federation.model_copy(update={"gateway": issuer}))
    app = create_app(GatewaySettings(home=make_home(folder / "gateway", keys), tick_seconds=3600.0))
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield Gateway(issuer, app, keys)
    server.should_exit = True
    thread.join(timeout=10)


class Gateway:
    """A served gateway on localhost, which browsers trust with passkeys and keys as they do https."""

    def __init__(self, address: str, app: object, keys: factories.Keys) -> None:
        self.address, self.app, self.keys = address, app, keys

    @property
    def means(self) -> object:
        return self.app.state.desk.exchange.means  # type: ignore[attr-defined]  # an application

    def invited(self, *roles: PersonRole, name: str) -> str:
        return accounts.invite(self.means, STEWARD, Guest("ccib", name, frozenset(roles))).link(self.address)  # type: ignore[arg-type]  # means

    def register_all(self) -> None:
        """What the registrar does: put every key that was asked for into the federation."""
        desk = self.app.state.desk  # type: ignore[attr-defined]  # an application
        means = desk.exchange.means
        asked = [as_key(read_key_request(each.document)) for each in own_keys.asked_of_agency(means, "ccib")]
        members = tuple(
            each.model_copy(update={"keys": (*each.keys, *asked)}) if each.agency == "ccib" else each
            for each in means.federation.members
        )
        federation = means.federation.model_copy(update={"members": members})
        exchange = Exchange(replace(means, federation=federation), lambda task, *_: task.id)
        self.app.state.desk = replace(desk, exchange=exchange)  # type: ignore[attr-defined]  # an application


@contextmanager
def somebody(browser: Browser, width: int = DESK, scheme: str = "light") -> Iterator[Page]:
    """A browser with an authenticator; every message of its console is an error at the end."""
    troubles: list[str] = []
    context = browser.new_context(
        viewport={"width": width, "height": 900}, locale="th-TH", color_scheme="dark" if scheme == "dark" else "light"
    )
    page = context.new_page()
    page.on("console", lambda message: troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    devtools = context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    yield page
    context.close()
    assert troubles == []


def join(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_label("ชื่ออุปกรณ์").fill("โทรศัพท์")
    page.get_by_role("button", name="สร้างพาสคีย์").click()
    expect(page.get_by_role("heading", level=2, name="พาสคีย์")).to_be_visible()


def test_an_officer_joins_makes_a_key_and_approves_all_in_the_browser(browser: Browser, served: Gateway) -> None:
    world = World(served.means.store, served.keys, system_clock())  # type: ignore[attr-defined]  # means
    agreement = factories.agreement((factories.contract(),), period=factories.period("2025-10-01", "2040-10-01"))
    world.register((factories.contract(),), agreement, active=False)
    with somebody(browser, TELEPHONE) as page:
        join(page, served.invited(PersonRole.OFFICER, name="สมศรี ใจดี"))
        expect(page.get_by_role("heading", level=1)).to_have_text("สมศรี ใจดี")
        page.get_by_role("button", name="ออกจากระบบ").click()
        page.get_by_role("button", name="ใช้พาสคีย์").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("สมศรี ใจดี")

        page.get_by_role("link", name="กุญแจลงนาม").click()
        page.get_by_role("button", name="สร้างกุญแจ").click()
        expect(page.get_by_text("รอนายทะเบียน")).to_be_visible()
        expect(page.get_by_role("cell", name="ใช่")).to_be_visible()
        served.register_all()

        page.goto(f"{served.address}/account/agreements/{agreement.id}/1")
        page.get_by_label("การดำเนินการ").select_option("approve")
        page.get_by_role("button", name="ยืนยันและลงนาม").click()
        expect(page.get_by_text("กำลังพิจารณา")).to_be_visible()
        exported = page.evaluate(
            """async () => {
                const { held } = await import('/static/account/keys.js');
                const kid = document.querySelector('[name=key]').value;
                const pair = await held(kid);
                const out = await crypto.subtle.exportKey('pkcs8', pair.privateKey).catch(() => 'refused');
                return [pair.privateKey.extractable, out];
            }"""
        )
        assert exported == [False, "refused"]


def test_a_steward_invites_on_the_page_after_a_confirmation(browser: Browser, served: Gateway) -> None:
    with somebody(browser) as page:
        join(page, served.invited(PersonRole.STEWARD, name="ผู้ดูแล"))
        page.get_by_role("link", name="ผู้ใช้", exact=True).click()
        page.locator("form[data-do=invite] input[name=name]").fill("นักวิเคราะห์ใหม่")
        page.locator("form[data-do=invite] select[name=role]").select_option("analyst")
        page.get_by_role("button", name="เชิญผู้ใช้").click()
        expect(page.locator("#link code")).to_contain_text("/account/join#")


def test_a_steward_cancels_an_invitation_and_gives_up_a_passkey_each_after_a_confirmation(
    browser: Browser, served: Gateway
) -> None:
    with somebody(browser) as page:
        join(page, served.invited(PersonRole.STEWARD, name="ผู้ดูแล"))
        served.invited(PersonRole.ANALYST, name="แขกที่ไม่มา")
        page.get_by_role("link", name="ผู้ใช้", exact=True).click()
        page.get_by_role("row", name="แขกที่ไม่มา").get_by_role("button").click()
        expect(page.get_by_text("แขกที่ไม่มา")).to_have_count(0)

        page.goto(f"{served.address}/account")
        page.locator("button[data-do=revoke-passkey]").click()
        expect(page).to_have_url(f"{served.address}/account/sign-in")


def test_a_link_that_was_used_is_told_so(browser: Browser, served: Gateway) -> None:
    link = served.invited(PersonRole.ANALYST, name="ก")
    with somebody(browser) as page:
        join(page, link)
    context = browser.new_context(locale="th-TH")
    page = context.new_page()
    page.goto(link)
    page.get_by_role("button", name="สร้างพาสคีย์").click()
    expect(page.get_by_role("alert").first).to_contain_text("ไม่มีคำเชิญนี้")
    context.close()


@pytest.mark.parametrize("width", [TELEPHONE, DESK])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_its_window(
    browser: Browser, served: Gateway, width: int, scheme: str, tmp_path: Path
) -> None:
    with somebody(browser, width, scheme) as page:
        join(page, served.invited(PersonRole.STEWARD, PersonRole.OFFICER, name="ผู้ดูแล"))
        for path in ("", "/people", "/keys", "/agreements", "/sign-ins", "/sign-in", "/join"):
            page.goto(f"{served.address}/account{path}")
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, path
            page.screenshot(path=tmp_path / f"{width}-{scheme}{path.replace('/', '-')}.png", full_page=True)
