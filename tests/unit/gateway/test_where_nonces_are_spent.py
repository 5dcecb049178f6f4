"""Every call that changes something spends its nonce in the transaction of the change, never in one before it."""

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from gateway.api.routes import ROUTERS
from gateway.api.signed import MEMBERS_ONLY, MemberRoute

pytestmark = pytest.mark.unit

CHANGES_NOTHING = {"/v1/preview"}
"""Posted because a question is too long for an address."""


def depends_on(dependant: Dependant, wanted: object) -> bool:
    return any(each.call is wanted or depends_on(each, wanted) for each in dependant.dependencies)


def spends_before(route: APIRoute) -> bool:
    return depends_on(route.dependant, MEMBERS_ONLY.dependency)


MEMBER_ROUTES = [each for router in ROUTERS for each in router.routes if isinstance(each, MemberRoute)]
WRITING = [each for each in MEMBER_ROUTES if each.methods != {"GET"} and each.path not in CHANGES_NOTHING]
READING = [each for each in MEMBER_ROUTES if each not in WRITING]


@pytest.mark.parametrize("route", WRITING, ids=lambda route: route.path)
def test_what_writes_does_not_spend_its_nonce_beforehand(route: APIRoute) -> None:
    assert not spends_before(route)


@pytest.mark.parametrize("route", READING, ids=lambda route: route.path)
def test_what_reads_spends_its_nonce_all_the_same(route: APIRoute) -> None:
    assert spends_before(route)
