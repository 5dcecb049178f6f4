"""A standing series: one question about disjoint months, which is one joint mechanism in each fiscal year.

A series is known by its key: the question without its period, its price, its datasets, and all that decides which rows
of a person count and how far they move a cell. In each window (source, fiscal year) the first request that reaches it
pays the price; requests for further months there pay nothing.

**Claim.** All answers of one series in one window together are rho-zCDP for one person of that window, rho being the
price paid there, however the months, their order and the times of asking were chosen, and whatever the agency did to
its tables meanwhile.

**What holds by construction.** (1) No month is asked twice in a series, so no two answers share a cell (a month; for
the counter, a node of the tree, which is answered only by the months that complete it). (2) The snapshot gives ranks,
numbers of cells and places once and never again, so under one unit at most ``most_rows`` rows of a person in a window
can ever be kept, over all snapshots together. It remembers the day as which it first kept each; an answer of a series
counts a row only if its day is still of that month (for the counter: that very day). So each such row is counted in one
month only, and over all answers a person has at most ``most_rows`` counted rows. Both hold while the memory only grows:
each answer is counted by a snapshot that was made from the one that the answer before was counted by, which a random
token of each version proves; a backup that was restored and refreshed has other tokens, and ends the series.
(3) Each answer reads one snapshot, so a cell holds no more of a person's rows than the snapshot allows. (4) Every
answer of the series has noise of one scale or more, ``sigma^2 = D^2 / (2 rho)`` for each vector's share of the price,
where ``D^2`` is ``privacy.sensitivity``: the largest sum of squares of whole numbers, each at most ``cell``, that add
up to at most ``most_rows`` (times the levels of the tree for the counter, as each row lies in one node of each level).

**Proof.** Let two histories of the tables differ by one person's rows, and let ``d_i`` be the difference of the exact
answers ``i = 1, 2, ...``, given the same noisy answers before. By (1), (2) and (3) the coordinates of all ``d_i``
together are such whole numbers, so ``sum |d_i|^2 <= D^2`` on every path of the dialogue, although each ``d_i`` may
depend on what was answered before. Let ``L_i`` be the loss of answer ``i``. For every order ``a > 1`` the discrete
Gaussian gives ``E[exp((a-1) L_i) | past] <= exp((a-1) a |d_i|^2 / (2 sigma^2))`` (Canonne, Kamath, Steinke 2020,
proposition 5). Hence ``exp((a-1) sum L_i - (a-1) a sum |d_i|^2 / (2 sigma^2))`` is a supermartingale that begins at 1,
and as ``sum |d_i|^2 <= D^2`` surely, ``E[exp((a-1) sum L_i)] <= exp((a-1) a rho)``: that is rho-zCDP (Bun, Steinke
2016; the argument is the privacy filter of Feldman and Zrnic 2021, theorem 3.1). Parallel composition alone would not
do: the months of one person are not different people, and what is asked next may depend on what was answered.

**Several windows in a cell.** A cell that pools ``w`` windows moves by at most the sum of what each window moves it by,
whose square is at most ``w`` times the sum of their squares; its noise is widened by ``w`` (``privacy.sensitivity``).
So the square that each window adds to its own sum is again what the person moved there, and the claim holds for each.

**Several datasets** answered with the gateway's noise: the ``d_i`` are sums ``a_i + b_i``, and by Minkowski's
inequality ``sum |a_i + b_i|^2 <= (A + B)^2``, which is what the noise is made for.

A new bound, shape or clamp makes a new key: answers with noise for three rows and others with noise for five would not
add up to one price. So does another dataset over the same source: its snapshot remembers other rows.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from contracts.agreement import Activity, Approval
from contracts.canonical import digest_of
from contracts.dataset import ContractRef, DatasetContract
from contracts.periods import window_of
from contracts.query import Query
from contracts.question_form import question_form

WITHOUT: Final = frozenset({"period"})
"""What may differ between two questions of one series."""


def series_key(
    query: Query,
    contracts: Sequence[DatasetContract],
    nano_rho: int,
    *,
    datasets: Sequence[ContractRef],
    apart: Mapping[str, str],
) -> str:
    """The key of a question's series; two questions with one key share the price of a window.

    The gateway knows all contracts of a question, a connector only its own: each has keys of its own. The question
    counts by its canonical form: other words for it have the same figures and the same noise.

    Args:
        query: One of a series.
        contracts: Those of its contracts that are known here.
        nano_rho: Its price in each window.
        datasets: All contracts that it is put to.
        apart: What keeps the series from all others; see ``approved_apart``.
    """
    form = question_form(query, contracts)
    return digest_of(
        {
            "query": {name: value for name, value in form.items() if name not in WITHOUT},
            "nano_rho": nano_rho,
            "datasets": sorted(ref.id for ref in datasets),
            "terms": sorted(_bounding_terms(each) for each in contracts),
            "apart": dict(apart),
        }
    )


def approved_apart(agreement_digest: str, activity: Activity) -> dict[str, str]:
    """What keeps an activity apart whose requests an officer approves each: its agreement's text and itself."""
    if activity.approval is Approval.STANDING:
        return {}
    return {"agreement": agreement_digest, "activity": activity.id, "approval": activity.approval.value}


def window_of_month(month: str) -> str:
    """The window of a month, ``YYYY-MM``."""
    return window_of(date.fromisoformat(f"{month}-01"))


def _bounding_terms(contract: DatasetContract) -> str:
    """All of a contract that decides which rows of a person count, where, and how far each moves a cell."""
    return digest_of(
        {
            "id": contract.id,
            "source": contract.source,
            "table": contract.table,
            "row_key": contract.row_key,
            "event_time": contract.event_time,
            "unit": contract.unit.model_dump(mode="json"),
            "protect_at": contract.privacy.protect_at.value,
            "disjoint_from": sorted(contract.disjoint_from),
            "dimensions": [each.model_dump(mode="json", exclude={"title"}) for each in contract.dimensions],
            "measures": [each.model_dump(mode="json", exclude={"title", "kinds"}) for each in contract.measure_columns],
        }
    )
