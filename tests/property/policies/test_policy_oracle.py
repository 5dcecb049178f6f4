"""Cedar against plain Python: the same verdict and the same reasons on whatever Hypothesis thinks of."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.agreement import Activity, Agreement, Approval, Every, Schedule
from contracts.dataset import DatasetContract, Tier
from contracts.federation import KeyPurpose
from contracts.lifecycle import Act, AgreementState
from contracts.query import Family, FamilyTable
from contracts.request import Request
from contracts.standing import Standing
from contracts.suspension import Suspended
from policies.acts import denied_act
from policies.decide import Denial, decide
from tests import factories as make
from tests.policy_cases import DECISION, END, FIRST

pytestmark = pytest.mark.property

AGENCIES = ("oja", "ccib", "rtp")
SUSPENDED = st.builds(
    Suspended,
    agencies=st.frozensets(st.sampled_from(AGENCIES), max_size=1),
    datasets=st.frozensets(st.tuples(st.sampled_from(AGENCIES), st.just("tpo_complaint")), max_size=1),
)
NAMES = st.lists(st.sampled_from(("month", "province", "case_type", "hour")), min_size=1, max_size=3, unique=True)
MEASURES = st.lists(st.sampled_from(("count", "damage_thb:sum", "damage_thb:mean")), min_size=1, unique=True)
PURPOSES = st.sampled_from(("crime-prevention", "marketing"))
BASES = st.lists(st.sampled_from(("pdpa-24-4", "pdpa-26")), min_size=1, unique=True)


def oracle(request: Request, agreed: Agreement, contract: DatasetContract, standing: Standing, asker: str) -> set[str]:
    """What the rules mean, in plain Python. The instant is fixed by the test."""
    may, asked, suspended = agreed.activities[0], request.query, standing.suspended
    in_all, schedule = may.nano_rho_in_all, may.schedule
    return {
        reason
        for reason, refuses in {
            "requester-not-party": asker != agreed.requester or asker != request.requester,
            "agreement-not-active": standing.agreement is not AgreementState.ACTIVE,
            "agency-suspended": bool({asker, contract.agency} & suspended.agencies),
            "dataset-suspended": (contract.agency, contract.id) in suspended.datasets
            and contract.agency not in suspended.agencies,
            "contract-retired": contract.digest in standing.retired,
            "purpose-not-agreed": request.purpose != may.purpose,
            "purpose-not-in-contract": request.purpose not in contract.purposes,
            "legal-basis-not-agreed": not {*may.legal_basis} <= {*contract.legal_basis},
            "contract-not-agreed": contract.digest not in {ref.digest for ref in may.contracts},
            "measure-not-agreed": not {*asked.measures} <= {*may.measures},
            "dimension-not-agreed": not {*asked.dimensions, *asked.where} <= {*may.dimensions},
            "family-not-agreed": asked.family is not None and asked.family not in may.families,
            "price-above-activity": request.nano_rho > may.nano_rho_per_request,
            "activity-budget-exceeded": in_all is not None and standing.nano_rho_spent + request.nano_rho > in_all,
            "schedule-exceeded": schedule is not None and standing.asked_in_span >= schedule.requests,
            "officer-approval-missing": may.approval is Approval.EACH
            and standing.at_agency
            and not standing.officer_approved,
            "tier-not-offered": may.tier not in contract.tiers,
            "tier-not-available": may.tier is not Tier.STATISTICS,
            "policy-decision-missing": (may.linked or may.tier is Tier.MICRODATA) and may.policy_decision is None,
        }.items()
        if refuses
    }


def family(dimensions: tuple[str, ...], weight: int = 1) -> Family:
    """The total beside the table of all dimensions."""
    return Family(tables=(FamilyTable(by=()), FamilyTable(by=dimensions, weight=weight)))


@st.composite
def activities(draw: st.DrawFn, contract: DatasetContract) -> Activity:
    """An activity over that contract, or over another one."""
    covered = draw(st.sampled_from((contract, make.contract(version="9.0.0"))))
    named = tuple(draw(NAMES))
    schedule = st.builds(Schedule, every=st.sampled_from(Every), requests=st.integers(1, 4))
    return make.activity(
        [covered],
        purpose=draw(PURPOSES),
        legal_basis=tuple(draw(BASES)),
        measures=tuple(draw(MEASURES)),
        dimensions=named,
        families=draw(st.sampled_from(((), (family(named),), (family(named, 2), family(named))))),
        tier=draw(st.sampled_from(Tier)),
        nano_rho_per_request=draw(st.integers(1, 10)),
        nano_rho_in_all=draw(st.none() | st.integers(1, 20)),
        schedule=draw(st.none() | schedule),
        approval=draw(st.sampled_from(Approval)),
        linked=draw(st.booleans()),
        policy_decision=draw(st.sampled_from((None, DECISION))),
    )


@st.composite
def standings(draw: st.DrawFn, contract: DatasetContract) -> Standing:
    """Anything that may hold at a moment."""
    return Standing(
        agreement=draw(st.sampled_from((AgreementState.ACTIVE, *AgreementState))),
        suspended=draw(SUSPENDED),
        retired=draw(st.sampled_from((frozenset[str](), frozenset({contract.digest})))),
        asked_in_span=draw(st.integers(0, 5)),
        nano_rho_spent=draw(st.integers(0, 20)),
        officer_approved=draw(st.booleans()),
        at_agency=draw(st.booleans()),
    )


@given(st.data())
def test_cedar_and_plain_python_refuse_the_same_questions_for_the_same_reasons(data: st.DataObject) -> None:
    contract = make.contract(
        purposes=(data.draw(PURPOSES),),
        legal_basis=tuple(data.draw(BASES)),
        tiers=tuple(data.draw(st.lists(st.sampled_from(Tier), min_size=1, unique=True))),
    )
    agreed = make.agreement([contract], activities=(data.draw(activities(contract)),))
    where = {"case_type": ("romance_scam",)} if data.draw(st.booleans()) else {}
    named = tuple(data.draw(NAMES))
    asked = make.query(measures=tuple(data.draw(MEASURES)), dimensions=named, where=where)
    request = make.request(
        agreed,
        asked.model_copy(update={"family": data.draw(st.sampled_from((None, family(named), family(named, 2))))}),
        purpose=data.draw(PURPOSES),
        requester=data.draw(st.sampled_from(AGENCIES)),
        nano_rho=data.draw(st.integers(1, 12)),
    )
    standing, asker = data.draw(standings(contract)), data.draw(st.sampled_from(AGENCIES))

    answer = decide(request, agreed, standing=standing, contracts=[contract], asking_agency=asker, now=make.NOW)

    expected = oracle(request, agreed, contract, standing, asker)
    assert {*answer.reasons} == expected if isinstance(answer, Denial) else not expected


@given(st.integers(-86_400 * 400, 86_400 * 800))
def test_the_period_of_an_agreement_is_half_open_in_bangkok_days(seconds: int) -> None:
    agreed = make.agreement()
    now = FIRST + timedelta(seconds=seconds)

    answer = decide(
        make.request(agreed), agreed, standing=Standing(), contracts=[make.contract()], asking_agency="oja", now=now
    )

    assert isinstance(answer, Denial) == (not FIRST <= now < END)


REQUESTERS = {Act.DRAFT, Act.SUBMIT, Act.WITHDRAW, Act.ACCEPT, Act.SIGN}
HOLDERS = {Act.REVIEW, Act.COUNTER, Act.APPROVE, Act.REJECT, Act.SIGN}
STOPS = {Act.SUSPEND, Act.RESUME, Act.REVOKE}
LESSENS = {Act.SUSPEND, Act.REVOKE, Act.REJECT, Act.WITHDRAW}
BOOK = {Act.ACTIVATE, Act.SUPERSEDE}
PEOPLE = {KeyPurpose.OFFICER, KeyPurpose.DPO}
ENDED = {"rejected", "withdrawn", "revoked", "superseded", "expired"}


def acts_oracle(act: Act, agency: str, kid: str, kind: KeyPurpose, agreed: Agreement) -> set[str]:
    """What the rules about roles mean, in plain Python; what depends on the moment is added by the test."""
    requester, holder = agency == agreed.requester, agency in agreed.providers
    may = (
        (act in REQUESTERS and requester and kind is KeyPurpose.OFFICER)
        or (act in HOLDERS and holder and kind in PEOPLE)
        or (act in STOPS and (requester or holder) and kind in PEOPLE)
        or (act in BOOK and kind is KeyPurpose.GATEWAY)
    )
    keeps_book = kind is KeyPurpose.GATEWAY and act in BOOK
    reasons = {
        "not-a-party": not (kind is KeyPurpose.GATEWAY or requester or holder),
        "key-never-acts": kind not in PEOPLE and not keeps_book,
        "requester-never-approves": requester and act in HOLDERS - {Act.SIGN},
        "policy-decision-missing": act is Act.ACTIVATE and agreed.activities[0].linked,
    }
    said = {reason for reason, refuses in reasons.items() if refuses}
    return said if said or may else {"not-allowed"}


@given(
    st.sampled_from(Act),
    st.sampled_from(AGENCIES),
    st.sampled_from(KeyPurpose),
    st.sampled_from(AgreementState),
    st.frozensets(st.sampled_from(("oja#officer-1", "ccib#officer-2", "ccib#dpo-2"))),
    SUSPENDED,
    st.booleans(),
)
def test_cedar_and_plain_python_refuse_the_same_acts_for_the_same_reasons(  # noqa: PLR0913, PLR0917  # one draw each
    act: Act,
    agency: str,
    kind: KeyPurpose,
    state: AgreementState,
    drafters: frozenset[str],
    suspended: Suspended,
    linked: bool,  # noqa: FBT001  # drawn
) -> None:
    kid = f"{agency}#{kind.value}-2"
    agreed = make.agreement(activities=(make.activity(linked=linked),))

    answer = denied_act(
        act=act,
        agency=agency,
        kid=kid,
        purpose=kind,
        agreement=agreed,
        state=state,
        drafters=drafters,
        suspended=suspended,
    )

    expected = acts_oracle(act, agency, kid, kind, agreed)
    moment = {
        "approves-own-draft": kid in drafters and act in {Act.ACCEPT, Act.APPROVE, Act.SIGN},
        "agency-suspended": agency in suspended.agencies and act not in LESSENS,
        "agreement-ended": state.value in ENDED,
    }
    said = {reason for reason, refuses in moment.items() if refuses}
    assert {*answer} == (expected - {"not-allowed"} if said else expected) | said
