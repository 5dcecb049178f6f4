"""A gateway that runs, and the homes around it whose hops a test breaks."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from connectors.home import Home
from contracts.errors import SaphanError
from gateway.main import system_clock
from keys.folder import KeyFolder
from saphan.doctor_commands import Diagnosis, HopState, examine
from saphan.doctor_sides import side_of
from tests.api_world import make_home
from tests.relay_world import Centre, RelayWorld, provider

AGENCY = "agency00"


class Scene:
    """A gateway that runs and the homes around it."""

    def __init__(self, folder: Path) -> None:
        self.world = RelayWorld(folder, (provider(AGENCY),), system_clock())
        self.world.make_homes()
        self.gateway_home = make_home(folder / "gateway", self.world.keys)
        self.world.register(f"sqlite:///{self.gateway_home / 'gateway.db'}")
        self.centre = Centre(self.gateway_home, self.world.keys.federation.gateway, system_clock)
        self.home = Home(folder / AGENCY)
        self.client_home = folder / "oja"
        (self.client_home / "keys").mkdir(parents=True)
        KeyFolder(self.client_home).save(self.world.keys["oja#client-1"])
        federation = self.world.keys.federation.model_dump_json()
        (self.client_home / "federation.json").write_text(federation)
        (self.gateway_home / "saphan.toml").write_text(f"listen_port = {self.centre.port}\n")
        self.source = folder / f"{AGENCY}.db"
        self.set_up()

    def set_up(self, address: str = "", **more: str) -> None:
        """Write the homes' settings."""
        others = "".join(f'{name} = "{value}"\n' for name, value in more.items())
        reached = f'gateway = "{address or self.centre.address}"\n'
        source = f'source = "sqlite:///{self.source}"\n'
        self.home.settings.write_text(f'agency = "{AGENCY}"\n{source if "source" not in more else ""}{reached}{others}')
        (self.client_home / "saphan.toml").write_text(f'agency = "oja"\n{reached}')


@contextmanager
def standing(folder: Path) -> Iterator[Scene]:
    """A scene whose gateway runs until the end of the block."""
    scene = Scene(folder)
    contract = provider(AGENCY)
    (scene.home.contracts / f"{contract.contract.id}.odcs.yaml").write_text(contract.text)
    with scene.centre.up():
        yield scene


@contextmanager
def put_right(scene: Scene) -> Iterator[Scene]:
    """The scene; at the end of the block its settings, pinned keys and policies are as they were."""
    scene.set_up()
    yield scene
    scene.home.pin(scene.world.keys.federation)
    for pinned in (scene.home.policies_digest, *scene.home.policies.glob("*")):
        pinned.unlink(missing_ok=True)
    if scene.home.policies.exists():
        scene.home.policies.rmdir()


def look(home: Path, clock: Callable[[], datetime] = system_clock) -> tuple[str | None, SaphanError | None]:
    """What the doctor names, and what it says of it."""
    found, error = examine(side_of(home, clock))
    assert isinstance(found, Diagnosis)
    states = [each.state for each in found.hops]
    if error is None:
        assert set(states) == {HopState.FINE}
    else:
        at = states.index(HopState.FAILING)
        assert set(states[:at]) <= {HopState.FINE}
        assert set(states[at + 1 :]) <= {HopState.NOT_CHECKED}
        told = found.hops[at].reason
        assert told is not None
        assert told.code == error.code
        assert told.advice_en
        assert told.advice_th
    return found.failing, error


def named(home: Path, clock: Callable[[], datetime] = system_clock) -> tuple[str | None, str | None]:
    """The failing hop and its code."""
    hop, error = look(home, clock)
    return hop, None if error is None else error.code
