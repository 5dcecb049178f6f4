"""How every benchmark prints: a table for people, or one JSON object."""

from collections.abc import Mapping

from pydantic_core import to_json


def print_report(name: str, figures: Mapping[str, float], ratios: Mapping[str, float], *, as_json: bool) -> None:
    """Print a benchmark's figures and ratios; both sides of a ratio come from the same run."""
    if as_json:
        print(to_json({"name": name, "figures": dict(figures), "ratios": dict(ratios)}).decode())
        return
    print(name)
    for title, numbers in (("figures", figures), ("ratios", ratios)):
        print(f"  {title}")
        for key, value in numbers.items():
            print(f"    {key:<28} {value:>14,.3f}")
