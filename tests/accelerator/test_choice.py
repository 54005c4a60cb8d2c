from __future__ import annotations

import pytest

from w251lab import accelerator
from w251lab.errors import UsageError, W251Error


def test_a_real_machine_without_a_gpu_says_so() -> None:
    machine = accelerator.describe()
    if machine.gpus:
        assert accelerator.resolve_device("auto") == accelerator.resolve_device("gpu") == "gpu"
        return
    assert accelerator.resolve_device("auto") == "cpu"
    with pytest.raises(W251Error) as caught:
        accelerator.resolve_device("gpu")
    assert machine.why_no_gpu in caught.value.what
    assert machine.gpu_remedy in caught.value.remedy
    assert not isinstance(caught.value, UsageError)


@pytest.mark.parametrize("word", ["cuda", "GPU", "cpus", "", "gpu "])
def test_an_unknown_word_is_wrong_usage(word: str) -> None:
    with pytest.raises(UsageError, match="unknown device") as caught:
        accelerator.resolve_device(word)
    assert "use auto, cpu or gpu" in caught.value.remedy
    if word == "GPU":
        assert "did you mean 'gpu'" in caught.value.remedy
