"""The homes of a federation that its officers founded, as the demonstration founds its own: nothing runs yet."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from connectors.enrol import Enrolment, make_home
from connectors.home import Home
from contracts.registry import RegistryBatch
from gateway.centre.home import CentreHome
from gateway.centre.home import Enrolment as CentreEnrolment
from gateway.home import GatewayHome
from gateway.main import means_of, system_clock
from gateway.registry.keeper import repository_of
from gateway.settings import load_settings
from gateway.store.engine import Store
from saphan.demo.registry import Founding
from tests.factories import text
from tests.migrated_store import write_migrated
from trust.copies import RegistryCopy
from trust.reader import read

OPERATOR = "oja"
AGENCIES = ("ccib", "rtp")
LASTS = timedelta(days=700)


@dataclass(frozen=True)
class FoundedHomes:
    """The gateway's home, its operator's other one with the registrar's key, the agencies' and the officers'."""

    folder: Path

    @property
    def gateway(self) -> Path:
        """The gateway's home."""
        return self.folder / "gateway"

    @property
    def centre(self) -> Path:
        """The home of the member that runs the gateway."""
        return self.folder / "centre"

    def agency(self, name: str) -> Path:
        """An agency's home."""
        return self.folder / name

    def officer(self, name: str) -> Path:
        """The folder of an agency's officer."""
        return self.folder / "officers" / name

    @property
    def copy(self) -> RegistryCopy:
        """The folder that went from officer to officer."""
        return RegistryCopy(self.folder / "registry")

    def take(self, batch: RegistryBatch) -> None:
        """What ``saphan gateway registry`` does."""
        settings = load_settings(self.gateway)
        store = Store(settings.database)
        try:
            repository_of(settings.folder, store).take(batch, system_clock())
        finally:
            store.close()

    def follow(self, name: str) -> Path:
        """A member's home after it read the registry as the gateway serves it now."""
        settings = load_settings(self.gateway)
        store = Store(settings.database)
        try:
            read(self.folder / name, repository_of(settings.folder, store).get, system_clock())
        finally:
            store.close()
        return self.folder / name

    def begin(self) -> None:
        """What a gateway does first when it starts: sign what is due and read the registry into its home."""
        means_of(load_settings(self.gateway)).store.close()


def found(folder: Path, issuer: str) -> FoundedHomes:
    """Make every home and found the federation, by the machine's clock."""
    homes, now = FoundedHomes(folder), system_clock()
    gateway = GatewayHome(homes.gateway)
    gateway.make()
    gateway.make_keys(OPERATOR, text("OJA"), now, now + LASTS)
    write_migrated(gateway.database)
    CentreHome(homes.centre).enrol(CentreEnrolment(OPERATOR, text("OJA"), issuer, "A-001"), now)
    for name in AGENCIES:
        make_home(Home(homes.agency(name)), Enrolment(name, text(name), issuer, "sqlite:///x.db", ()), now)
    agencies = {name: homes.agency(name) for name in AGENCIES}
    Founding(folder, homes.gateway, (OPERATOR, homes.centre), agencies, system_clock).found(issuer)
    return homes
