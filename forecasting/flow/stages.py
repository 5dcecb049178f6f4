"""The stages of criminal justice at which something is counted and waits: facts of ``stages.toml``."""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from contracts.code_lists import code_list
from contracts.dataset import Text
from contracts.values import Value

_FACTS = Path(__file__).with_suffix(".toml")
_LISTS: Mapping[str, str] = {
    "stage": "justice_stages",
    "order": "prosecutor_orders",
    "release_kind": "release_kinds",
    "result": "em_outcomes",
}
_OUTCOMES: Mapping[str, str] = {"coj_case": "judgment_outcomes", "dop_em": "em_outcomes"}


class Step(Value):
    """What may have become of an entry: it stands under one of ``codes``, or under none of ``without``.

    ``at_least``: entries under END may have passed it, too; the count says how many did at least.
    """

    name: str
    title: Text
    codes: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    at_least: bool = False

    @model_validator(mode="after")
    def _says_one(self) -> Self:
        if bool(self.codes) == bool(self.without):
            raise ValueError("a step names the codes that passed it, or those that did not")
        return self

    def is_passed_by(self, code: str) -> bool:
        """Whether an entry under this code has passed the step."""
        return code in self.codes if self.codes else code not in self.without


class Stage(Value):
    """One dataset as a stage: what enters it, and under which codes an entry is still open.

    ``axis`` is the dimension that tells how far an entry has come by the day of the release. ``unit`` says what one
    entry is: agencies count different things. ``waiting`` is the definition of what is open.
    """

    dataset: str
    agency: str
    axis: str
    title: Text
    unit: Text
    waiting: Text
    note: Text
    open: tuple[str, ...] = Field(min_length=1)
    step: tuple[Step, ...]
    enforcement: bool = False
    """Whether some entries count arrests, which follow enforcement."""

    in_funnel: bool = True
    """Whether it is a stage of its own; wearing a device is part of another."""

    @property
    def code_list(self) -> str:
        """The name of the list of the axis's codes."""
        return _OUTCOMES.get(self.dataset) or _LISTS[self.axis]

    @model_validator(mode="after")
    def _codes_are_listed(self) -> Self:
        known = set(code_list(self.code_list).values)
        named = {*self.open, *(code for step in self.step for code in (*step.codes, *step.without))}
        if not named <= known:
            raise ValueError(f"no codes of the list: {', '.join(sorted(named - known))}")
        return self


@lru_cache(maxsize=1)
def stages() -> Mapping[str, Stage]:
    """Every stage by its dataset, from complaint to the end of a sentence."""
    given = tomllib.loads(_FACTS.read_text(encoding="utf-8"))
    return {name: Stage.model_validate({"dataset": name, **facts}) for name, facts in given.items()}
