"""Run a question's tests inside a student's kernel, where the student's code can neither rewrite nor answer for them.

A test comes over a socket of its own, encrypted, when it runs: not as a cell that IPython's transformers, events or a
patched ``run_cell`` could see. The answer carries a keyed checksum. Three things keep the key and the steps out of
reach of code in the same interpreter, short of reading the process's memory:

- The key is only ever on the evaluation stack of a running frame, in an iterator that the garbage collector does not
  know: no frame's ``f_locals`` and no `gc` call shows it. It is a local variable only while no other code runs.
- Each step is a code object in which every name has been replaced by the object itself, as a constant, before the
  student's first cell. Code objects cannot be changed, and whatever is patched later is not looked up.
- A test's built-in functions, and the modules that the lab's own cells import, are bound in the same way.

What this does not stop is written down in ``docs/grading.md``.

The steps are in `w251lab.grading.guard_steps`; here is what compiles them and sets them up.
"""

from __future__ import annotations

import _io
import _json
import _signal  # type: ignore[import-not-found]
import _socket
import ast
import builtins
import ctypes
import itertools
import linecache
import marshal
import os
import sys
import tempfile
import warnings
from _blake2 import blake2b
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from w251lab.grading import guard_steps
from w251lab.grading.guard_steps import MARK, TAG_LENGTH, fill

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable, Mapping

KEY_LENGTH = 32
STEPS_FILE = str(guard_steps.__file__)
# IPython exchanges these while it runs a cell.
_UNCHECKED = frozenset(
    {"exit", "quit", "copyright", "credits", "license", "help", "input", "display", "get_ipython", "_"}
)

# --- both ends: the grader's and the kernel's -------------------------------------------------------------------------


class Binder(ast.NodeTransformer):
    """Replace names by placeholders, where the code only reads them.

    Args:
        names: Name -> placeholder (without `MARK`).
        chains: Dotted name below one of ``names`` -> placeholder of what it stands for.
    """

    def __init__(self, names: Mapping[str, str], chains: Mapping[str, str] | None = None) -> None:
        self.names, self.chains = names, chains or {}

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """A name that is read."""
        if isinstance(node.ctx, ast.Load) and node.id in self.names:
            return ast.copy_location(ast.Constant(MARK + self.names[node.id]), node)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """A dotted name that is read as a whole."""
        if isinstance(node.ctx, ast.Load) and (dotted := dotted_name(node)) in self.chains:
            return ast.copy_location(ast.Constant(MARK + self.chains[dotted]), node)
        self.generic_visit(node)
        return node

    def visit_MatchClass(self, node: ast.MatchClass) -> ast.MatchClass:
        """A class in a pattern has to stay a name."""
        node.patterns = [self.visit(pattern) for pattern in node.patterns]
        node.kwd_patterns = [self.visit(pattern) for pattern in node.kwd_patterns]
        return node


def dotted_name(node: ast.expr) -> str:
    """``a.b.c`` for such an expression, else an empty text."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def compile_quietly(tree: ast.AST, filename: str, mode: str, flags: int = 0) -> CodeType:
    """Compile without the warnings that placeholders cause (a text that is called, or compared by identity)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        code: CodeType = compile(tree, filename, mode, flags=flags, dont_inherit=True)  # type: ignore[call-overload]
    return code


# --- the kernel's end: setting up, before the student's first cell ----------------------------------------------------

_OWN = ("fill", "same_code", "find_change", "describe", "examine", "resolve", "receive", "unpack", "pack", "answer")
_SHARED = ("crypt", "checksum")


def snapshot(names: Iterable[str]) -> tuple[Any, ...]:
    """What the functions and classes of these modules are now: (name, module, attributes); absent ones are left out."""
    found = []
    for name in dict.fromkeys(["builtins", *names]):
        module = sys.modules.get(name)
        if type(module) is not ModuleType:
            continue
        attributes = []
        for attribute, value in module.__dict__.items():
            if not callable(value) or (name == "builtins" and attribute in _UNCHECKED):
                continue
            plain = type(value) is FunctionType
            attributes.append(
                (
                    attribute,
                    value,
                    value.__code__ if plain else None,
                    value.__defaults__ if plain else None,
                    value.__kwdefaults__ if plain else None,
                )
            )
        found.append((name, module, tuple(attributes)))
    return tuple(found)


@cache
def _steps() -> dict[str, ast.FunctionDef]:
    tree = ast.parse(Path(STEPS_FILE).read_text(encoding="utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


class _Linker(ast.NodeTransformer):
    """Replace calls of other steps by calls of fresh functions made of their code, and free names by placeholders."""

    def __init__(self, names: Iterable[str]) -> None:
        self.binder = Binder({name: name for name in names})

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in (*_OWN, *_SHARED):
            code = ast.Constant(f"{MARK}code:{node.func.id}")
            fresh = ast.Call(ast.Constant(f"{MARK}FunctionType"), [code, ast.Dict([], [])], [])
            node.func = fresh
        return node


@cache
def _unfilled(name: str, names: frozenset[str]) -> CodeType:
    """The code of one step with a placeholder for each of the ``names`` in it."""
    step = ast.parse(ast.unparse(_steps()[name])).body[0]
    assert isinstance(step, ast.FunctionDef)
    step.returns = None
    for argument in step.args.args:
        argument.annotation = None
    linker = _Linker(names)
    step.body = [linker.binder.visit(linker.visit(statement)) for statement in step.body[1:]]
    whole = compile_quietly(ast.fix_missing_locations(ast.Module([step], [])), STEPS_FILE, "exec")
    return next(const for const in whole.co_consts if type(const) is CodeType)


def _names() -> frozenset[str]:
    """Every name that a step may use and that is put in place for it."""
    declared = guard_steps.__annotations__.keys() | {"blake2b", "MARK", "TAG_LENGTH", "HOST"}
    return frozenset(declared | vars(builtins).keys() | {"CodeType", "FunctionType", "ModuleType"})


def prepare() -> None:
    """Compile the steps as far as it can be done ahead, in a template."""
    for name in (*_SHARED, *_OWN, "watch_events", "serve"):
        _unfilled(name, _names())


def _compile_step(name: str, table: dict[str, Any]) -> CodeType:
    """The code of one step with every global name in it replaced by an object of ``table``."""
    filled = fill(_unfilled(name, _names()), table, fill.__code__)
    left = _global_names(filled)
    if left:
        raise RuntimeError(f"the step {name} still looks up {left}")
    return filled


def _global_names(code: CodeType) -> list[str]:
    """The global names that code looks up, nested code included."""
    import dis  # noqa: PLC0415 - once, while setting up

    names = [str(step.argval) for step in dis.get_instructions(code) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")]
    for const in code.co_consts:
        if type(const) is CodeType:
            names += _global_names(const)
    return names


def _secret(key: bytes) -> Callable[[], Iterable[bytes]]:
    """A one-time function that gives an endless iterator over the key, unknown to the garbage collector."""
    iterator = itertools.repeat(key)
    ctypes.pythonapi.PyObject_GC_UnTrack(ctypes.py_object(iterator))
    box = [iterator]
    return box.pop


def link(
    sock: socket.socket, watched: Iterable[str], folder: str
) -> Callable[[dict[str, Any], Callable[[], None]], None]:
    """Set the guard up, before any of the student's code. Returns the step `serve`, ready to be called once.

    Args:
        sock: The connection with the grader; the key is the next thing on it.
        watched: Names of the modules whose functions the tests rely on.
        folder: Where the student's own modules are.
    """
    raw = _socket.socket(fileno=sock.detach())
    held = snapshot(watched)
    pristine = {name: module for name, module, _ in held}
    objects: dict[str, Any] = {f"builtins:{name}": value for name, value in vars(builtins).items()}
    objects |= pristine
    table: dict[str, Any] = dict(vars(builtins)) | {
        "BUILTINS": builtins,
        "BUILTINS_DICT": vars(builtins),
        "MODULES": sys.modules,
        "SNAPSHOT": held,
        "PRISTINE": pristine,
        "OBJECTS": objects,
        "SYS_DICT": vars(sys),
        "MARK": MARK,
        "TAG_LENGTH": TAG_LENGTH,
        "STEPS_FILE": STEPS_FILE,
        "INSPECT_FILE": str(getattr(sys.modules.get("inspect"), "__file__", "")),
        # What ipykernel names a cell's code, what is made of a text, and the student's own modules.
        "CELLS": (f"{tempfile.gettempdir()}/ipykernel_", "<", f"{folder}/"),
        "AUDITED": frozenset(
            {
                "sys.settrace",
                "sys.setprofile",
                "sys._getframe",
                "object.__setattr__",
                "sys.monitoring.register_callback",
            }
        ),
        "CodeType": CodeType,
        "FunctionType": FunctionType,
        "ModuleType": ModuleType,
        "StringIO": _io.StringIO,
        "quote": _json.encode_basestring_ascii,
        "loads": marshal.loads,
        "execute": exec,
        "evaluate": eval,
        "getline": linecache.getline,
        "signal": _signal.signal,
        "default_int_handler": _signal.default_int_handler,
        "settrace": sys.settrace,
        "setprofile": sys.setprofile,
        "current_frames": sys._current_frames,  # noqa: SLF001
        "leave": os._exit,
        "blake2b": blake2b,
        "HOST": {},
        "RECV": raw.recv,
        "SEND": raw.sendall,
    }
    for name in (*_SHARED, *_OWN):
        table[f"code:{name}"] = _compile_step(name, table)
        table |= {"FILL": table.get("code:fill"), "SAME_CODE": table.get("code:same_code")}
    hook = FunctionType(_compile_step("watch_events", table), {})
    sys.addaudithook(hook)
    # The key is read last, straight into its hiding place.
    key = raw.recv(KEY_LENGTH, _socket.MSG_WAITALL)
    table["SECRET"] = _secret(key)
    return FunctionType(_compile_step("serve", table), {})
