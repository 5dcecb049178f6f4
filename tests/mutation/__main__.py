"""``./run mutate``: put each guard and each forbid out of order; print those whose loss no test notices.

A survivor is either a missing test or an early check that a later one repeats. The second kind stands, each with its
reason, in ``equivalent.toml``; an entry there that no longer names a survivor is an error too.
"""

import argparse
import os
import sys
import time
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.modules import IGNORED, ROOT, guarded, guards_of, switch_on
from tests.mutation.switch import SWITCH

switch_on()  # before anything that it guards is imported

from tests.mutation import policy_texts  # noqa: E402  # see above
from tests.mutation.trial import Verdict, collect, record, verdicts  # noqa: E402

PATHS = (
    "tests/unit",
    "tests/property/policies",
    "tests/property/contracts",
    "tests/integration/gateway",
    "tests/integration/connectors",
)
EQUIVALENT = Path(__file__).with_name("equivalent.toml")


@dataclass(frozen=True, slots=True)
class Result:
    """What a run found."""

    verdicts: tuple[Verdict, ...]
    excused: dict[str, str]
    failed: frozenset[str]

    @property
    def survivors(self) -> tuple[Verdict, ...]:
        """Guards whose loss no test notices and nothing excuses."""
        return tuple(each for each in self.verdicts if each.word != "noticed" and each.guard not in self.excused)

    @property
    def stale(self) -> tuple[str, ...]:
        """Excuses for guards whose loss is noticed, or that are no more."""
        alive = {each.guard for each in self.verdicts if each.word != "noticed"}
        return tuple(name for name in self.excused if name not in alive)


def run(modules: Sequence[str], paths: Sequence[str], say: Callable[[str], None]) -> Result:
    """Try every guard of the modules, or of all of them."""
    os.chdir(ROOT)
    start = time.monotonic()
    guards = [name for module in guarded() if not modules or _within(module, modules) for name in guards_of(module)]
    if not modules or _within("policies", modules):
        guards += policy_texts.names()
    workers = os.cpu_count() or 1
    options = ("-k", "not postgres", *(f"--ignore-glob={pattern}" for pattern in IGNORED))
    files = collect((*paths, *options))
    say(f"{len(guards)} guards; everything imported after {time.monotonic() - start:.0f} s")
    seen = record(files, options, policy_texts.watch, workers)
    say(f"first run took {seen.seconds:.0f} s; {len(seen.failed)} tests failed as it is")
    tried = []
    for verdict in verdicts(guards, seen, _disable, workers):
        tried.append(verdict)
        if verdict.word != "noticed":
            say(f"  {verdict.word}: {verdict.guard}")
    return Result(tuple(tried), _excused(guards), seen.failed)


def _disable(name: str) -> None:
    if name.partition(":")[0] in policy_texts.FILES:
        policy_texts.disable(name)
    else:
        SWITCH.disabled = name


def _excused(guards: Sequence[str]) -> dict[str, str]:
    """The excuses for these guards, and for guards that nobody has any more."""
    known = {name for module in guarded() for name in guards_of(module)} | set(policy_texts.names())
    listed: dict[str, str] = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8"))
    return {name: why for name, why in listed.items() if name in guards or name not in known}


def _within(module: str, wanted: Sequence[str]) -> bool:
    return any(module == each or module.startswith(f"{each}.") for each in wanted)


def main() -> int:
    """Run and print; 1 when a guard survives that should not, or an excuse is stale."""
    parser = argparse.ArgumentParser(prog="./run mutate", description="Disable every guard; some test must fail.")
    parser.add_argument("--module", action="append", default=[], help="only this module or package; may be repeated")
    parser.add_argument("--tests", action="append", default=[], help="only tests from here; may be repeated")
    parser.add_argument("--all", action="store_true", help="print every guard with its verdict")
    options = parser.parse_args()
    start = time.monotonic()
    result = run(options.module, options.tests or PATHS, lambda line: print(line, flush=True))  # noqa: T201  # a program that prints
    lines = [f"{each.word:12} {each.tests:4}  {each.guard}" for each in result.verdicts if options.all]
    lines += [f"SURVIVOR ({each.word}, fires in {each.tests} tests): {each.guard}" for each in result.survivors]
    lines += [f"STALE EXCUSE: {name}" for name in result.stale]
    lines += [f"FAILED ANYWAY: {name}" for name in sorted(result.failed)]
    noticed = sum(1 for each in result.verdicts if each.word == "noticed")
    lines.append(
        f"{len(result.verdicts)} guards: {noticed} disabled and noticed, {len(result.excused)} excused, "
        f"{len(result.survivors)} survive, in {time.monotonic() - start:.0f} s"
    )
    print("\n".join(lines))  # noqa: T201  # a program that prints
    return 1 if result.survivors or result.stale or result.failed else 0


if __name__ == "__main__":
    sys.exit(main())
