"""What members publish: contracts, agreements, withdrawals, forecasts, each by those who may and nobody else."""

from collections.abc import Callable
from datetime import timedelta
from importlib.resources import files

import pytest

from contracts.canonical import canonical_bytes, digest_of_bytes
from contracts.dataset import DatasetContract
from contracts.errors import InvalidInput, Refused, Unavailable
from contracts.federation import KeyPurpose
from contracts.forecast import Citation, Forecast, ForecastSeries
from contracts.keys import SigningKey, new_key
from contracts.odcs import canonical_document, read_contract
from contracts.odcs_yaml import parse
from contracts.release import Release, ReleaseState, Withdrawal
from contracts.signing import sign_compact, sign_document
from contracts.transparency import EventKind
from contracts.views import PublishedContract
from tests import factories
from tests.factories import NOW, Keys
from tests.gateway_world import CONTRACT, World

pytestmark = pytest.mark.integration

ODCS = files("contracts").joinpath("datasets/dop_case.odcs.yaml").read_text(encoding="utf-8")
DOP: DatasetContract = read_contract(ODCS)


def signed(world: World, payload: bytes, *kids: str, contract: DatasetContract = DOP) -> PublishedContract:
    keys = [world.keys[kid] for kid in kids or ("dop#steward-1", "dop#dpo-1")]
    document = sign_document(payload, "contract", *keys)
    return PublishedContract(reference=contract.reference, agency=contract.agency, document=document)


# ---------------------------------------------------------------- dataset contracts
def test_a_contract_that_steward_and_dpo_signed_is_published_once(world: World) -> None:
    published = signed(world, canonical_document(ODCS))

    world.exchange.publish_contract(world.connector("dop"), published)
    world.exchange.publish_contract(world.connector("dop"), published)

    assert world.exchange.contract(DOP.digest) == published
    assert published in world.exchange.contracts()
    assert world.kinds().count(EventKind.CONTRACT_PUBLISHED) == 2  # with the one that every test begins with
    assert {line.source for line in world.exchange.budget(world.caller())} == {CONTRACT.source, DOP.source}


@pytest.mark.parametrize(
    ("kids", "code"),
    [
        (("dop#steward-1",), "signers-incomplete"),
        (("dop#dpo-1",), "signers-incomplete"),
        (("dop#steward-1", "ccib#dpo-1"), "signers-incomplete"),
        (("dop#steward-1", "dop#dpo-1", "ccib#steward-1"), "signers-incomplete"),
        (("dop#steward-1", "dop#officer-1"), "key-unknown"),
    ],
)
def test_a_contract_needs_exactly_its_steward_and_its_dpo(world: World, kids: tuple[str, ...], code: str) -> None:
    with pytest.raises(Refused, match=code):
        world.exchange.publish_contract(world.connector("dop"), signed(world, canonical_document(ODCS), *kids))

    with pytest.raises(InvalidInput, match="unknown-contract"):
        world.exchange.contract(DOP.digest)


def test_two_stewards_are_no_steward_and_dpo(world: World) -> None:
    second = new_key("dop#steward-2")
    member = world.keys.federation.members[-1]
    valid = second.public_key(KeyPurpose.STEWARD, NOW - timedelta(days=1), NOW + timedelta(days=1))
    grown = member.model_copy(update={"keys": (*member.keys, valid)})
    members = (*world.keys.federation.members[:-1], grown)
    federation = world.keys.federation.model_copy(update={"members": members})
    world.keys = Keys(federation, {**world.keys.signing, second.kid: second})
    world.restart()

    with pytest.raises(Refused, match="signers-incomplete"):
        world.exchange.publish_contract(
            world.connector("dop"), signed(world, canonical_document(ODCS), "dop#steward-1", "dop#steward-2")
        )


def test_an_agency_publishes_its_own_contracts_alone(world: World) -> None:
    with pytest.raises(Refused, match="not-allowed"):
        world.exchange.publish_contract(world.connector("rtp"), signed(world, canonical_document(ODCS)))


def test_a_contract_whose_reference_says_something_else_is_refused(world: World) -> None:
    published = signed(world, canonical_document(ODCS))
    other = DOP.reference.model_copy(update={"version": "9.0.0"})

    with pytest.raises(InvalidInput, match="contract-invalid"):
        world.exchange.publish_contract(world.connector("dop"), published.model_copy(update={"reference": other}))


def test_a_published_version_never_changes(world: World) -> None:
    world.exchange.publish_contract(world.connector("dop"), signed(world, canonical_document(ODCS)))
    text = ODCS.replace("Probation cases", "Probation files")

    with pytest.raises(InvalidInput, match="version-is-immutable"):
        world.exchange.publish_contract(
            world.connector("dop"), signed(world, canonical_document(text), contract=read_contract(text))
        )


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"not json", "malformed-body"),
        (b"[]", "not-canonical"),
        (canonical_document(ODCS) + b" ", "not-canonical"),
        (canonical_bytes({**parse(ODCS), "surprise": "x"}), "contract-invalid"),
    ],
)
def test_a_document_that_is_no_contract_is_refused(world: World, payload: bytes, code: str) -> None:
    with pytest.raises(InvalidInput, match=code):
        world.exchange.publish_contract(world.connector("dop"), signed(world, payload))


# ---------------------------------------------------------------- withdrawals
def a_release(world: World, name: str = "REQ-0001", **changes: object) -> Release:
    world.submit(factories.request(id=name, **changes))
    world.answer()
    world.later()
    return world.exchange.release(world.caller(), str(world.exchange.status(world.caller(), name).release))


def withdrawn(release: Release, **changes: object) -> Withdrawal:
    fields = {"release": release.body.id, "state": ReleaseState.WITHDRAWN, "reason": "wrong code list"}
    return Withdrawal.model_validate(fields | changes)


def test_a_withdrawal_stands_beside_the_release_and_changes_nothing_in_it(world: World) -> None:
    release = a_release(world)

    after = world.exchange.withdraw(world.connector(), withdrawn(release))
    again = world.exchange.withdraw(world.caller(), withdrawn(release))

    assert again == after
    assert (after.body, after.digest, after.signature) == (release.body, release.digest, release.signature)
    assert after.withdrawal == withdrawn(release)
    assert [each.state for each in world.exchange.releases(None)] == [ReleaseState.WITHDRAWN]
    assert world.kinds().count(EventKind.RELEASE_WITHDRAWN) == 1


def test_a_release_is_withdrawn_by_those_whom_it_concerns_alone(world: World) -> None:
    release = a_release(world)

    with pytest.raises(Refused, match="not-allowed"):
        world.exchange.withdraw(world.connector("rtp"), withdrawn(release))

    assert world.exchange.withdraw(world.caller("oja", KeyPurpose.GATEWAY), withdrawn(release)).withdrawal


def test_a_release_is_superseded_by_one_that_exists(world: World) -> None:
    release = a_release(world)
    better = a_release(world, "REQ-0002", nano_rho=60_000_000)
    superseded = withdrawn(release, state=ReleaseState.SUPERSEDED, replaced_by=better.body.id)

    with pytest.raises(InvalidInput, match="unknown-release"):
        world.exchange.withdraw(world.caller(), superseded.model_copy(update={"replaced_by": "rel-0000"}))
    world.exchange.withdraw(world.caller(), superseded)
    with pytest.raises(Refused, match="release-withdrawn"):
        world.exchange.withdraw(world.caller(), withdrawn(release))


@pytest.mark.parametrize("changes", [{"state": "valid"}, {"state": "superseded"}, {"replaced_by": "rel-0000"}], ids=str)
def test_a_withdrawal_that_makes_no_sense_is_malformed(world: World, changes: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match="malformed-body"):
        world.exchange.withdraw(world.caller(), withdrawn(a_release(world), **changes))


def test_what_was_never_released_cannot_be_withdrawn(world: World) -> None:
    nothing = Withdrawal(release="rel-0000", state=ReleaseState.WITHDRAWN, reason="never was")

    with pytest.raises(InvalidInput, match="unknown-release"):
        world.exchange.withdraw(world.caller(), nothing)


# ---------------------------------------------------------------- forecasts
def a_forecast(*cited: Citation, **changes: object) -> Forecast:
    series = ForecastSeries(labels={"province": "10"}, mean=(1.0,), low=(0.0,), high=(2.0,), usual=(1.0,))
    fields: dict[str, object] = {
        "id": "forecast-0001",
        "title": factories.text("forecast"),
        "model": "AutoETS",
        "level": 80,
        "months": ("2026-01",),
        "dimensions": ("province",),
        "series": (series,),
        "scores": (),
        "citations": cited,
        "limits": factories.text("limits"),
        "created": NOW,
    }
    return Forecast.model_validate(fields | changes)


def cites(release: Release) -> Citation:
    return Citation(release=release.body.id, digest=release.digest)


def by(key: SigningKey, forecast: Forecast) -> str:
    return sign_compact(canonical_bytes(forecast), "forecast", key)


def test_a_forecast_is_flagged_when_a_release_that_it_cites_is_withdrawn(world: World) -> None:
    release = a_release(world)
    document = by(world.keys["oja#client-1"], a_forecast(cites(release)))

    world.exchange.publish_forecast(world.caller(), document)
    published = world.exchange.publish_forecast(world.caller(), document)
    before = world.exchange.latest_forecast()
    world.exchange.withdraw(world.connector(), withdrawn(release))

    assert published == before
    assert published.digest == digest_of_bytes(canonical_bytes(published.forecast))
    assert (before.flagged, world.exchange.latest_forecast().flagged) == ((), (release.body.id,))
    assert world.kinds().count(EventKind.FORECAST_PUBLISHED) == 1


def test_the_newest_forecast_is_the_latest(world: World) -> None:
    cited = cites(a_release(world))
    for number in (1, 2):
        world.later()
        forecast = a_forecast(cited, id=f"forecast-{number:04d}", created=NOW + timedelta(days=number))
        world.exchange.publish_forecast(world.caller(), by(world.keys["oja#client-1"], forecast))

    assert world.exchange.latest_forecast().forecast.id == "forecast-0002"


def test_before_the_first_forecast_there_is_none(world: World) -> None:
    with pytest.raises(Unavailable, match="nothing-published"):
        world.exchange.latest_forecast()


def test_a_forecast_cites_releases_as_they_are(world: World) -> None:
    release, key = a_release(world), world.keys["oja#client-1"]
    wrong_digest = Citation(release=release.body.id, digest=f"sha-256:{'0' * 64}")
    unknown = Citation(release="rel-0000", digest=release.digest)

    for cited in (wrong_digest, unknown):
        with pytest.raises(InvalidInput, match="unknown-release"):
            world.exchange.publish_forecast(world.caller(), by(key, a_forecast(cited)))
    world.exchange.withdraw(world.caller(), withdrawn(release))
    with pytest.raises(Refused, match="release-withdrawn"):
        world.exchange.publish_forecast(world.caller(), by(key, a_forecast(cites(release))))


def test_a_forecast_is_published_by_the_agency_that_signed_it(world: World) -> None:
    forecast = a_forecast(cites(a_release(world)))

    with pytest.raises(Refused, match="not-allowed"):
        world.exchange.publish_forecast(world.caller("rtp"), by(world.keys["oja#client-1"], forecast))
    with pytest.raises(Refused, match="key-unknown"):
        world.exchange.publish_forecast(world.caller(), by(world.keys["oja#officer-1"], forecast))


def test_an_identifier_stands_for_one_forecast(world: World) -> None:
    cited, key = cites(a_release(world)), world.keys["oja#client-1"]
    world.exchange.publish_forecast(world.caller(), by(key, a_forecast(cited)))

    with pytest.raises(InvalidInput, match="request-id-reused"):
        world.exchange.publish_forecast(world.caller(), by(key, a_forecast(cited, level=90)))


@pytest.mark.parametrize("spoil", [lambda _: b"{}", lambda payload: payload + b" "], ids=["malformed", "spaced"])
def test_a_document_that_is_no_forecast_is_refused(world: World, spoil: Callable[[bytes], bytes]) -> None:
    payload = spoil(canonical_bytes(a_forecast(cites(a_release(world)))))
    document = sign_compact(payload, "forecast", world.keys["oja#client-1"])

    with pytest.raises(InvalidInput, match=r"malformed-body|not-canonical"):
        world.exchange.publish_forecast(world.caller(), document)
