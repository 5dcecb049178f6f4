"""Every case of the policies as data: what is asked or done, and which rules say no. Tests and the page read it.

A case differs from one that is fine by as little as it can, so that one rule alone decides it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from contracts.agreement import Activity, Agreement, Approval, Every, PolicyDecision, Schedule
from contracts.dataset import DatasetContract, Tier
from contracts.federation import KeyPurpose
from contracts.lifecycle import Act, AgreementState
from contracts.query import Family, FamilyTable
from contracts.standing import Standing
from contracts.suspension import Suspended
from policies.acts import denied_act
from policies.decide import Denial, Permit, decide
from policies.rules import Rules
from tests import factories as make

DECISION = PolicyDecision(
    number="12/2569", decided_on=date(2026, 1, 5), digest=f"sha-256:{'d' * 64}", body=make.text("the commission")
)
LEAVES = FamilyTable(by=("month", "province"))
FAMILY = Family(tables=(FamilyTable(by=()), LEAVES))
HEAVIER = Family(tables=(FamilyTable(by=(), weight=2), LEAVES))
FIRST = datetime(2025, 9, 30, 17, 0, tzinfo=UTC)
"""The first instant of the default agreement: midnight in Bangkok of 1 October 2025."""

END = datetime(2026, 9, 30, 17, 0, tzinfo=UTC)
"""The first instant after it."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A question that is fine but for what stands here, and the rules that refuse it."""

    title: str
    reasons: tuple[str, ...] = ()
    request: dict[str, object] = field(default_factory=dict)
    activity: dict[str, object] = field(default_factory=dict)
    contract: dict[str, object] = field(default_factory=dict)
    also: dict[str, object] | None = None
    """A second contract of another agency, with these changes."""

    agreed: dict[str, object] | None = None
    """The contract that was agreed, when another one is asked."""

    standing: Standing = field(default_factory=Standing)
    asking_agency: str = "oja"
    now: datetime = make.NOW

    def decide(self, rules: Rules | None = None) -> Permit | Denial:
        """The decision."""
        contracts = self._contracts()
        agreed = contracts if self.agreed is None else [make.contract(**self.agreed)]
        activity: Activity = make.activity(agreed, **self.activity)
        agreement = make.agreement(agreed, activities=(activity,))
        return decide(
            make.request(agreement, **self.request),
            agreement,
            standing=self.standing,
            contracts=contracts,
            asking_agency=self.asking_agency,
            now=self.now,
            rules=rules,
        )

    def _contracts(self) -> Sequence[DatasetContract]:
        first = make.contract(**self.contract)
        second = [] if self.also is None else [make.contract(id="crimes_case", agency="rtp", **self.also)]
        return [first, *second]


@dataclass(frozen=True, slots=True)
class Deed:
    """An act on an agreement of oja with ccib that is fine but for what stands here, and the rules that refuse it."""

    title: str
    act: Act
    kid: str
    reasons: tuple[str, ...] = ()
    state: AgreementState = AgreementState.UNDER_REVIEW
    drafters: frozenset[str] = frozenset()
    suspended: Suspended = field(default_factory=Suspended)
    activity: dict[str, object] = field(default_factory=dict)

    def decide(self, rules: Rules | None = None) -> tuple[str, ...]:
        """The rules that say no."""
        contract = make.contract()
        agreement: Agreement = make.agreement([contract], activities=(make.activity([contract], **self.activity),))
        agency, _, kind = self.kid.partition("#")
        return denied_act(
            act=self.act,
            agency=agency,
            kid=self.kid,
            purpose=KeyPurpose(kind.split("-")[0]),
            agreement=agreement,
            state=self.state,
            drafters=self.drafters,
            suspended=self.suspended,
            rules=rules,
        )


def _asks(build: Callable[..., Ask] = Ask) -> tuple[Ask, ...]:
    spent = Standing(nano_rho_spent=50_000_000)
    daily = {"schedule": Schedule(every=Every.DAY, requests=2)}
    return (
        build("A request within its activity"),
        build("A request at the first instant of the agreement", now=FIRST),
        build("A request in the last second of the agreement", now=END - timedelta(seconds=1)),
        build("A request before the agreement begins", ("agreement-expired",), now=FIRST - timedelta(seconds=1)),
        build("A request at the instant at which the agreement ends", ("agreement-expired",), now=END),
        *(
            build(
                f"A request under an agreement that is {state.value.replace('_', ' ')}",
                ("agreement-not-active",),
                standing=Standing(agreement=state),
            )
            for state in AgreementState
            if state is not AgreementState.ACTIVE
        ),
        build("Another agency asks in the requester's name", ("requester-not-party",), asking_agency="rtp"),
        build(
            "Another agency asks in its own name under an agreement that is not its own",
            ("requester-not-party",),
            asking_agency="rtp",
            request={"requester": "rtp"},
        ),
        build(
            "The requester asks in another agency's name",
            ("requester-not-party",),
            request={"requester": "rtp"},
        ),
        build(
            "The requester is suspended",
            ("agency-suspended",),
            standing=Standing(suspended=Suspended(agencies=frozenset({"oja"}))),
        ),
        build(
            "The agency that holds the data is suspended",
            ("agency-suspended",),
            standing=Standing(suspended=Suspended(agencies=frozenset({"ccib"}))),
        ),
        build(
            "The dataset is suspended",
            ("dataset-suspended",),
            standing=Standing(suspended=Suspended(datasets=frozenset({("ccib", "tpo_complaint")}))),
        ),
        build(
            "Another agency and another dataset are suspended",
            standing=Standing(
                suspended=Suspended(agencies=frozenset({"rtp"}), datasets=frozenset({("ccib", "another")}))
            ),
        ),
        build(
            "The contract was taken back by its agency",
            ("contract-retired",),
            standing=Standing(retired=frozenset({make.contract().digest})),
        ),
        build(
            "Another version of the contract was taken back",
            standing=Standing(retired=frozenset({make.contract(version="0.9.0").digest})),
        ),
        build(
            "A purpose that the contract knows and the activity does not",
            ("purpose-not-agreed",),
            contract={"purposes": ("crime-prevention", "marketing")},
            request={"purpose": "marketing"},
        ),
        build(
            "A purpose that the contract does not serve",
            ("purpose-not-in-contract",),
            contract={"purposes": ("other",)},
        ),
        build(
            "A legal basis that is not the controller's",
            ("legal-basis-not-agreed",),
            contract={"legal_basis": ("pdpa-26",)},
        ),
        build(
            "Two legal bases, of which the contract has one",
            ("legal-basis-not-agreed",),
            activity={"legal_basis": ("pdpa-24-4", "pdpa-24-5")},
        ),
        build("Another version of the contract than was agreed", ("contract-not-agreed",), agreed={"version": "0.9.0"}),
        build(
            "A measure that the activity does not name",
            ("measure-not-agreed",),
            activity={"measures": ("damage_thb:sum",)},
        ),
        build(
            "A dimension that the activity does not name",
            ("dimension-not-agreed",),
            activity={"dimensions": ("month",)},
        ),
        build(
            "A filter on a dimension that the activity does not name",
            ("dimension-not-agreed",),
            activity={"dimensions": ("month", "province")},
            request={"query": make.query(where={"case_type": ("romance_scam",)})},
        ),
        build(
            "A family of tables that the activity names",
            activity={"families": (FAMILY,)},
            request={"query": make.query(family=FAMILY)},
        ),
        build(
            "A family of tables under an activity that names none",
            ("family-not-agreed",),
            request={"query": make.query(family=FAMILY)},
        ),
        build(
            "A family of tables with other weights than the activity's",
            ("family-not-agreed",),
            activity={"families": (FAMILY,)},
            request={"query": make.query(family=HEAVIER)},
        ),
        build("A price at the activity's limit", request={"nano_rho": 100_000_000}),
        build("A price above the activity's limit", ("price-above-activity",), request={"nano_rho": 100_000_001}),
        build(
            "A price that fills what the activity may charge in all",
            activity={"nano_rho_in_all": 100_000_000},
            standing=spent,
        ),
        build(
            "A price beyond what the activity may charge in all",
            ("activity-budget-exceeded",),
            activity={"nano_rho_in_all": 99_999_999},
            standing=spent,
        ),
        build("The last question that the schedule allows", activity=daily, standing=Standing(asked_in_span=1)),
        build(
            "One question more than the schedule allows",
            ("schedule-exceeded",),
            activity=daily,
            standing=Standing(asked_in_span=2),
        ),
        build("Approval of each request, as the gateway sees it", activity={"approval": Approval.EACH}),
        build(
            "Approval of each request, at the agency, approved",
            activity={"approval": Approval.EACH},
            standing=Standing(at_agency=True, officer_approved=True),
        ),
        build(
            "Approval of each request, at the agency, not approved",
            ("officer-approval-missing",),
            activity={"approval": Approval.EACH},
            standing=Standing(at_agency=True),
        ),
        build("Standing approval, at the agency", standing=Standing(at_agency=True)),
        build("A tier that the contract does not offer", ("tier-not-offered",), contract={"tiers": (Tier.FEED,)}),
        *(
            build(
                f"The tier {tier.value}, offered and agreed, without machinery",
                ("tier-not-available",),
                contract={"tiers": (tier,)},
                activity={"tier": tier, "policy_decision": DECISION},
            )
            for tier in (Tier.MICRODATA, Tier.FEED, Tier.LOOKUP)
        ),
        build(
            "De-identified rows without a policy decision",
            ("policy-decision-missing", "tier-not-available"),
            contract={"tiers": (Tier.MICRODATA,)},
            activity={"tier": Tier.MICRODATA},
        ),
        build(
            "A cohort followed through agencies, without a policy decision",
            ("policy-decision-missing",),
            activity={"linked": True},
        ),
        build(
            "A cohort followed through agencies, with its policy decision",
            activity={"linked": True, "policy_decision": DECISION},
        ),
        build("Two contracts that both allow it", also={}),
        build(
            "Two contracts of which one says no",
            ("purpose-not-in-contract",),
            also={"purposes": ("other",)},
        ),
        build(
            "Two contracts of which the second's agency is suspended",
            ("agency-suspended",),
            also={},
            standing=Standing(suspended=Suspended(agencies=frozenset({"rtp"}))),
        ),
        build(
            "Everything at once: every rule that says no is named",
            ("agreement-not-active", "price-above-activity", "purpose-not-agreed", "purpose-not-in-contract"),
            request={"purpose": "marketing", "nano_rho": 10**9},
            standing=Standing(agreement=AgreementState.SUBMITTED),
        ),
    )


ASKS = _asks()
_OFFICER, _SECOND, _DPO = "oja#officer-1", "oja#officer-2", "ccib#dpo-1"
_HOLDER, _GATEWAY = "ccib#officer-1", "oja#gateway-1"
_UNDECIDED: tuple[tuple[str, dict[str, object]], ...] = (
    ("linked", {"linked": True}),
    ("microdata", {"tier": Tier.MICRODATA}),
)
_STOPPED = Suspended(agencies=frozenset({"oja", "ccib"}))
_ENDED = ("rejected", "withdrawn", "revoked", "superseded", "expired")


def _allowed_deeds() -> tuple[Deed, ...]:
    by_requester = ((Act.DRAFT, _OFFICER), (Act.SUBMIT, _OFFICER), (Act.WITHDRAW, _OFFICER), (Act.ACCEPT, _SECOND))
    by_holder = (Act.REVIEW, Act.COUNTER, Act.APPROVE, Act.REJECT, Act.SIGN)
    by_any = (Act.SUSPEND, Act.RESUME, Act.REVOKE)
    return (
        *(Deed(f"The requester's officer: {act.value}", act, kid) for act, kid in by_requester),
        Deed("The requester's second officer signs", Act.SIGN, _SECOND),
        *(Deed(f"The holder's officer: {act.value}", act, _HOLDER) for act in by_holder),
        *(Deed(f"The holder's data protection officer: {act.value}", act, _DPO) for act in by_holder),
        *(Deed(f"Any party: {act.value}", act, kid) for act in by_any for kid in (_OFFICER, _DPO)),
        *(Deed(f"The gateway: {act.value}", act, _GATEWAY) for act in (Act.ACTIVATE, Act.SUPERSEDE)),
        *(
            Deed(f"A suspended agency only lessens: {act.value}", act, kid, suspended=_STOPPED)
            for act, kid in ((Act.SUSPEND, _DPO), (Act.REVOKE, _HOLDER), (Act.REJECT, _DPO), (Act.WITHDRAW, _OFFICER))
        ),
        Deed(
            "The gateway activates an agreement whose linked activity cites its policy decision",
            Act.ACTIVATE,
            _GATEWAY,
            activity={"linked": True, "policy_decision": DECISION},
        ),
    )


def _refused_deeds() -> tuple[Deed, ...]:
    deciding = (Act.REVIEW, Act.COUNTER, Act.APPROVE, Act.REJECT)
    return (
        *(
            Deed(f"The requester decides on its own proposal: {act.value}", act, _SECOND, ("requester-never-approves",))
            for act in deciding
        ),
        *(Deed(f"The drafter: {act.value}", act, _OFFICER, ("approves-own-draft",)) for act in (Act.ACCEPT, Act.SIGN)),
        Deed(
            "The holder's officer approves what he countered himself",
            Act.APPROVE,
            _HOLDER,
            ("approves-own-draft",),
            drafters=frozenset({_HOLDER}),
        ),
        Deed("The holder submits the requester's draft", Act.SUBMIT, _HOLDER, ("not-allowed",)),
        Deed("The holder withdraws the requester's proposal", Act.WITHDRAW, _HOLDER, ("not-allowed",)),
        Deed("An officer puts an agreement into force", Act.ACTIVATE, _HOLDER, ("not-allowed",)),
        Deed("The requester's data protection officer signs for its officer", Act.SIGN, "oja#dpo-1", ("not-allowed",)),
        *(Deed(f"A stranger: {act.value}", act, "rtp#officer-1", ("not-a-party",)) for act in (Act.SIGN, Act.REVOKE)),
        *(
            Deed(f"A {kind} key revokes", Act.REVOKE, f"oja#{kind}-1", ("key-never-acts",))
            for kind in ("client", "connector", "steward", "gateway", "token", "log")
        ),
        *(
            Deed(f"A suspended agency: {act.value}", act, kid, ("agency-suspended",), suspended=_STOPPED)
            for act, kid in (
                *((each, _SECOND) for each in (Act.SUBMIT, Act.SIGN)),
                (Act.APPROVE, _DPO),
                (Act.RESUME, _DPO),
            )
        ),
        *(
            Deed(
                f"An agreement that is {state} is revoked",
                Act.REVOKE,
                _HOLDER,
                ("agreement-ended",),
                state=AgreementState(state),
            )
            for state in _ENDED
        ),
        *(
            Deed(
                f"The gateway activates an agreement whose {what} activity cites no policy decision",
                Act.ACTIVATE,
                _GATEWAY,
                ("policy-decision-missing",),
                activity=changes,
            )
            for what, changes in _UNDECIDED
        ),
    )


DEEDS = (*_allowed_deeds(), *_refused_deeds())
