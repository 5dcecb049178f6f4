"""The rules as text, parsed once; the one place where Cedar is asked.

It fails closed. Cedar skips a policy that errs, and a skipped ``forbid`` is an open door: any error denies. A question
that does not fit the schema is an error too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

from cedarpy import AuthzResult, Decision, Entities, PolicySet, Schema, is_authorized_batch, validate_policies
from pydantic_core import from_json, to_json

from contracts.canonical import digest_of
from contracts.errors import Refused
from contracts.identifiers import Digest

SCHEMA: Final = "schema.cedarschema"
EXCHANGE: Final = "exchange.cedar"
ACTS: Final = "acts.cedar"
FILES: Final = (SCHEMA, EXCHANGE, ACTS)
"""The texts that make the rules; nothing else does."""

Entity = Mapping[str, object]
Question = dict[str, object]


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """Parsed rules and the digest of their texts.

    Args:
        digest: SHA-256 over the canonical form of all texts by name: who logs it says by which rules it decided.
        schema: What a question may be made of.
        policies: The policies of each file.
    """

    digest: Digest
    schema: Schema
    policies: Mapping[str, PolicySet]

    def entities(self, entities: Sequence[Entity]) -> Entities | None:
        """Entities prepared for many questions; none when one does not fit the schema."""
        try:
            return Entities.from_json_str(to_json(list(entities)).decode(), self.schema)
        except ValueError:
            return None

    def denials(
        self,
        file: str,
        questions: Sequence[Question],
        entities: Entities | None,
        otherwise: str = "no-rule-allows-this",
    ) -> frozenset[str]:
        """Every rule of a file that says no to one of the questions; none at all is permission.

        ``otherwise`` is the reason where no forbid speaks and no permit either.
        """
        if entities is None:
            return frozenset({"policy-error"})
        if not questions:
            return frozenset({otherwise})
        return _denials(self, file, to_json(questions), entities, otherwise)


@lru_cache(maxsize=256)
def _denials(rules: Rules, file: str, questions: bytes, entities: Entities, otherwise: str) -> frozenset[str]:
    """What these very rules say of these very questions, the time of day among them: asked again, they say the same."""
    answers = is_authorized_batch(from_json(questions), rules.policies[file], entities, schema=rules.schema)
    return frozenset(reason for answer in answers for reason in _reasons(answer, otherwise))


def _reasons(answer: AuthzResult, otherwise: str) -> list[str]:
    if answer.diagnostics.errors:
        return ["policy-error"]
    if answer.decision is Decision.Allow:
        return []
    return list(answer.diagnostics.id_annotations_by_reason.values()) or [otherwise]


def digest(texts: Mapping[str, str]) -> Digest:
    """The digest of rules, as it stands in logs."""
    return digest_of({name: texts[name] for name in FILES})


def rules_of(texts: Mapping[str, str]) -> Rules:
    """Rules from their texts.

    Raises:
        Refused: ``policy-error`` unless every text is there, can be read and fits the schema.
    """
    try:
        schema = Schema.from_str(texts[SCHEMA])
        policies = {name: PolicySet.from_str(texts[name]) for name in FILES if name != SCHEMA}
        fits = all(validate_policies(texts[name], schema).validation_passed for name in policies)
    except (KeyError, ValueError) as error:
        raise Refused("policy-error") from error
    if not fits:
        raise Refused("policy-error")
    return Rules(digest(texts), schema, policies)


def installed_texts() -> dict[str, str]:
    """The texts that came with this program."""
    return {name: files("policies").joinpath(name).read_text(encoding="utf-8") for name in FILES}


@cache
def installed() -> Rules:
    """The rules that came with this program, parsed once."""
    return rules_of(installed_texts())
