"""What a connector hears and gives, in the words of the tests about what stands at it."""

from connectors import notices
from connectors.answer import answer
from contracts.task import Notice, Part
from tests.connector_world import World, case
from tests.suspension_orders import signed_order, suspension


def hear(world: World, *documents: str, after: int = 0) -> None:
    """The gateway tells of these documents."""
    told = tuple(Notice(number=after + place, document=each) for place, each in enumerate(documents, 1))
    notices.take(world.journal, world.keys.federation, told, world.now)


def ordered(world: World, *kids: str, **changes: object) -> str:
    return signed_order(world.keys, suspension(**changes), *kids)


def give(world: World) -> Part:
    answer(case().leased(now=world.now), world.desk(), world.clock)
    return world.posted[-1]
