"""Analyses and forecasts: published once, read by those who may, now or as they stood at an instant."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from contracts.analysis import AnalysisKind, PublishedAnalysis
from contracts.canonical import canonical_bytes, digest_of_bytes
from contracts.errors import InvalidInput, Refused, Unavailable
from contracts.forecast import Citation
from contracts.publication import MOST_PUBLISHED_BYTES
from contracts.release import ReleaseState, Withdrawal
from contracts.signing import sign_compact
from contracts.transparency import EventKind
from gateway import publishing_analyses as analyses
from gateway import publishing_forecasts as forecasts
from gateway.caller import Caller
from tests import factories
from tests.factories import NOW
from tests.gateway_world import CONTRACT, World, new_world
from tests.publication_world import (
    TABLE,
    analysis_from,
    cites,
    forecast_of,
    publish_analysis,
    publish_forecast,
    released,
    signed,
    withdraw,
)

pytestmark = pytest.mark.integration

ONE_DATABASE = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
"""Of a guard before the database it is enough to run it on one."""

PRIVATE = factories.agreement((CONTRACT,), activities=(factories.activity((CONTRACT,), publish=False),))


@pytest.fixture
def private(store_url: str) -> Iterator[World]:
    """A gateway whose agreement publishes nothing."""
    made = new_world(store_url, agreement=PRIVATE)
    yield made
    made.store.close()


def of_private(world: World) -> Citation:
    return cites(released(world, factories.request(PRIVATE)))


def latest(world: World, caller: Caller | None = None) -> PublishedAnalysis:
    return analyses.latest(world.exchange.means, caller, AnalysisKind.WARNINGS)


# ---------------------------------------------------------------- publishing
def test_an_analysis_is_published_once_and_logged(world: World) -> None:
    analysis = analysis_from(cites(released(world)))
    for _ in range(2):
        publish_analysis(world, analysis)

    found = latest(world)
    assert (found.analysis, found.agency, found.published_at) == (analysis, "oja", world.now)
    assert found.digest == digest_of_bytes(canonical_bytes(analysis))
    (entry,) = [each for each in world.log() if each.kind is EventKind.ANALYSIS_PUBLISHED]
    assert entry.subject == analysis.id
    assert entry.facts == {
        "digest": found.digest,
        "kind": "warnings",
        "public": "true",
        "releases": analysis.citations[0].release,
    }


def test_the_same_again_changes_nothing_even_when_its_release_was_withdrawn(world: World) -> None:
    release = released(world)
    publish_analysis(world, analysis_from(cites(release)))
    publish_forecast(world, forecast_of(cites(release)))
    withdraw(world, release)
    publish_analysis(world, analysis_from(cites(release)))
    publish_forecast(world, forecast_of(cites(release)))

    assert latest(world).flagged == (release.body.id,)
    assert world.kinds().count(EventKind.ANALYSIS_PUBLISHED) == world.kinds().count(EventKind.FORECAST_PUBLISHED) == 1


def test_of_many_at_once_one_is_published(world: World) -> None:
    document, means = signed(world, analysis_from(cites(released(world))), "analysis"), world.exchange.means
    callers = [world.caller() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda caller: analyses.publish(means, caller, document), callers))
    assert {each.digest for each in found} == {found[0].digest}
    assert world.kinds().count(EventKind.ANALYSIS_PUBLISHED) == 1


@ONE_DATABASE
def test_an_identifier_stands_for_one_publication_of_any_sort(world: World) -> None:
    cited = cites(released(world))
    publish_analysis(world, analysis_from(cited))
    with pytest.raises(InvalidInput, match="request-id-reused"):
        publish_analysis(world, analysis_from(cited, title=factories.text("other")))
    with pytest.raises(InvalidInput, match="request-id-reused"):
        publish_forecast(world, forecast_of(cited, name="analysis-0001"))
    assert len(analyses.all_analyses(world.exchange.means, None)) == 1


@ONE_DATABASE
def test_an_analysis_cites_releases_as_they_are(world: World) -> None:
    release = released(world)
    wrong_digest = Citation(release=release.body.id, digest=f"sha-256:{'0' * 64}")
    unknown = Citation(release="rel-0000", digest=release.digest)
    for cited in (wrong_digest, unknown):
        with pytest.raises(InvalidInput, match="unknown-release"):
            publish_analysis(world, analysis_from(cites(release), cited))
    withdraw(world, release)
    with pytest.raises(Refused, match="release-withdrawn"):
        publish_analysis(world, analysis_from(cites(release)))
    assert EventKind.ANALYSIS_PUBLISHED not in world.kinds()


@ONE_DATABASE
def test_an_analysis_is_published_by_the_agency_whose_client_signed_it(world: World) -> None:
    analysis, means = analysis_from(cites(released(world))), world.exchange.means
    with pytest.raises(Refused, match="not-allowed"):
        analyses.publish(means, world.caller("rtp"), signed(world, analysis, "analysis"))
    with pytest.raises(Refused, match="key-unknown"):
        analyses.publish(means, world.caller(), signed(world, analysis, "analysis", "oja#officer-1"))
    with pytest.raises(Refused, match="signature-wrong"):
        analyses.publish(means, world.caller(), signed(world, analysis, "forecast"))


@ONE_DATABASE
def test_a_call_that_is_played_again_is_refused(world: World) -> None:
    document, caller = signed(world, analysis_from(cites(released(world))), "analysis"), world.caller()
    analyses.publish(world.exchange.means, caller, document)
    with pytest.raises(Refused, match="request-replayed"):
        analyses.publish(world.exchange.means, caller, document)


@ONE_DATABASE
@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda _: b"{}", "malformed-body"),
        (lambda payload: payload + b" ", "not-canonical"),
        (lambda payload: payload.replace(b"12.5", b"NaN"), "malformed-body"),
        (lambda payload: payload.replace(b'["50",-3,false,null]', b'["50",-3,false]'), "malformed-body"),
    ],
    ids=["empty", "spaced", "no number", "a short row"],
)
def test_a_document_that_is_no_analysis_is_refused(world: World, spoil: Callable[[bytes], bytes], code: str) -> None:
    payload = canonical_bytes(analysis_from(cites(released(world))))
    spoilt = spoil(payload)
    assert spoilt != payload
    with pytest.raises(InvalidInput, match=code):
        analyses.publish(
            world.exchange.means, world.caller(), sign_compact(spoilt, "analysis", world.keys["oja#client-1"])
        )


@ONE_DATABASE
def test_two_tables_of_one_name_are_refused(world: World) -> None:
    with pytest.raises(InvalidInput, match=r"report\.tables"):
        publish_analysis(world, analysis_from(cites(released(world)), tables=(TABLE, TABLE)))


@ONE_DATABASE
def test_what_is_too_large_is_refused_before_it_is_read(world: World) -> None:
    document = sign_compact(b"x" * (MOST_PUBLISHED_BYTES + 1), "analysis", world.keys["oja#client-1"])
    with pytest.raises(Refused, match="publication-too-large") as caught:
        analyses.publish(world.exchange.means, world.caller(), document)
    assert caught.value.details["limit"] == str(MOST_PUBLISHED_BYTES)


# ---------------------------------------------------------------- who reads it
@ONE_DATABASE
def test_what_is_for_everybody_cites_public_releases_alone(private: World) -> None:
    cited = of_private(private)
    with pytest.raises(Refused, match="cited-release-not-public"):
        publish_analysis(private, analysis_from(cited))
    with pytest.raises(Refused, match="cited-release-not-public"):
        publish_forecast(private, forecast_of(cited))


def test_a_private_analysis_is_read_by_those_who_may_read_all_that_it_cites(private: World) -> None:
    first = of_private(private)
    publish_analysis(private, analysis_from(first, public=False))
    means, name = private.exchange.means, "analysis-0001"
    for member in (private.caller("oja"), private.connector("ccib")):
        assert latest(private, member).analysis.id == name
        assert analyses.one(means, member, name).analysis.id == name
        assert analyses.document_of(means, member, name)
        assert [each.id for each in analyses.all_analyses(means, member)] == [name]
    strangers: tuple[Caller | None, ...] = (private.caller("rtp"), None)
    for reader in strangers:
        assert analyses.all_analyses(means, reader) == ()
        with pytest.raises(Unavailable, match="nothing-published"):
            latest(private, reader)
        with pytest.raises(InvalidInput, match="unknown-publication"):
            analyses.one(means, reader, name)
        with pytest.raises(InvalidInput, match="unknown-publication"):
            analyses.document_of(means, reader, name)


def test_one_cited_release_that_a_reader_may_not_read_hides_the_whole(private: World) -> None:
    rtp = factories.contract(id="crimes_case", agency="rtp")
    other = factories.agreement((rtp,), id="AGR-2569-007", activities=(factories.activity((rtp,), publish=False),))
    private.register((rtp,), other)
    private.submit(factories.request(other, id="REQ-0009"))
    private.answer(rtp)
    private.later()
    name = str(private.exchange.status(private.caller(), "REQ-0009").release)
    second = cites(private.exchange.release(private.caller(), name))
    publish_analysis(private, analysis_from(of_private(private), second, public=False))

    assert latest(private, private.caller()).analysis.citations[1] == second
    for agency in ("ccib", "rtp"):  # each gave one of the two
        with pytest.raises(Unavailable, match="nothing-published"):
            latest(private, private.connector(agency))


# ---------------------------------------------------------------- lists, kinds, instants
def test_each_kind_has_its_latest_and_the_list_tells_them_apart(world: World) -> None:
    cited = cites(released(world))
    with pytest.raises(Unavailable, match="nothing-published"):
        latest(world)
    publish_analysis(world, analysis_from(cited, name="warn-1"))
    publish_analysis(world, analysis_from(cited, name="clock-1", kind=AnalysisKind.CLOCK))
    publish_analysis(world, analysis_from(cited, name="warn-2", title=factories.text("Later")))

    means = world.exchange.means
    assert latest(world).analysis.id == "warn-2"  # of two at one instant, the one that came later
    assert analyses.latest(means, None, AnalysisKind.CLOCK).analysis.id == "clock-1"
    assert [each.id for each in analyses.all_analyses(means, None)] == ["warn-2", "clock-1", "warn-1"]
    (clock,) = analyses.all_analyses(means, None, AnalysisKind.CLOCK)
    assert (clock.tables, clock.releases, clock.first, clock.last) == (
        ("provinces",),
        (cited.release,),
        "2025-10",
        "2025-12",
    )


def test_an_instant_gives_what_stood_then_and_says_what_has_been_withdrawn_since(world: World) -> None:
    release = released(world)
    before = world.now - timedelta(microseconds=1)
    publish_analysis(world, analysis_from(cites(release)))
    publish_forecast(world, forecast_of(cites(release)))
    published = world.now
    world.later(60)
    withdraw(world, release)
    gone, name, means = world.now, release.body.id, world.exchange.means
    world.later(60)

    assert (latest(world).flagged, latest(world).flagged_since) == ((name,), ())
    then = forecasts.latest(means, published)
    assert (then.flagged, then.flagged_since) == ((), (name,))
    assert forecasts.latest(means, gone).flagged == (name,)
    (line,) = forecasts.all_forecasts(means, published)
    assert (line.flagged, line.flagged_since) == ((), (name,))
    (line,) = forecasts.all_forecasts(means)
    assert (line.flagged, line.flagged_since, line.releases) == ((name,), (), (name,))
    with pytest.raises(Unavailable, match="nothing-published"):
        forecasts.latest(means, before)
    assert forecasts.all_forecasts(means, before) == ()
    for one in (forecasts.one, lambda *call: analyses.one(call[0], None, *call[1:])):
        with pytest.raises(InvalidInput, match="unknown-publication"):
            one(means, "forecast-0001", before)


@ONE_DATABASE
def test_an_instant_to_come_is_refused(world: World) -> None:
    with pytest.raises(InvalidInput, match="as_of"):
        forecasts.latest(world.exchange.means, world.now + timedelta(seconds=1))


def test_the_forecast_of_an_instant_is_the_one_that_was_newest_then(world: World) -> None:
    cited, instants = cites(released(world)), []
    for number in (1, 2):
        world.later()
        publish_forecast(world, forecast_of(cited, name=f"forecast-{number}", created=NOW + timedelta(days=number)))
        instants.append(world.now)
    means = world.exchange.means
    assert [forecasts.latest(means, at).forecast.id for at in instants] == ["forecast-1", "forecast-2"]
    assert [each.id for each in forecasts.all_forecasts(means)] == ["forecast-2", "forecast-1"]
    assert forecasts.one(means, "forecast-1").forecast.id == "forecast-1"
    with pytest.raises(InvalidInput, match="unknown-publication"):
        forecasts.document_of(means, "forecast-3")


def test_a_superseded_release_flags_what_cites_it(world: World) -> None:
    release = released(world)
    publish_analysis(world, analysis_from(cites(release)))
    better = released(world, id="REQ-0002", nano_rho=60_000_000)
    world.exchange.withdraw(
        world.caller(),
        Withdrawal(
            release=release.body.id,
            state=ReleaseState.SUPERSEDED,
            reason="a better one",
            replaced_by=better.body.id,
        ),
    )
    assert latest(world).flagged == (release.body.id,)
