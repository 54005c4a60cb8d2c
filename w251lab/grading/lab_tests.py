"""A lab's own tests, and what is known of its cells before any student's code: made ready to be sent to a guard."""

from __future__ import annotations

import ast
import marshal
import sys
from types import CodeType
from typing import TYPE_CHECKING, Any

from w251lab.course.notebook import Cell, cells
from w251lab.grading import guard

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbformat import NotebookNode

#: Modules whose functions tests rely on, whoever imports them.
ALWAYS = (
    "builtins",
    "math",
    "operator",
    "functools",
    "itertools",
    "statistics",
    "numpy",
    "numpy.testing",
    "numpy.testing._private.utils",
    "numpy._core.numeric",
    "numpy._core.fromnumeric",
    "pandas.testing",
    "pandas._testing",
    "pandas._testing.asserters",
)
# Whose functions are exchanged all the time, by IPython for one.
_CHANGING = frozenset({"sys", "signal", "warnings", "logging", "IPython.display", "matplotlib", "matplotlib.pyplot"})
_BEGIN, _END = "BEGIN HIDDEN TESTS", "END HIDDEN TESTS"
_KEPT_NAMES = frozenset({"super", "__class__", "exec", "eval", "locals", "vars", "dir", "globals"})


class Tests:
    """What the tests of a notebook need to know of the lab's own cells.

    Args:
        source: The lab's notebook.
    """

    def __init__(self, source: NotebookNode) -> None:
        own = [cell for cell in cells(source) if cell.is_locked and cell.cell_type == "code"]
        self.trees = {cell.key: tree for cell in own if (tree := _parsed(cell.source)) is not None}
        self.setup = [self.trees[cell.key] for cell in own if not cell.is_test and cell.key in self.trees]
        self.aliases: dict[str, tuple[str, str]] = {}
        for tree in self.trees.values():
            self.aliases |= _imports(tree)
        self.stored = {name for tree in self.setup for name in _stored(tree)} - self.aliases.keys()
        self.functions = {
            node.name: _function_code(tree, node)
            for tree in self.setup
            for node in tree.body
            if isinstance(node, ast.FunctionDef) and not node.decorator_list
        }
        self._requests: dict[tuple[str, str, frozenset[str]], tuple[Any, ...]] = {}

    @property
    def watched(self) -> tuple[str, ...]:
        """The modules that are looked at before and after each test, and imported before the student's first cell."""
        packages = {module.partition(".")[0] for module in self.imported} | set(sys.stdlib_module_names)
        always = [name for name in ALWAYS if name.partition(".")[0] in packages]
        return tuple(name for name in dict.fromkeys([*always, *self.imported]) if name not in _CHANGING)

    @property
    def imported(self) -> tuple[str, ...]:
        """The modules that the lab's own cells import."""
        return tuple(dict.fromkeys(module for module, _ in self.aliases.values()))

    def chains(self) -> list[tuple[str, ...]]:
        """Every dotted name in the tests below an import of the lab's own, from the module on."""
        found: dict[tuple[str, ...], None] = {}
        for tree in self.trees.values():
            for node in ast.walk(tree):
                if isinstance(node, ast.Attribute | ast.Name):
                    chain = self._chain(guard.dotted_name(node))
                    for length in range(1, len(chain) + 1):
                        found[chain[:length]] = None
        return list(found)

    def _chain(self, dotted: str) -> tuple[str, ...]:
        alias, *rest = dotted.split(".")
        if alias not in self.aliases:
            return ()
        module, attribute = self.aliases[alias]
        return (module, *([attribute] if attribute else []), *rest)

    def request(self, cell: Cell, bindable: frozenset[str]) -> tuple[Any, ...]:
        """One test as the guard takes it.

        Args:
            cell: The test, with its hidden part.
            bindable: What `chains` the guard could bind.

        Raises:
            SyntaxError: The lab's own test does not compile.
        """
        about = (cell.key, cell.source, bindable)
        if about not in self._requests:
            self._requests[about] = self._compiled(cell, bindable)
        return self._requests[about]

    def _compiled(self, cell: Cell, bindable: frozenset[str]) -> tuple[Any, ...]:
        tree = _parsed(cell.source, strict=True)
        assert tree is not None
        stored = set(_stored(tree)) | self.stored
        names = {name: f"builtins:{name}" for name in vars(__import__("builtins")) if name not in stored | _KEPT_NAMES}
        names = {name: mark for name, mark in names.items() if not name.startswith("__")}
        dotted = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute | ast.Name):
                written = guard.dotted_name(node)
                if written.partition(".")[0] in set(_stored(tree)) - _imports(tree).keys():
                    continue
                mark = ":".join(self._chain(written))
                if mark in bindable:
                    dotted[written] = mark
        names |= {name: mark for name, mark in dotted.items() if "." not in name}
        last = None
        if tree.body and isinstance(tree.body[-1], ast.Expr) and not cell.source.rstrip().endswith(";"):
            last = ast.Expression(tree.body.pop().value)  # type: ignore[attr-defined]
        binder = guard.Binder(names, dotted)
        filename = f"<test {cell.key}>"
        body = guard.compile_quietly(ast.fix_missing_locations(binder.visit(tree)), filename, "exec")
        value = b""
        if last is not None:
            value = marshal.dumps(
                guard.compile_quietly(ast.fix_missing_locations(binder.visit(last)), filename, "eval")
            )
        return ("test", filename, marshal.dumps(body), value, tuple(self._helpers(tree)))

    def _helpers(self, tree: ast.Module) -> Iterable[tuple[Any, ...]]:
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        called = [self.functions[name] for name in used & self.functions.keys()]
        for name in used & self.functions.keys():
            yield name, self.functions[name]
        below = {name for code in called for name in code.co_names}
        for name in sorted(below & self.aliases.keys()):
            yield name, *self.aliases[name]


def _parsed(source: str, *, strict: bool = False) -> ast.Module | None:
    """A cell's code without IPython's magics in it."""
    from IPython.core.inputtransformer2 import TransformerManager  # noqa: PLC0415 - slow to import

    try:
        return ast.parse(TransformerManager().transform_cell(source))  # type: ignore[no-untyped-call]
    except SyntaxError:
        if strict:
            raise
        return None


def _imports(tree: ast.Module) -> dict[str, tuple[str, str]]:
    """Name -> (module, attribute or "") of the imports at the top level of a cell."""
    found = {}
    for node in tree.body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname:
                    found[alias.asname] = (alias.name, "")
                else:
                    found[alias.name.partition(".")[0]] = (alias.name.partition(".")[0], "")
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                if alias.name != "*":
                    found[alias.asname or alias.name] = (node.module, alias.name)
    return found


def _stored(tree: ast.AST) -> Iterable[str]:
    """Every name that is given a value anywhere in the code, arguments and imports too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            yield node.name
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]


def _function_code(tree: ast.Module, node: ast.FunctionDef) -> CodeType:
    """The code object that a function of a lab's cell has once the cell has run."""
    del tree
    code = compile(ast.Module([node], []), "<lab>", "exec", dont_inherit=True)
    return next(const for const in code.co_consts if isinstance(const, CodeType) and const.co_name == node.name)


def is_hidden(source: str, line: int) -> bool:
    """Whether a line of a test cell (counted from 1) stands between the marks of hidden tests.

    Where the line is unknown (0), whether the cell has such a part at all.
    """
    inside = False
    for number, text in enumerate(source.splitlines(), 1):
        if _BEGIN in text:
            inside = True
            if not line:
                return True
        if number == line:
            return inside
        if _END in text:
            inside = False
    return False
