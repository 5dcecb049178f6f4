"""The names that travel on the wire, each with the one form it may take."""

from typing import Annotated

from pydantic import StringConstraints

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

NanoRho = Annotated[int, "zCDP rho in units of 1e-9"]
