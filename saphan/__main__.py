"""``python -m saphan`` and the ``saphan`` command: nouns and verbs, each noun in a module of its own.

Only the noun that was asked for is imported, so that a command starts at once. An error that a person may see ends in
its own exit code, with Thai and English text on standard error; nothing of a data row can stand in it.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final

import typer

NOUNS: Final = {
    "agreement": "saphan.agreement_commands:app",
    "analysis": "saphan.analysis_commands:app",
    "audit": "saphan.audit_commands:app",
    "breach": "saphan.breach_commands:app",
    "budget": "saphan.budget_plan_commands:app",
    "centre": "saphan.centre_commands:app",
    "connector": "saphan.connector_commands:app",
    "contract": "saphan.contract_changes_commands:app",
    "family": "saphan.family_commands:app",
    "federation": "saphan.federation_commands:app",
    "forecast": "saphan.forecast_commands:app",
    "gateway": "saphan.gateway_commands:app",
    "keys": "saphan.keys_commands:app",
    "people": "saphan.people_commands:app",
    "plan": "saphan.plan_commands:app",
    "privacy": "saphan.privacy_commands:app",
    "record": "saphan.record_commands:app",
    "release": "saphan.client_commands:release",
    "subject": "saphan.subject_commands:app",
    "suspension": "saphan.suspension_commands:app",
    "token": "saphan.token_commands:app",
}
VERBS: Final = {
    "ask": "saphan.client_commands:ask_command",
    "demo": "saphan.demo_commands:demo",
    "doctor": "saphan.doctor_commands:doctor",
    "preview": "saphan.client_commands:preview_command",
}


def command_line(arguments: Sequence[str]) -> typer.Typer:
    """The command line with the noun or verb that is asked for, or with all of them when none is."""
    app = typer.Typer(
        name="saphan",
        help="Saphan: statistics between justice agencies, with a privacy guarantee and an honest error.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    app.callback()(_root)
    asked = arguments[0] if arguments else ""
    for noun, place in _wanted(NOUNS, VERBS, asked).items():
        app.add_typer(_load(place), name=noun)
    for verb, place in _wanted(VERBS, NOUNS, asked).items():
        app.command(verb)(_load(place))
    return app


def main() -> None:
    """Run the command line."""
    command_line(sys.argv[1:])()


def _root() -> None:
    """Saphan."""


def _wanted(own: dict[str, str], other: dict[str, str], asked: str) -> dict[str, str]:
    if asked in own:
        return {asked: own[asked]}
    return {} if asked in other else own


def _load(place: str) -> Any:  # noqa: ANN401  # a Typer application or a function
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


if __name__ == "__main__":
    main()
