"""Putting a question into words: from an agreement's activity to a request that can be signed."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from pydantic import ValidationError

from contracts.agreement import Activity
from contracts.dataset import ContractRef
from contracts.errors import InvalidInput
from contracts.periods import Period, check_common_era
from contracts.query import Mechanism, Query
from contracts.request import Request
from contracts.views import AgreementView, PreviewCall

DELIVERY: Final = timedelta(days=1)


def query_of(  # noqa: PLR0913  # the parts of a question
    measures: Sequence[str],
    by: Sequence[str],
    period: tuple[str, str],
    where: Mapping[str, Sequence[str]],
    *,
    revision: int | None = None,
    counter: bool = False,
    mechanism: Mechanism = Mechanism.GAUSSIAN,
) -> Query:
    """A query from words as people give them.

    Args:
        measures: ``count``, ``<column>:sum``, ``<column>:median``; all of them stand in ``contracts.measures``.
        by: The dimensions of the answer, in their order.
        period: First day, and the day after the last: ``("2025-10-01", "2026-01-01")``.
        where: Only these codes of a dimension.
        revision: Of a standing series, 0 for figures as they first closed; none for a question that stands alone.
        counter: A daily counter; it is a standing series.
        mechanism: The law of the noise; Laplace is for one measure that is asked once.

    Raises:
        InvalidInput: ``malformed-body``, naming the part that has the wrong form; ``period-unclear``,
            ``year-of-buddhist-era``.
    """
    span = _span(*period)
    filters = {name: tuple(codes) for name, codes in where.items()}
    asked: dict[str, object] = {
        "measures": tuple(measures),
        "dimensions": tuple(by),
        "where": filters,
        "period": span,
        "mechanism": mechanism,
    }
    if revision is not None or counter:
        asked |= {"series": {"revision": revision or 0}, "counter": counter}
    try:
        return Query.model_validate(asked)
    except ValidationError as error:
        place = error.errors()[0]["loc"]
        form = "mechanism" if mechanism is Mechanism.LAPLACE else "counter"
        raise InvalidInput("malformed-body", where=str(place[0]) if place else form) from error


def _span(start: str, until: str) -> Period:
    try:
        days = [date.fromisoformat(day) for day in (start, until)]
        for day in days:
            check_common_era(day)
        return Period.model_validate({"from": days[0], "until": days[1]})
    except ValueError as error:
        raise InvalidInput("period-unclear", start=_printable(start), until=_printable(until)) from error


def _printable(given: str) -> str:
    """What was given, without what would steer the terminal that it is printed on."""
    return "".join(filter(str.isprintable, given))


def call_of(
    view: AgreementView, activity: str, query: Query, contracts: Sequence[str], nano_rho: int | None
) -> PreviewCall:
    """A question under an activity, to the datasets named, or to all of the activity when none is.

    Raises:
        InvalidInput: ``unknown-activity``, ``unknown-contract`` or ``price-not-positive``.
    """
    if nano_rho is not None and nano_rho <= 0:
        raise InvalidInput("price-not-positive")
    found = activity_of(view, activity)
    return PreviewCall(
        agreement=view.agreement.id,
        activity=activity,
        contracts=_chosen(found.contracts, contracts),
        query=query,
        nano_rho=nano_rho,
    )


def request_of(name: str, gateway: str, call: PreviewCall, view: AgreementView, now: datetime) -> Request:
    """The request that asks the question: under the agreement's present text, to be answered within a day.

    Args:
        name: A fresh identifier.
        gateway: The issuer that it is meant for.
        call: The question.
        view: Its agreement.
        now: The instant of asking.
    """
    activity = activity_of(view, call.activity)
    return Request(
        id=name,
        gateway=gateway,
        requester=view.agreement.requester,
        agreement=call.agreement,
        agreement_digest=view.digest,
        activity=call.activity,
        purpose=activity.purpose,
        contracts=call.contracts,
        query=call.query,
        nano_rho=activity.nano_rho_per_request if call.nano_rho is None else call.nano_rho,
        created=now,
        deliver_until=now + DELIVERY,
    )


def activity_of(view: AgreementView, name: str) -> Activity:
    """An activity of an agreement.

    Raises:
        InvalidInput: ``unknown-activity``.
    """
    found = view.agreement.activity(name)
    if found is None:
        raise InvalidInput("unknown-activity", agreement=view.agreement.id, activity=name)
    return found


def _chosen(offered: Sequence[ContractRef], wanted: Sequence[str]) -> tuple[ContractRef, ...]:
    by_name = {ref.id: ref for ref in offered}
    unknown = [name for name in wanted if name not in by_name]
    if unknown:
        raise InvalidInput("unknown-contract", contract=unknown[0])
    return tuple(by_name[name] for name in wanted) or tuple(offered)
