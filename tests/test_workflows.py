from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from pathlib import Path

WORKFLOWS = ("ci.yml", "gpu.yml")


def load(root: Path, name: str) -> dict[str, Any]:
    # YAML 1.1 reads the key `on` as true.
    loaded: dict[Any, Any] = yaml.safe_load((root / ".github" / "workflows" / name).read_text())
    loaded["on"] = loaded.pop(True)
    return loaded


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def targets(makefile: Path) -> set[str]:
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile.read_text(), re.MULTILINE)
    return set(phony.split())


def check(schema: str, *files: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def lint_commands(root: Path) -> list[str]:
    (recipe,) = re.findall(r"^lint:.*\n((?:\t.*\n)+)", (root / "Makefile").read_text(), re.MULTILINE)
    return [line.strip().replace("$(BIN)", ".venv/bin") for line in recipe.splitlines()]


def test_every_workflow_is_known_to_these_tests(root: Path) -> None:
    assert sorted(path.name for path in (root / ".github" / "workflows").iterdir()) == sorted(WORKFLOWS)


@pytest.mark.parametrize("schema", ["vendor.github-workflows", "custom.github-workflows-require-timeout"])
def test_workflows_follow_the_published_schema(root: Path, schema: str) -> None:
    done = check(schema, *(root / ".github" / "workflows" / name for name in WORKFLOWS))
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_broken_workflow_is_found(root: Path, tmp_path: Path) -> None:
    text = (root / ".github" / "workflows" / "ci.yml").read_text()
    broken = tmp_path / "ci.yml"
    broken.write_text(text.replace("    steps:\n", "    stages:\n", 1))
    assert check("vendor.github-workflows", broken).returncode == 1
    broken.write_text(text.replace("    timeout-minutes: 30\n", "", 1))
    assert check("custom.github-workflows-require-timeout", broken).returncode == 1


@pytest.mark.parametrize("name", WORKFLOWS)
def test_workflows_call_make_targets_that_exist(root: Path, name: str) -> None:
    commands = [step["run"].split() for step in steps(load(root, name)) if "run" in step]
    called = {command[1] for command in commands if command[0] == "make"}
    assert called
    assert called <= targets(root / "Makefile")
    # As root: what the sandbox of a submission needs of the machine.
    others = [command for command in commands if command[0] not in ("make", "sudo")]
    assert len(others) == (1 if name == "ci.yml" else 0), "only the aggregating job does anything else"


@pytest.mark.parametrize("name", WORKFLOWS)
def test_workflows_may_read_only_and_pin_their_actions(root: Path, name: str) -> None:
    workflow = load(root, name)
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]["cancel-in-progress"] is True
    assert not any("permissions" in job for job in workflow["jobs"].values())
    used = [step["uses"] for step in steps(workflow) if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action) for action in used)
    text = (root / ".github" / "workflows" / name).read_text()
    assert len(re.findall(r"uses: \S+@[0-9a-f]{40} # v\d+\.\d+\.\d+\n", text)) == len(used), "each with its version"


def test_ci_covers_the_supported_pythons_and_ends_in_one_job(root: Path) -> None:
    workflow = load(root, "ci.yml")
    assert set(workflow["on"]) == {"push", "pull_request"}
    versions = workflow["jobs"]["test"]["strategy"]["matrix"]["python"]
    classifiers = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', (root / "pyproject.toml").read_text())
    assert versions == classifiers
    last = workflow["jobs"]["all-green"]
    assert set(last["needs"]) == set(workflow["jobs"]) - {"all-green"}
    assert "always()" in last["if"], "a skipped aggregating job would count as passed"


@pytest.mark.parametrize(
    ("results", "status"),
    [("success success", 0), ("success failure", 1), ("failure success", 1), ("success skipped", 1), ("cancelled", 1)],
)
def test_the_last_job_fails_when_any_other_did(root: Path, results: str, status: int) -> None:
    (step,) = load(root, "ci.yml")["jobs"]["all-green"]["steps"]
    environment = {**os.environ, "RESULTS": results}
    # As the runner does it.
    done = subprocess.run(["bash", "-e", "-c", step["run"]], env=environment, capture_output=True, check=False)
    assert done.returncode == status


def test_gpu_runs_are_never_started_by_a_pull_request(root: Path) -> None:
    workflow = load(root, "gpu.yml")
    assert set(workflow["on"]) == {"workflow_dispatch", "schedule"}
    assert "self-hosted" in workflow["jobs"]["run"]["runs-on"]
    assert any("make run DEVICE=gpu" in step.get("run", "") for step in steps(workflow))


def test_the_ci_entry_point_runs_the_test_target(root: Path) -> None:
    script = root / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text().splitlines()[-1] == "exec make test"
    assert "for tool in make git python3; do" in script.read_text(), "nothing else needs root"
    subprocess.run(["bash", "-n", str(script)], check=True)


def test_git_hooks_run_what_make_lint_runs(root: Path) -> None:
    file = root / ".pre-commit-config.yaml"
    subprocess.run([sys.executable, "-m", "pre_commit", "validate-config", str(file)], check=True)
    repositories = yaml.safe_load(file.read_text())["repos"]
    assert [repository["repo"] for repository in repositories] == ["local"], "the others fetch from the network"
    hooks = [hook for repository in repositories for hook in repository["hooks"]]
    assert [hook["entry"] for hook in hooks] == lint_commands(root)
    assert {hook["language"] for hook in hooks} == {"unsupported"}, "the environment of .venv, nothing of its own"
