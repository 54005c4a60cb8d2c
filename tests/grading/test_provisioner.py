"""A client of a contained kernel is ready as soon as the kernel has answered, however long that took."""

from __future__ import annotations

import asyncio
from queue import Empty
from typing import Any

import pytest

from w251lab.grading.provisioner import PromptClient


class Kernel:
    """Stands in for the channels of a kernel: each answer comes ``late`` questions after its own."""

    def __init__(self, *, late: int = 0, deaf: int = 0, alive: bool = True) -> None:
        self.late, self.deaf, self.lives = late, deaf, alive
        self.asked = 0
        self.handled: list[Any] = []

    def client(self) -> Any:
        made: Any = PromptClient()
        made.kernel_info = self.ask
        made.get_shell_msg = self.answer
        made.get_iopub_msg = self.hear
        made._handle_kernel_info_reply = self.handled.append
        made._async_is_alive = self.is_alive
        return made

    def ask(self) -> str:
        self.asked += 1
        return f"question {self.asked}"

    async def answer(self, timeout: float) -> dict[str, Any]:
        await asyncio.sleep(0.01)
        assert timeout == 1
        if self.asked <= self.late:
            raise Empty
        return {"msg_type": "kernel_info_reply", "parent_header": {"msg_id": f"question {self.asked - self.late}"}}

    async def hear(self, timeout: float) -> dict[str, Any]:
        assert timeout < 1
        if self.asked <= self.deaf:
            raise Empty
        return {"msg_type": "status"}

    async def is_alive(self) -> bool:
        return self.lives


@pytest.mark.parametrize(("late", "deaf", "questions"), [(0, 0, 1), (3, 0, 4), (0, 2, 3)])
def test_an_answer_counts_also_where_it_is_to_an_earlier_question(late: int, deaf: int, questions: int) -> None:
    kernel = Kernel(late=late, deaf=deaf)
    asyncio.run(kernel.client().wait_for_ready(timeout=5))
    assert kernel.asked == questions
    assert len(kernel.handled) == 1


def test_a_kernel_that_died_or_stays_silent_is_not_waited_for() -> None:
    with pytest.raises(RuntimeError, match="died before it answered"):
        asyncio.run(Kernel(late=10**9, alive=False).client().wait_for_ready(timeout=5))
    with pytest.raises(RuntimeError, match=r"did not answer in 0\.05 s"):
        asyncio.run(Kernel(late=10**9).client().wait_for_ready(timeout=0.05))
