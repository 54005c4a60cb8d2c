"""Run the tests of a question inside a student's kernel, so that the student's code can neither see nor answer for them.

A test comes over a socket of its own, encrypted, when it runs: not as a cell that IPython's transformers, events or a
patched ``run_cell`` could see. The answer carries a keyed checksum. Three things keep the key and the steps out of
reach of code in the same interpreter, short of reading the process's memory:

- The key is only ever on the evaluation stack of a running frame, in an iterator that the garbage collector does not
  know: no frame's ``f_locals`` and no `gc` call shows it. It is a local variable for moments in which no other code runs.
- Each step is a code object in which every name has been replaced by the object itself, as a constant, before the
  student's first cell. Code objects cannot be changed, and whatever is patched later is not looked up.
- A test's built-in functions, and the modules that the lab's own cells import, are bound in the same way.

What this does not stop is written down in ``docs/grading.md``.

The functions marked as steps are never called as they stand here: `seal` compiles them.
"""

from __future__ import annotations

import _io
import _json
import _signal
import _socket
import ast
import builtins
import ctypes
import itertools
import linecache
import marshal
import sys
import tempfile
import warnings
from _blake2 import blake2b
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable, Mapping

#: What stands before a placeholder in a code object's constants, until the object itself is put there.
MARK = "\0w251lab:"
KEY_LENGTH = 32
TAG_LENGTH = 16
# IPython exchanges these while it runs a cell.
_UNCHECKED = frozenset(
    {"exit", "quit", "copyright", "credits", "license", "help", "input", "display", "get_ipython", "_"}
)
HOST = globals()  # the names that `fill` finds while it is not sealed yet

# --- both ends: the grader's and the kernel's -------------------------------------------------------------------------


def crypt(key: bytes, number: int, data: bytes) -> bytes:
    """Encrypt or decrypt: exclusive or with a stream from the key, the message's number and a counter (BLAKE2b)."""
    stream = b"".join(
        blake2b(number.to_bytes(8, "big") + block.to_bytes(8, "big"), key=key).digest()
        for block in range(len(data) // 64 + 1)
    )[: len(data)]
    return (int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(data), "big")


def checksum(key: bytes, number: int, data: bytes) -> bytes:
    """What only somebody with the key can give for ``data`` and this message's number: BLAKE2b, keyed."""
    return blake2b(number.to_bytes(8, "big") + data, key=key, person=b"answer", digest_size=TAG_LENGTH).digest()


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


# --- the kernel's end: steps --------------------------------------------------------------------------------------------
# Every name below that is not a local variable is replaced by a constant (see `seal`). No step may use a generator
# expression or a comprehension with such a name in a nested scope of its own code: `fill` takes care of nested code.


def fill(code: CodeType, table: Mapping[str, Any], me: CodeType) -> CodeType:
    """A step: the code object with the objects of ``table`` in place of placeholders, in nested code too."""
    consts = []
    for const in code.co_consts:
        if type(const) is str and const.startswith(MARK):
            const = table[const[9:]]  # noqa: PLW2901
        elif type(const) is CodeType:
            const = FunctionType(me, HOST)(const, table, me)  # noqa: PLW2901
        elif type(const) is tuple:
            items = []
            for item in const:
                if type(item) is str and item.startswith(MARK):
                    items.append(table[item[9:]])
                else:
                    items.append(item)
            const = tuple(items)  # noqa: PLW2901
        consts.append(const)
    return code.replace(co_consts=tuple(consts))


def same_code(one: CodeType, other: CodeType, me: CodeType) -> bool:
    """A step: whether two code objects do the same, wherever they were compiled."""
    if one.co_code != other.co_code or one.co_names != other.co_names or one.co_varnames != other.co_varnames:
        return False
    if len(one.co_consts) != len(other.co_consts):
        return False
    for left, right in zip(one.co_consts, other.co_consts):  # noqa: B905 - the lengths are equal
        if type(left) is not type(right):
            return False
        if type(left) is CodeType:
            if not FunctionType(me, HOST)(left, right, me):
                return False
        elif left != right:
            return False
    return True


def find_change(namespace: dict[str, Any], helpers: tuple[Any, ...]) -> str:
    """A step: what is no longer as it was before the student's first cell, as a sentence; empty where all is.

    Args:
        namespace: The student's global names.
        helpers: (name, code) of the functions of the lab's own cells, and (name, module, attribute) of their imports.
    """
    scope = namespace.get("__builtins__")
    if scope is not BUILTINS and scope is not BUILTINS_DICT:
        return "__builtins__ was replaced"
    for name, module, attributes in SNAPSHOT:
        if MODULES.get(name) is not module:
            return f"the module {name} was replaced"
        held = module.__dict__
        for attribute, value, code, defaults, keywords in attributes:
            if held.get(attribute) is not value:
                return f"{name}.{attribute} was replaced"
            if code is not None and (
                value.__code__ is not code or value.__defaults__ is not defaults or value.__kwdefaults__ is not keywords
            ):
                return f"{name}.{attribute} was changed"
    for helper in helpers:
        name = helper[0]
        if name not in namespace:
            continue
        found = namespace[name]
        if len(helper) == 2:
            if type(found) is not FunctionType or not same_code(found.__code__, helper[1], SAME_CODE):
                return f"{name}, which a cell of the lab defines, was replaced"
        elif helper[1] in PRISTINE:
            expected = PRISTINE[helper[1]]
            if helper[2]:
                expected = expected.__dict__.get(helper[2], found)
            if found is not expected:
                return f"{name}, which a cell of the lab imports, was replaced"
    return ""


def describe(error: BaseException, filename: str) -> tuple[list[str], str]:
    """A step: a traceback as lines, without the guard's own frames, and the line of the test that it came from."""
    lines, at = ["Traceback (most recent call last):"], ""
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename == filename:
            at = str(trace.tb_lineno)
        if code.co_filename != GUARD_FILE:
            lines.append(f'  File "{code.co_filename}", line {trace.tb_lineno}, in {code.co_name}')
            if code.co_filename != filename:
                try:
                    lines.append("    " + str(getline(code.co_filename, trace.tb_lineno)).strip()[:200])
                except BaseException:  # noqa: BLE001 - a line of text less
                    lines.append("")
        trace = trace.tb_next
    return lines[:1] + lines[1:][-40:], at


def examine(request: tuple[Any, ...], namespace: dict[str, Any]) -> bytes:
    """A step: run one test in the student's namespace, and say what came of it, as JSON of texts.

    The answer has: what was found changed before, the outcome, the error's name, its text, the line of the test, the
    value's text, what was found changed after, standard output, standard error, and the traceback's lines.
    """
    _, filename, body, last, helpers = request
    before = find_change(namespace, helpers)
    table = dict(OBJECTS)
    out, err = StringIO(), StringIO()
    kept = SYS_DICT["stdout"], SYS_DICT["stderr"]
    outcome, ename, evalue, at, value, lines = "", "", "", "", "", []
    try:
        SYS_DICT["stdout"], SYS_DICT["stderr"] = out, err
        signal(2, default_int_handler)
        execute(fill(loads(body), table, FILL), namespace)
        if last:
            result = evaluate(fill(loads(last), table, FILL), namespace)
            if result is not None:
                kind = type(result)
                # Another class's text would be the student's to choose.
                value = repr(result)[:200] if kind in (int, float, bool) else f"<{kind.__name__}>"
        signal(2, 1)
        outcome = "completed"
    except BaseException as error:  # noqa: BLE001 - a test may raise anything
        signal(2, 1)
        outcome, value = "error", ""
        try:
            ename = str(type(error).__name__)
            evalue = str(error)[:2000]
        except BaseException:  # noqa: BLE001 - its text runs the student's code
            evalue = "(it has no text)"
        try:
            lines, at = describe(error, filename)
        except BaseException:  # noqa: BLE001
            lines = []
    SYS_DICT["stdout"], SYS_DICT["stderr"] = kept
    after = find_change(namespace, helpers)
    said = [before, outcome, ename, evalue, at, value, after, out.getvalue()[-20000:], err.getvalue()[-20000:]]
    texts = []
    for text in said + lines:
        texts.append(quote(text))
    return ("[" + ",".join(texts) + "]").encode("ascii")


def resolve(request: tuple[Any, ...]) -> bytes:
    """A step: which dotted names below the lab's modules stand for a function or class now, before any student's code."""
    texts = []
    for chain in request[1]:
        found = PRISTINE.get(chain[0])
        for part in chain[1:]:
            found = found.__dict__.get(part) if type(found) is ModuleType else None
        if found is not None and (callable(found) or type(found) is ModuleType):
            OBJECTS[":".join(chain)] = found
            texts.append(quote(":".join(chain)))
    return ("[" + ",".join(texts) + "]").encode("ascii")


def receive(length: int) -> bytes:
    """A step: so many bytes from the grader."""
    data = b""
    while len(data) < length:
        part = RECV(length - len(data))
        if not part:
            leave(71)
        data += part
    return data


def unpack(key: bytes, data: bytes) -> tuple[Any, ...]:
    """A step: a request from its bytes."""
    request: tuple[Any, ...] = loads(crypt(key, int.from_bytes(data[:8], "big"), data[8:]))
    return request


def pack(key: bytes, number: int, answer: bytes) -> bytes:
    """A step: an answer with its checksum and its length."""
    whole = checksum(key, number, answer) + answer
    return len(whole).to_bytes(4, "big") + whole


def answer(request: tuple[Any, ...], namespace: dict[str, Any]) -> bytes:
    """A step: answer one request of either kind."""
    if request[0] == "resolve":
        return resolve(request)
    settrace(None)  # and from here on `watch_events` sees to it
    setprofile(None)
    return examine(request, namespace)


def serve(namespace: dict[str, Any], wait: Callable[[], None]) -> None:
    """A step: the kernel's main loop. ``wait`` runs IPython's own loop, until the grader has sent a test.

    In the line that answers, the key goes onto the evaluation stack and out of the local variable before the
    student's code can run.
    """
    number = 0
    for key in SECRET():
        request = unpack(key, receive(int.from_bytes(receive(4), "big")))
        SEND(pack((key, key := None)[0], (number, number := number + 1)[0], answer(request, namespace)))  # type: ignore[arg-type, assignment]
        request = ()
        wait()


def watch_events(event: str, _arguments: tuple[Any, ...]) -> None:
    """A step, as an audit hook: while a test runs nobody traces it, and no student's cell asks for the frames above it."""
    if event not in AUDITED:
        return
    if event == "object.__setattr__":
        if type(_arguments[0]) is FunctionType and _arguments[0].__code__.co_filename == GUARD_FILE:
            raise RuntimeError("the grader's functions cannot be changed")
        return
    if event == "sys._getframe":
        try:
            raise KeyError
        except KeyError as error:  # asking for the frame by name would be such an event again
            caller = error.__traceback__.tb_frame.f_back
        while caller is not None and caller.f_code.co_filename == INSPECT_FILE:
            caller = caller.f_back
        if caller is None or not caller.f_code.co_filename.startswith(CELLS):
            return
    for top in current_frames().values():
        frame = top
        while frame is not None:
            if frame.f_code.co_filename == GUARD_FILE and frame.f_code.co_name == "examine":
                raise RuntimeError(f"{event} is not allowed while a test runs")
            frame = frame.f_back


# --- the kernel's end: setting up, before the student's first cell ------------------------------------------------------

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
    tree = ast.parse(Path(__file__).read_text(encoding="utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


class _Linker(ast.NodeTransformer):
    """Replace calls of other steps by calls of fresh functions made of their code, and free names by placeholders."""

    def __init__(self, free: Mapping[str, Any]) -> None:
        self.binder = Binder({name: name for name in free})

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in (*_OWN, *_SHARED):
            code = ast.Constant(f"{MARK}code:{node.func.id}")
            fresh = ast.Call(ast.Constant(f"{MARK}FunctionType"), [code, ast.Dict([], [])], [])
            node.func = fresh
        return node


def _compile_step(name: str, table: dict[str, Any]) -> CodeType:
    """The code of one step with every global name in it replaced by an object of ``table``."""
    original = _steps()[name]
    step = ast.parse(ast.unparse(original)).body[0]
    assert isinstance(step, ast.FunctionDef)
    step.returns = None
    for argument in step.args.args:
        argument.annotation = None
    linker = _Linker(table)
    body = [linker.binder.visit(linker.visit(statement)) for statement in step.body[1:]]
    step.body = [_without_annotation(statement) for statement in body]
    module = ast.fix_missing_locations(ast.Module([step], []))
    whole = compile_quietly(module, __file__, "exec")
    code = next(const for const in whole.co_consts if type(const) is CodeType)
    filled = fill(code, table, fill.__code__)
    left = [free for free in _global_names(filled) if free not in ("item",)]
    if left:
        raise RuntimeError(f"the step {name} still looks up {left}")
    return filled


def _without_annotation(statement: ast.stmt) -> ast.stmt:
    if isinstance(statement, ast.AnnAssign) and statement.value is not None:
        return ast.copy_location(ast.Assign([statement.target], statement.value), statement)
    return statement


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


def link(sock: socket.socket, watched: Iterable[str]) -> Callable[[dict[str, Any], Callable[[], None]], None]:
    """Set the guard up in this process, before any of the student's code: the result is `serve`, ready to be called once.

    Args:
        sock: The connection with the grader; the key is the next thing on it.
        watched: Names of the modules whose functions the tests rely on.
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
        "GUARD_FILE": __file__,
        "INSPECT_FILE": str(getattr(sys.modules.get("inspect"), "__file__", "")),
        # What ipykernel names a cell's code, what is made of a text, and the student's own modules.
        "CELLS": (f"{tempfile.gettempdir()}/ipykernel_", "<", f"{Path.cwd()}/"),
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
        "current_frames": sys._current_frames,
        "leave": __import__("os")._exit,
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
