"""The retirement of a contract: its agency takes it back for good, under the same two signatures that published it."""

from pydantic import AwareDatetime, Field

from contracts.dataset import ContractRef
from contracts.identifiers import AgencyId
from contracts.values import Value

RETIREMENT_KIND = "contract-retirement"


class ContractRetirement(Value):
    """What steward and DPO of the owner sign (document kind ``contract-retirement``).

    Nothing new is asked under the contract of that digest. What was released stays, and what was spent stays spent:
    the budget belongs to the physical source, not to the contract.
    """

    reference: ContractRef
    agency: AgencyId
    reason: str = Field(min_length=1, max_length=1000)
    at: AwareDatetime


class RetiredContract(Value):
    """A retirement as members see it: when it came to stand, and the document that says so."""

    retirement: ContractRetirement
    document: str
    retired_at: AwareDatetime
