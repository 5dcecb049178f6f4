"""No enforcement loop: what counts arrests may not say where crime is, and so not where to patrol.

Where the police look, they find; a model that learns from what they find sends them there again, whatever happens
elsewhere. Which codes of a dataset count enforcement is written in its contract; this is where that is obeyed.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from contracts.errors import InvalidInput
from contracts.odcs import bundled_text, read_contract

TOLD_BY_VICTIMS: Final = ("crimes_case", "tpo_complaint")
"""Datasets whose rows begin with somebody who reported a harm. Others count what agencies did: never risk."""

VICTIMISATION: Final = ("G1", "G2", "G3")
"""The offence groups that count what befell somebody. G4 counts arrests."""


def refuse_enforcement(use: str, dataset: str, labels: Mapping[str, Sequence[str]]) -> None:
    """Refuse to use enforcement counts for an output that says where crime is or where to act.

    Args:
        use: What the figures are wanted for, such as ``warnings``; it stands in the error.
        dataset: The identifier of the contract of the figures.
        labels: By dimension, the codes whose figures are used. A dimension that is left out is added up over all its
            codes, those that count enforcement too.

    Raises:
        InvalidInput: ``enforcement-is-not-risk``.
    """
    found = enforcement_in(dataset, labels)
    if found:
        raise InvalidInput("enforcement-is-not-risk", use=use, dataset=dataset, codes=", ".join(found))


def enforcement_in(dataset: str, labels: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """What counts enforcement among figures, as ``dimension=code``; the dataset's name if all of it does."""
    if dataset not in TOLD_BY_VICTIMS:
        return (dataset,)
    marked = enforcement_codes(dataset)
    told = [name for name in marked if name in labels]
    if not told:
        # Added up over every code: arrests are among them, unseen.
        return tuple(f"{name}={code}" for name, codes in marked.items() for code in codes)
    return tuple(f"{name}={code}" for name in told for code in labels[name] if code in marked[name])


@lru_cache(maxsize=32)
def enforcement_codes(dataset: str) -> Mapping[str, tuple[str, ...]]:
    """The codes, by dimension, that a bundled contract says count enforcement."""
    return read_contract(bundled_text(dataset)).enforcement_values
