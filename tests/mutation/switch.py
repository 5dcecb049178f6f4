"""Runs inside every guarded module: notes which test made which guard fire, and lets one guard be disabled.

A guard that never fires in a test makes no difference to it, so only tests in which it fired can miss it.
"""

from collections import defaultdict
from dataclasses import dataclass, field

NAME = "__guard__"
"""What the guarded modules call it; the trailing underscores keep it from being mangled in a class."""


@dataclass(slots=True)
class Switch:
    """The state of one run.

    Args:
        test: The test that is running; empty between tests.
        disabled: The guard that is out of order.
        fired: The tests in which each guard fired.
    """

    test: str = ""
    disabled: str = ""
    fired: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def guards(self, name: str) -> bool:
        """Called when a guard fires: whether it is in order."""
        self.fired[name].add(self.test)
        return name != self.disabled


SWITCH = Switch()
