"""Guards are found in the source, never listed by hand: what refuses, and how to put it out of order.

Three shapes count:

- an ``if`` whose body raises, or names a code of the error catalogue; each operand of its ``or`` is a guard of its own.
  A ``LookupError`` is none: it says that our own database is broken, and nobody can bring that about from outside;
- a call of a checker (``check...``, ``verify...``) whose result nobody takes: it is there to raise;
- a ``forbid`` of a policy (see ``forbids``).
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from typing_extensions import override

from contracts.error_catalogue import CATALOGUE
from tests.mutation.switch import NAME

_FORBID = re.compile(r'@id\("(?P<id>[a-z-]+)"\)\s*forbid\b.*?;[ \t]*(?=\n|$)', re.DOTALL)
_CHECKER = re.compile(r"_?(check|verify|require|admit)(_|$)")
_LONGEST = 90


@dataclass(slots=True)
class Instrumented(ast.NodeTransformer):
    """A module in which every guard asks the switch before it says no.

    Args:
        module: The module's name; a guard is known as ``module:function: condition``.
    """

    module: str
    names: list[str] = field(default_factory=list)
    _within: list[str] = field(default_factory=list)

    kinds: ClassVar[tuple[type[ast.AST], ...]] = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)

    @override
    def visit(self, node: ast.AST) -> ast.AST:
        """Each node, knowing the function around it."""
        if not isinstance(node, self.kinds):
            changed: ast.AST = super(Instrumented, self).visit(node)
            return changed
        self._within.append(getattr(node, "name", ""))
        self.generic_visit(node)
        self._within.pop()
        return node

    @override
    def visit_If(self, node: ast.If) -> ast.AST:
        """A condition that leads to a refusal."""
        if _refuses(node.body):
            node.test = self._switched(node.test)
        self.generic_visit(node)
        return node

    @override
    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        """A checker's call: what it raises passes only while it is in order."""
        call = node.value.value if isinstance(node.value, ast.Await) else node.value
        if not isinstance(call, ast.Call) or not _CHECKER.match(_name_of(call.func)):
            return node
        handler = ast.parse(f"try:\n    pass\nexcept Exception:\n    if {NAME}({self._named(call)!r}): raise").body[0]
        assert isinstance(handler, ast.Try)
        handler.body = [node]
        return ast.fix_missing_locations(ast.copy_location(handler, node))

    def _switched(self, test: ast.expr) -> ast.expr:
        if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or):
            test.values = [self._switched(each) for each in test.values]
            return test
        asks = ast.parse(f"{NAME}({self._named(test)!r})", mode="eval").body
        both = ast.BoolOp(op=ast.And(), values=[test, asks])
        return ast.fix_missing_locations(ast.copy_location(both, test))

    def _named(self, node: ast.expr) -> str:
        text = " ".join(ast.unparse(node).split())
        short = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
        name = f"{self.module}:{'.'.join(self._within)}: {short}"
        again = sum(1 for each in self.names if each == name or each.startswith(f"{name} #"))
        self.names.append(f"{name} #{again + 1}" if again else name)
        return self.names[-1]


def instrument(module: str, source: str) -> tuple[ast.Module, tuple[str, ...]]:
    """A module whose guards ask the switch, and their names."""
    transformer = Instrumented(module)
    tree = transformer.visit(ast.parse(source))
    assert isinstance(tree, ast.Module)
    return tree, tuple(transformer.names)


def forbids(file: str, text: str) -> dict[str, str]:
    """The name of every forbid of a policy file, and the file's text without it."""
    return {f"{file}: {found['id']}": text.replace(found[0], "") for found in _FORBID.finditer(text)}


def _refuses(body: Iterable[ast.stmt]) -> bool:
    return any(_raises(each) or _names_a_code(each) for each in body)


def _raises(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.Raise) or statement.exc is None:
        return False
    return not (isinstance(statement.exc, ast.Call) and _name_of(statement.exc.func) == "LookupError")


def _names_a_code(statement: ast.stmt) -> bool:
    """Whether a simple statement speaks of an error code, as in ``reasons.add("not-allowed")``."""
    if not isinstance(statement, ast.Expr | ast.Return | ast.AugAssign | ast.Assign):
        return False
    return any(text in CATALOGUE for text in _texts(statement))


def _texts(statement: ast.stmt) -> Iterator[str]:
    for node in ast.walk(statement):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _name_of(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
