from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from fake_nvml import GIB

from w251lab import accelerator
from w251lab.accelerator import machine as machine_module

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_this_machine_is_described_from_what_the_kernel_says() -> None:
    machine = accelerator.describe()
    assert 1 <= machine.cores <= (os.cpu_count() or 1)
    assert GIB // 4 < machine.memory <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert machine.cpu
    assert "Linux" in machine.platform
    assert bool(machine.gpus) != bool(machine.why_no_gpu)
    assert bool(machine.why_no_gpu) == bool(machine.gpu_remedy)
    assert accelerator.devices() == machine.gpus


def test_cores_follow_the_affinity_of_the_process() -> None:
    core = min(os.sched_getaffinity(0))
    pin = f"import os; os.sched_setaffinity(0, {{{core}}})"
    program = f"{pin}\nfrom w251lab import accelerator\nprint(accelerator.describe().cores)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_control_groups_of_version_2(tmp_path: Path) -> None:
    membership, tree = tmp_path / "cgroup", tmp_path / "fs"
    membership.write_text("0::/job/step\n")
    write(tree / "job" / "step" / "cpu.max", "max 100000\n")
    write(tree / "job" / "cpu.max", "150000 100000\n")
    groups = list(machine_module._control_groups("cpu", membership, tree))
    assert tree / "job" / "step" in groups
    assert [machine_module._cpu_share(group) for group in groups if group.name in {"job", "step"}] == [None, 1.5]


def test_control_groups_of_version_1_in_a_container(tmp_path: Path) -> None:
    membership, tree = tmp_path / "cgroup", tmp_path / "fs"
    membership.write_text("5:cpu,cpuacct:/docker/0123\n4:memory:/docker/0123\n")
    write(tree / "cpu,cpuacct" / "cpu.cfs_quota_us", "50000\n")
    write(tree / "cpu,cpuacct" / "cpu.cfs_period_us", "100000\n")
    groups = list(machine_module._control_groups("cpu", membership, tree))
    assert groups == [tree / "cpu,cpuacct"], "the host's path does not exist in the container"
    assert machine_module._cpu_share(groups[0]) == 0.5


def test_a_limit_counts_for_the_cores_and_the_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write(tmp_path / "cpu.max", "50000 100000\n")
    write(tmp_path / "memory.max", "1073741824\n")
    monkeypatch.setattr(machine_module, "_control_groups", lambda _controller: iter([tmp_path]))
    machine = accelerator.describe()
    assert (machine.cores, machine.memory) == (1, GIB)
    write(tmp_path / "memory.max", "max\n")
    write(tmp_path / "cpu.max", "max 100000\n")
    assert accelerator.describe().memory == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def test_the_processor_is_named_where_the_kernel_names_it(tmp_path: Path) -> None:
    write(tmp_path / "cpuinfo", "processor\t: 0\nmodel name\t: A Processor : 3 GHz\n")
    assert machine_module._cpu_model(tmp_path / "cpuinfo") == "A Processor : 3 GHz"
    assert machine_module._cpu_model(tmp_path / "absent")
