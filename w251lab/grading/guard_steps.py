"""The guard's steps: what runs inside a student's kernel while a test runs, and right before and after it.

None of these functions is called there as it stands: `w251lab.grading.guard` compiles each with every name that is not
a local variable replaced by the object itself, as a constant. So no step may have a default value, or use a name of
this module other than by reading it. What is declared here without a value is put in place by the guard.
"""

from __future__ import annotations

from _blake2 import blake2b
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: What stands before a placeholder in a code object's constants, until the object itself is put there.
MARK = "\0w251lab:"
TAG_LENGTH = 16
# The names that `fill` finds while it is not compiled by the guard itself.
HOST = globals()

AUDITED: frozenset[str]
BUILTINS: ModuleType
BUILTINS_DICT: dict[str, Any]
CELLS: tuple[str, ...]
FILL: CodeType
INSPECT_FILE: str
MAIN: int
MODULES: dict[str, ModuleType]
OBJECTS: tuple[tuple[str, Any], ...]
PRISTINE: tuple[tuple[str, ModuleType], ...]
QUIET: CodeType
RECV: Callable[[int], bytes]
SAME_CODE: CodeType
SEND: Callable[[bytes], None]
SIGNALS: tuple[int, ...]
SNAPSHOT: Any
STEPS_FILE: str
StringIO: Any
SYS_DICT: dict[str, Any]
TURNS: Callable[[], Iterator[None]]
WAIT: tuple[CodeType]
current_frames: Callable[[], dict[int, Any]]
default_int_handler: Any
evaluate: Callable[..., Any]
execute: Callable[..., None]
forget_callback: Any
gc_disable: Callable[[], None]
gc_enable: Callable[[], None]
getline: Callable[[str, int], str]
getsignal: Callable[[int], Any]
leave: Callable[[int], None]
loads: Callable[[bytes], Any]
quote: Callable[[str], str]
setprofile: Callable[[None], None]
settrace: Callable[[None], None]
signal: Callable[..., Any]


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


def find(name: str, table: tuple[tuple[str, Any], ...]) -> Any:
    """A step: the object of this name. A table is a tuple of pairs, because nobody can change one.

    Raises:
        KeyError: It is not there.
    """
    for pair in table:
        if pair[0] == name:
            return pair[1]
    raise KeyError(name)


def fill(code: CodeType, table: tuple[tuple[str, Any], ...], me: CodeType) -> CodeType:
    """A step: the code object with the objects of ``table`` in place of placeholders, in nested code too."""
    consts = []
    for const in code.co_consts:
        if type(const) is str and const.startswith(MARK):
            const = find(const[9:], table)  # noqa: PLW2901
        elif type(const) is CodeType:
            const = FunctionType(me, HOST)(const, table, me)  # noqa: PLW2901
        elif type(const) is tuple:
            items = []
            for item in const:
                if type(item) is str and item.startswith(MARK):
                    items.append(find(item[9:], table))
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
        held: Any = module.__dict__
        for attribute, value, code, defaults, keywords in attributes:
            if held.get(attribute) is not value:
                return f"{name}.{attribute} was replaced"
            if code is not None and (  # a function of Python's
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
        else:
            for pair in PRISTINE:
                if pair[0] != helper[1]:
                    continue
                expected: Any = pair[1].__dict__.get(helper[2], found) if helper[2] else pair[1]
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
        if code.co_filename != STEPS_FILE:
            lines.append(f'  File "{code.co_filename}", line {trace.tb_lineno}, in {code.co_name}')
            if code.co_filename != filename:
                try:
                    lines.append("    " + str(getline(code.co_filename, trace.tb_lineno)).strip()[:200])
                except BaseException:  # noqa: BLE001 - a line of text less
                    lines.append("")
        trace = trace.tb_next
    return lines[:1] + lines[1:][-40:], at


def examine(request: tuple[Any, ...], namespace: dict[str, Any]) -> bytes:
    """A step: run one test in the student's namespace, and say what came of it (see `report`).

    What the outcome is, is said by the way that is taken, never by a variable: in Python 3.13 a student's code can
    write to the variables of the frames below it.
    """
    _, filename, body, last, helpers = request
    before = find_change(namespace, helpers)
    if before:
        return report("error", before, ("", "", "", ""), ("", ""), [])
    out, err = StringIO(), StringIO()
    kept = SYS_DICT["stdout"], SYS_DICT["stderr"]
    ename, evalue, at, value = "", "", "", ""
    lines: list[str] = []
    try:
        SYS_DICT["stdout"], SYS_DICT["stderr"] = out, err
        signal(2, default_int_handler)
        execute(fill(loads(body), OBJECTS, FILL), namespace)
        if last:
            result = evaluate(fill(loads(last), OBJECTS, FILL), namespace)
            if result is not None:
                kind = type(result)
                # Another class's text would be the student's to choose.
                value = repr(result)[:200] if kind in (int, float, bool) else f"<{kind.__name__}>"
        signal(2, 1)
    except BaseException as error:  # noqa: BLE001 - a test may raise anything
        signal(2, 1)
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
        return report("error", after, (ename, evalue, at, ""), (out.getvalue(), err.getvalue()), lines)
    SYS_DICT["stdout"], SYS_DICT["stderr"] = kept
    after = find_change(namespace, helpers)
    return report("completed", after, ("", "", "", value), (out.getvalue(), err.getvalue()), lines)


def report(
    outcome: str, change: str, error: tuple[str, str, str, str], streams: tuple[str, str], lines: list[str]
) -> bytes:
    """A step: an answer as JSON of texts.

    They are: what was found changed, the outcome, the error's name, its text, the line of the test, the value's text,
    standard output, standard error, and the traceback's lines.
    """
    texts = []
    for text in [change, outcome, *error, streams[0][-20000:], streams[1][-20000:], *lines]:
        texts.append(quote(text))
    return ("[" + ",".join(texts) + "]").encode("ascii")


def resolve() -> bytes:
    """A step: which names the guard has bound before any of the student's code."""
    texts = []
    for pair in OBJECTS:
        texts.append(quote(pair[0]))
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


def unpack(key: bytes, number: int, data: bytes) -> tuple[Any, ...]:
    """A step: a request from its bytes. One that is not the grader's, or that came before, ends the kernel."""
    if data[:TAG_LENGTH] != checksum(key, number, b"request" + data[TAG_LENGTH:]):
        leave(72)
    request: tuple[Any, ...] = loads(crypt(key, number, data[TAG_LENGTH:]))
    return request


def pack(key: bytes, number: int, answer: bytes) -> bytes:
    """A step: an answer with its checksum and its length."""
    whole = checksum(key, number, b"answer" + answer) + answer
    return len(whole).to_bytes(4, "big") + whole


def answer(request: tuple[Any, ...], namespace: dict[str, Any]) -> bytes:
    """A step: answer one request of either kind."""
    if request[0] == "resolve":
        return resolve()
    gc_enable()
    content = examine(request, namespace)
    quiet()
    return content


def quiet() -> None:
    """A step: from here on no code of the student's runs in this thread by itself, where it would see the key.

    No tracer, no profiler, no handler of a signal, no callback of the garbage collector.
    """
    gc_disable()
    settrace(None)
    setprofile(None)
    if forget_callback is not None:  # Python 3.12
        for tool in (0, 1, 2, 3, 4, 5):
            for event in range(20):
                try:
                    forget_callback(tool, 1 << event, None)
                except ValueError:
                    break
    for number in SIGNALS:
        if callable(getsignal(number)):
            signal(number, 0 if number == 17 else 1)  # 17, a child's end, is not ignored: it would not be waited for


def turn(key: bytes, number: int, namespace: dict[str, Any]) -> None:
    """A step: take one request, and answer it.

    In the line that answers, the key goes onto the evaluation stack and out of the local variable before the
    student's code can run.
    """
    request = unpack(key, number, receive(int.from_bytes(receive(4), "big")))
    SEND(pack((key, key := None)[0], (number, number := 0)[0], answer(request, namespace)))  # type: ignore[assignment]
    gc_enable()


def serve(wait: Callable[[], None]) -> None:
    """A step: the kernel's main loop. ``wait`` runs IPython's own loop, until the grader has sent a test.

    Each `turn` has a frame of its own, which nobody can hold on to before the key is out of it.
    """
    for _ in TURNS():
        wait()
        quiet()


def watch_events(event: str, _arguments: tuple[Any, ...]) -> None:
    """A step, as an audit hook: nobody traces a running test, or looks at the frames of one from elsewhere."""
    if event not in AUDITED:
        return
    if event == "object.__setattr__":
        if type(_arguments[0]) is FunctionType and _arguments[0].__code__.co_filename == STEPS_FILE:
            raise RuntimeError("the grader's functions cannot be changed")
        return
    try:
        raise KeyError
    except KeyError as error:  # asking for the frame by name would be such an event again
        mine: Any = error.__traceback__.tb_frame  # type: ignore[union-attr]
    caller = mine.f_back
    if caller is not None and (caller.f_code is mine.f_code or caller.f_code is QUIET):
        return
    if event == "sys.addaudithook":
        raise RuntimeError("another audit hook is not allowed")
    if event == "sys._getframe":
        while caller is not None and caller.f_code.co_filename == INSPECT_FILE:
            caller = caller.f_back
        if caller is None or not caller.f_code.co_filename.startswith(CELLS):
            return
    frame = current_frames().get(MAIN)
    begun = waits = works = False
    while frame is not None:
        if frame.f_code.co_filename == STEPS_FILE:
            begun = begun or frame.f_code.co_name == "serve"
            works = works or frame.f_code.co_name == "turn"
        waits = waits or frame.f_code is WAIT[0]
        frame = frame.f_back
    if works or (begun and not waits):
        raise RuntimeError(f"{event} is not allowed while a test runs")
