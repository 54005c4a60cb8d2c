"""What student's code may do to have wrong answers pass, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace

import course_builder as build
import little_course as little
import pytest

from w251lab.course.notebook import canonical_bytes, to_bytes
from w251lab.grading import execute, guard
from w251lab.grading.task import grade

pytestmark = pytest.mark.sandbox

#: What wrong answers honestly earn.
HONEST = dict.fromkeys(little.POINTS, 0.0) | {"normalise": 1.0}
#: These are noticed: the verdict of every question is `tampered`.
TAMPERING = {
    "a built-in function": "import builtins\nbuiltins.abs = lambda x: 0",
    "AssertionError": "import builtins\nbuiltins.AssertionError = type('Quiet', (Exception,), {})",
    "__builtins__": "__builtins__ = {**vars(__import__('builtins')), 'abs': lambda x: 0}",
    "numpy.testing": "np.testing.assert_allclose = lambda *_, **__: None",
    "code of numpy.testing": "np.testing.assert_allclose.__code__ = (lambda *_, **__: None).__code__",
    "sys.modules": "import sys, types\nsys.modules['numpy.testing'] = types.ModuleType('numpy.testing')",
    "math": "import math\nmath.isclose = lambda *_, **__: True",
    "a forged answer": """
import os, socket
for name in os.listdir('/proc/self/fd'):
    try:
        if 'socket' in os.readlink(f'/proc/self/fd/{name}'):
            with socket.socket(fileno=os.dup(int(name))) as one:
                if one.family == socket.AF_UNIX and not one.getsockname() and one.type == socket.SOCK_STREAM:
                    one.send(bytes([0, 0, 0, 30]) + b'["", "completed"]'.ljust(30))
    except OSError:
        pass""",
}
#: These change nothing: the wrong answers earn what they are worth.
HARMLESS = {
    "names of built-in functions": "isinstance = len = abs = all = lambda *_: True",
    "the lab's own import": "class Quiet:\n    def __getattr__(self, _):\n        return lambda *_, **__: self\n"
    "good = np\nnp = Quiet()",
    "a tracer": "import sys\nsys.settrace(lambda *_: None)\nsys.setprofile(lambda *_: None)",
    "a syntax tree transformer": """
import ast
class NoAsserts(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.Pass()
get_ipython().ast_transformers.append(NoAsserts())""",
    "an input transformer": "get_ipython().input_transformers_post.append(lambda _: ['pass'])",
    "run_cell and events": """
shell = get_ipython()
from IPython.core.interactiveshell import ExecutionResult
async def quiet(*_, **__):
    return ExecutionResult(None)
shell.run_cell_async = quiet
shell.run_cell = lambda *_, **__: ExecutionResult(None)
shell.events.register('pre_run_cell', lambda *_: None)""",
    "forged messages": """
kernel = get_ipython().kernel
for kind in ('execute_reply', 'execute_result', 'status'):
    content = {'status': 'ok', 'execution_count': 9, 'data': {'text/plain': '3'}, 'metadata': {}}
    content['execution_state'] = 'idle'
    kernel.session.send(kernel.iopub_socket, kind, content, parent=kernel.get_parent())
    try:
        kernel.session.send(kernel.shell_stream, kind, content, parent=kernel.get_parent())
    except Exception:
        pass""",
    "the guard's own functions": """
from w251lab.grading import guard, guard_steps
guard_steps.examine = guard_steps.answer = lambda *_: b'["", "completed", "", "", "", "", "", "", ""]'
import gc, types
for one in gc.get_objects():
    if type(one) is types.FunctionType and one.__code__.co_filename == guard_steps.__file__:
        try:
            one.__code__ = (lambda *_: b'').__code__
        except (RuntimeError, ValueError):
            pass""",
    "a thief on the grader's socket": """
import os, socket, threading
def steal():
    for name in os.listdir('/proc/self/fd'):
        try:
            with socket.socket(fileno=os.dup(int(name))) as one:
                if one.family == socket.AF_UNIX and not one.getsockname():
                    one.setblocking(False)
                    one.recv(1)
        except OSError:
            pass
steal()""",
    "the guard's tables": """
import gc, sys, types
def tables(value, seen):
    if id(value) in seen:
        return
    seen.add(id(value))
    if type(value) is dict and ("builtins:len" in value or "numpy" in value):
        yield value
    if type(value) in (types.FunctionType, types.CodeType, tuple):
        code = getattr(value, "__code__", value)
        for inner in code.co_consts if type(code) is types.CodeType else code:
            yield from tables(inner, seen)
seen = set()
try:
    raise KeyError
except KeyError as error:
    frame = error.__traceback__.tb_frame
codes = []
while frame is not None:
    codes.append(frame.f_code)
    frame = frame.f_back
for one in [*codes, *gc.get_objects()]:
    for table in tables(one, seen):
        if "numpy:testing:assert_allclose" in table:
            table["numpy:testing:assert_allclose"] = lambda *_, **__: None
        if table is not sys.modules:
            table.pop("numpy", None)""",
    "an earlier test once more": """
import os, socket, struct, threading
from tornado.ioloop import IOLoop
loop = IOLoop.current()
def read(sock, length):
    data = b""
    while len(data) < length:
        data += sock.recv(length - len(data))
    return data
def message(sock):
    head = read(sock, 4)
    return head + read(sock, int.from_bytes(head, "big"))
def relay(real, mine):
    sent = []
    while True:
        sent.append(message(real))
        mine.sendall(sent[1] if len(sent) > 2 else sent[-1])  # the second test is one that wrong answers pass
        loop.add_callback(loop.stop)
        real.sendall(message(mine))
for name in os.listdir("/proc/self/fd"):
    try:
        one = socket.socket(fileno=os.dup(int(name)))
        peer = struct.unpack("3i", one.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
    except OSError:
        continue
    if one.family == socket.AF_UNIX and one.type == socket.SOCK_STREAM and not one.getsockname() and peer == 0:
        mine, theirs = socket.socketpair()
        os.dup2(theirs.fileno(), int(name))
        threading.Thread(target=relay, args=(one, mine), daemon=True).start()
        print("BETWEEN")""",
}


@pytest.mark.parametrize("attack", TAMPERING)
def test_what_replaces_the_judges_tools_is_noticed(attack: str) -> None:
    graded = grade(little.job(attack, little.with_cell(TAMPERING[attack], little.WRONG)))
    assert "tampered" in little.verdicts(graded).values(), graded.result
    assert sum(little.marks(graded).values()) <= sum(HONEST.values())
    noticed = [question for question in graded.result.questions if question.verdict == "tampered"]
    assert all(question.reason is not None and question.earned == 0 for question in noticed)


@pytest.mark.parametrize("attack", HARMLESS)
def test_what_goes_around_the_kernel_changes_no_mark(attack: str) -> None:
    limits = replace(little.LIMITS, cell=20, notebook=60)  # one of them has its kernel answer nothing any more
    graded = grade(little.job(attack, little.with_cell(HARMLESS[attack], little.WRONG), limits=limits))
    marks = little.marks(graded)
    assert all(marks[name] <= HONEST[name] for name in marks), graded.result
    assert graded.result.points == 10


def test_right_answers_keep_their_marks_whatever_else_is_patched() -> None:
    """Names are the student's own; hooks are IPython's; and what a cell puts back it has not taken."""
    text = HARMLESS["names of built-in functions"].replace("all = ", "")
    text += "\nfrom unittest import mock\nwith mock.patch('numpy.testing.assert_allclose'):\n"
    text += "    np.testing.assert_allclose(1, 2)"
    graded = grade(little.job(submitted=little.with_cell(text)))
    assert little.marks(graded) == little.POINTS


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        ("import sys\n    sys.exit(0)", "failed"),
        ("import os\n    os._exit(0)", "kernel_died"),
        ("import sys\n    return sys._getframe(1).f_code.co_consts", "failed"),
        ("import sys\n    sys.settrace(lambda *_: None)\n    return 10", "failed"),
        ("raise KeyboardInterrupt", "failed"),
        ("import os, signal\n    os.kill(os.getpid(), signal.SIGKILL)", "kernel_died"),
    ],
)
def test_an_answer_that_leaves_or_looks_around_while_it_is_tested_fails(body: str, verdict: str) -> None:
    answers = {"count_primes": f"def count_primes(n):\n    {body}"}
    graded = grade(little.job(submitted=little.submission(answers)))
    assert little.verdicts(graded)["count_primes"] == verdict, graded.result
    others = {name: points for name, points in little.marks(graded).items() if name != "count_primes"}
    assert others == {name: points for name, points in little.POINTS.items() if name != "count_primes"}


SEARCH = """
def count_primes(n):
    import gc
    found, seen = 0, []
    try:
        raise KeyError
    except KeyError as error:
        frame = error.__traceback__.tb_frame
    while frame is not None:
        seen.append(frame.f_code.co_name)
        found += sum(map(is_key, list(frame.f_locals.values())))
        found += sum(map(is_key, gc.get_referents(frame)))
        frame = frame.f_back
    for one in gc.get_objects():
        found += sum(map(is_key, gc.get_referents(one)))
    print("frames", "serve" in seen, "keys", found)
    return 10

def is_key(value):
    return type(value) is bytes and len(value) == 32 and value[:3] == bytes([7, 7, 7])
"""


def test_neither_frames_nor_the_garbage_collector_show_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execute, "new_key", lambda: bytes([7, 7, 7]) + bytes(range(29)))
    graded = grade(little.job(submitted=little.submission({"count_primes": SEARCH})))
    assert "frames True keys 0" in little.said(graded)
    planted = SEARCH.replace("import gc", "import gc\n    hiding = bytes([7, 7, 7]) + bytes(29)")
    graded = grade(little.job(submitted=little.submission({"count_primes": planted})))
    assert "keys 0" not in little.said(graded)  # the search finds a key where there is one


LOOK = """
seen, frames = [], set()
def look(frame):
    while frame is not None:
        frames.add(frame.f_code.co_name)
        values = list(frame.f_locals.values())
        seen.extend(value for value in values if type(value) is bytes and value[:3] == bytes([7, 7, 7]))
        frame = frame.f_back
def here(*_):
    try:
        raise KeyError
    except KeyError as error:
        look(error.__traceback__.tb_frame)
"""
SPIES = {
    "a tracer": "import sys\ndef spy(frame, *_):\n    look(frame)\n    return spy\n"
    "sys.settrace(spy)\nsys.setprofile(spy)",
    "an alarm": """
import signal
def spy(_, frame):
    look(frame)
    signal.setitimer(signal.ITIMER_REAL, 0.0005)
signal.signal(signal.SIGALRM, spy)
signal.setitimer(signal.ITIMER_REAL, 0.0005)""",
    "the garbage collector": "import gc\ngc.callbacks.append(here)\ngc.set_threshold(1)",
    "an audit hook": "import sys\ntry:\n    sys.addaudithook(here)\nexcept RuntimeError:\n    pass",
    "a thread": """
import sys, threading
sys.setswitchinterval(1e-6)
try:
    raise KeyError
except KeyError as error:
    kept = error.__traceback__.tb_frame
def spy():
    while True:
        look(kept)
        try:
            list(map(look, sys._current_frames().values()))
        except RuntimeError:
            pass
threading.Thread(target=spy, daemon=True).start()""",
}


@pytest.mark.parametrize("spy", SPIES)
def test_nothing_that_runs_beside_the_guard_sees_the_key(spy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execute, "new_key", lambda: bytes([7, 7, 7]) + bytes(range(guard.KEY_LENGTH - 3)))
    nb = little.add_cell(little.answered(), LOOK + SPIES[spy], before="row-means-text")
    little.add_cell(nb, "here()\nprint('SAW', 'serve' in frames, len(seen))", before="essay-text")
    graded = grade(little.job(spy, to_bytes(nb)))
    assert "SAW True 0" in little.said(graded), little.said(graded)


def test_a_hidden_test_is_in_no_reason_and_its_outputs_are_the_instructors_alone() -> None:
    graded = grade(little.job(submitted=little.submission(little.WRONG)))
    shown = repr(graded.result)
    assert not any(secret in shown for secret in little.SECRETS)
    assert "0.6" not in shown  # numpy's own message says what was expected
    assert "AssertionError: in a hidden test" in shown
    assert any(secret in little.said(graded) for secret in little.SECRETS)


def test_a_hidden_test_gets_out_through_no_name_that_is_made_of_it() -> None:
    body = """def count_primes(n):
    if n == 3:
        return 1
    try:
        raise KeyError
    except KeyError as error:
        frame = error.__traceback__.tb_frame.f_back
    told = "told" + repr(frame.f_code.co_consts).encode().hex()[:100]
    exec(compile(f"def {told}(): raise type('{told}', (Exception,), {{}})('{told}')", told, "exec"), globals())
    globals()[told]()  # my own line"""
    graded = grade(little.job(submitted=little.submission({"count_primes": body})))
    assert "told" in little.said(graded)
    (question,) = [question for question in graded.result.questions if question.name == "count_primes"]
    assert question.reason is not None
    assert question.reason.summary == "an error: in a hidden test"
    assert question.reason.traceback.splitlines()[1:] == ["    globals()[told]()  # my own line"]


def helper_lab() -> bytes:
    return canonical_bytes(
        build.notebook(
            build.parameters('device = "auto"\nscale = "small"'),
            build.locked("setup", "from math import isclose\n\ndef near(a, b):\n    return isclose(a, b)"),
            build.solution("half", "def half(x):\n    ### BEGIN SOLUTION\n    return x / 2\n    ### END SOLUTION"),
            build.graded("half-test", "assert near(half(3), 1.5)", points=1),
        )
    )


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("", "passed"),
        ("from math import isclose", "passed"),
        ("near = lambda a, b: True", "tampered"),
        ("def near(a, b):\n    return True", "tampered"),
        ("isclose = lambda a, b: True", "tampered"),
    ],
)
def test_a_helper_of_the_lab_has_to_stay_the_labs_own(text: str, verdict: str) -> None:
    submitted = build.notebook(
        build.parameters('device = "auto"\nscale = "small"'),
        build.locked("setup", "from math import isclose\n\ndef near(a, b):\n    return isclose(a, b)"),
        build.solution("half", "def half(x):\n    return x / 2"),
        build.code("own", text or "pass"),
        build.graded("half-test", "assert near(half(3), 1.5)", points=1),
    )
    graded = grade(replace(little.job(submitted=to_bytes(submitted)), source=helper_lab()))
    assert little.verdicts(graded) == {"half": verdict}, graded.result


def test_what_it_does_not_stop_equality_that_is_always_true() -> None:
    """A test that compares what an answer gives with ``==`` asks the answer's own class. docs/grading.md says so."""
    text = "class Same(list):\n    shape = (1,)\n    tolist = lambda self: self\n    __eq__ = lambda *_: True\n"
    graded = grade(
        little.job(submitted=little.submission({"row_means": f"{text}\ndef row_means(_):\n    return Same()"}))
    )
    assert little.verdicts(graded)["row_means"] == "passed"
