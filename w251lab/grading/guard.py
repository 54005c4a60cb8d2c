"""Run a question's tests inside a student's kernel, where the student's code can neither rewrite nor answer for them.

A test comes over a socket of its own, encrypted, when it runs: not as a cell that IPython's transformers, events or a
patched ``run_cell`` could see. The answer carries a keyed checksum. Three things keep the key and the steps out of
reach of code in the same interpreter, short of reading the process's memory:

- The key is in an iterator on the evaluation stack of a running frame, which the garbage collector does not know: no
  frame's ``f_locals`` and no `gc` call shows it. It is a local variable only in frames that nobody can have got hold
  of, while no tracer, no handler of a signal and no callback of the garbage collector can run.
- Each step is a code object in which every name has been replaced by the object itself, as a constant, before the
  student's first cell. Code objects cannot be changed, and whatever is patched later is not looked up.
- A test's built-in functions, and the modules that the lab's own cells import, are bound in the same way. What the
  steps look things up in are tuples, which nobody can change either.

Requests carry a checksum and a number as well, so that one can neither be altered on its way nor come a second time.

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
import gc
import itertools
import linecache
import marshal
import os
import signal
import sys
import tempfile
import threading
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
    from collections.abc import Callable, Iterable, Iterator, Mapping

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

# In the order in which they can be compiled: each calls those before it.
_STEPS: tuple[str, ...] = (
    *("crypt", "checksum", "find", "fill", "same_code", "find_change", "describe", "report", "examine", "resolve"),
    *("receive", "unpack", "pack", "quiet", "answer", "turn"),
)
_LAST_SIGNAL = 64


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
        if isinstance(node.func, ast.Name) and node.func.id in _STEPS:
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
    code = next(const for const in whole.co_consts if type(const) is CodeType)
    if left := _global_names(code):
        raise RuntimeError(f"the step {name} still looks up {left}")
    return code


def _names() -> frozenset[str]:
    """Every name that a step may use and that is put in place for it."""
    declared = guard_steps.__annotations__.keys() | {"blake2b", "MARK", "TAG_LENGTH", "HOST"}
    return frozenset(declared | vars(builtins).keys() | {"CodeType", "FunctionType", "ModuleType"})


def prepare() -> None:
    """Compile the steps as far as it can be done ahead, in a template."""
    for name in (*_STEPS, "watch_events", "serve"):
        _unfilled(name, _names())


def _compile_step(name: str, table: Mapping[str, Any]) -> CodeType:
    """The code of one step with every global name in it replaced by an object of ``table``."""
    return fill(_unfilled(name, _names()), tuple(table.items()), fill.__code__)


def _global_names(code: CodeType) -> list[str]:
    """The global names that code looks up, nested code included."""
    import dis  # noqa: PLC0415 - in the template alone

    names = [str(step.argval) for step in dis.get_instructions(code) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")]
    for const in code.co_consts:
        if type(const) is CodeType:
            names += _global_names(const)
    return names


def _turns(turn: Callable[..., None], key: bytes, namespace: dict[str, Any]) -> Callable[[], Iterator[None]]:
    """A one-time function that gives an endless iterator: each step of it is a `turn`, which gets the key.

    The key is in no variable of a frame that lasts, and the garbage collector does not know what holds it.
    """
    keys = itertools.repeat(key)
    turns = map(turn, keys, itertools.count(), itertools.repeat(namespace))
    for hidden in (keys, turns):
        ctypes.pythonapi.PyObject_GC_UnTrack(ctypes.py_object(hidden))
    box = [turns]
    return box.pop


def _resolved(chains: Iterable[Iterable[str]], pristine: Mapping[str, ModuleType]) -> dict[str, Any]:
    """The functions and modules that these dotted names stand for, by the names joined with colons."""
    found = {}
    for module, *parts in chains:
        here: Any = pristine.get(module)
        for part in parts:
            here = here.__dict__.get(part) if type(here) is ModuleType else None
        if here is not None and (callable(here) or type(here) is ModuleType):
            found[":".join([module, *parts])] = here
    return found


def link(  # noqa: PLR0917 - called once, with everything that there is before a student
    sock: socket.socket,
    watched: Iterable[str],
    folder: str,
    chains: Iterable[Iterable[str]],
    namespace: dict[str, Any],
    wait: Callable[[], None],
) -> Callable[[Callable[[], None]], None]:
    """Set the guard up, before any of the student's code. Returns the step `serve`, ready to be called once.

    Args:
        sock: The connection with the grader; the key is the next thing on it.
        watched: Names of the modules whose functions the tests rely on.
        folder: Where the student's own modules are.
        chains: Dotted names in the tests, in parts: what they stand for now, they stand for in every test.
        namespace: The student's global names.
        wait: What `serve` is going to be called with.
    """
    raw = _socket.socket(fileno=sock.detach())
    held = snapshot(watched)
    pristine = {name: module for name, module, _ in held}
    objects = {f"builtins:{name}": value for name, value in vars(builtins).items()} | _resolved(chains, pristine)
    monitoring = getattr(sys, "monitoring", None)
    # Students' code can reach all of this. None of it may be of a kind that can be changed.
    table: dict[str, Any] = dict(vars(builtins)) | {
        "BUILTINS": builtins,
        "BUILTINS_DICT": vars(builtins),
        "MAIN": threading.get_ident(),
        "MODULES": sys.modules,
        "SNAPSHOT": held,
        "PRISTINE": tuple(pristine.items()),
        "OBJECTS": tuple(objects.items()),
        "SIGNALS": tuple(sorted(number for number in _signal_numbers() if number <= _LAST_SIGNAL)),
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
                "sys._current_frames",
                "sys._current_exceptions",
                "sys.addaudithook",
                "object.__setattr__",
                "sys.monitoring.register_callback",
            }
        ),
        "WAIT": (wait.__code__,),  # in a tuple, for it is no step
        "CodeType": CodeType,
        "FunctionType": FunctionType,
        "ModuleType": ModuleType,
        "StringIO": _io.StringIO,
        "quote": _json.encode_basestring_ascii,
        "loads": marshal.loads,
        "execute": exec,
        "evaluate": eval,
        "getline": linecache.getline,
        "getsignal": _signal.getsignal,
        "signal": _signal.signal,
        "default_int_handler": _signal.default_int_handler,
        "settrace": sys.settrace,
        "setprofile": sys.setprofile,
        "forget_callback": None if monitoring is None else monitoring.register_callback,
        "gc_enable": gc.enable,
        "gc_disable": gc.disable,
        "current_frames": sys._current_frames,  # noqa: SLF001
        "leave": os._exit,
        "blake2b": blake2b,
        "HOST": {},
        "RECV": raw.recv,
        "SEND": raw.sendall,
    }
    for name in _STEPS:
        table[f"code:{name}"] = _compile_step(name, table)
        table |= {word: table.get(f"code:{word.lower()}") for word in ("FILL", "SAME_CODE", "QUIET")}
    hook = FunctionType(_compile_step("watch_events", table), {})
    sys.addaudithook(hook)
    # The key is read last, straight into its hiding place.
    key = raw.recv(KEY_LENGTH, _socket.MSG_WAITALL)
    table["TURNS"] = _turns(FunctionType(table["code:turn"], {}), key, namespace)
    return FunctionType(_compile_step("serve", table), {})


def _signal_numbers() -> Iterable[int]:
    return map(int, signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP})
