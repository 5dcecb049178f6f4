"""The names that travel on the wire, each with the one form it may take."""

from typing import Annotated, Final

from pydantic import AfterValidator, Field, StringConstraints

AgencyId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,31}$")]
"""An agency, in lower case: ``ccib``, ``rtp``, ``dop``, ``oja``."""

DatasetId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,63}$")]
"""A dataset contract's identifier: ``tpo_complaint``."""

SourceId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,31}/[a-z][a-z0-9_]{1,63}$")]
"""A physical source, ``agency/source``: the key of the budget ledger. No rename changes it."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
"""A dimension or a column."""

MeasureName = Annotated[
    str,
    StringConstraints(
        pattern=r"^(count|people|[a-z][a-z0-9_]{0,63}:"
        r"(sum|mean|histogram|median|p10|p25|p75|p90|share|per:[a-z][a-z0-9_]{0,63}))$"
    ),
]
"""A measure, such as ``count`` or ``damage_thb:sum``; see ``contracts.measures``."""

Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:+-]{0,63}$")]
"""A value of a code list, or a label of a public key set."""

Version = Annotated[str, StringConstraints(pattern=r"^\d{1,4}\.\d{1,4}\.\d{1,4}$")]

Digest = Annotated[str, StringConstraints(pattern=r"^sha-256:[0-9a-f]{64}$")]
"""SHA-256 of canonical bytes, in hexadecimal."""

Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{3,63}$")]
"""An agreement, an activity, a request, a task or a release."""

KeyId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,31}#[a-z]{2,16}-\d{1,6}$")]
"""A key: owner, purpose and running number, ``ccib#steward-1``."""

LARGEST_NANO_RHO: Final = 2**53 - 1
"""The largest price or budget that may be written: beyond it no number has a canonical form."""

NanoRho = Annotated[int, Field(strict=True)]
"""zCDP rho in units of 1e-9: a whole number that is written as one, neither a text nor a truth value nor a float."""

SMALLEST_DELTA, LARGEST_DELTA = 1e-15, 1e-4
"""A larger delta would let the epsilon that is shown look small at the cost of real people."""


def _meaningful(delta: str) -> str:
    if not SMALLEST_DELTA <= float(delta) <= LARGEST_DELTA:
        raise ValueError("delta is neither 0 nor large")
    return delta


Delta = Annotated[str, StringConstraints(pattern=r"^0?\.\d{1,15}$|^1e-\d{1,2}$"), AfterValidator(_meaningful)]
"""The decimal string at which an epsilon is shown."""
