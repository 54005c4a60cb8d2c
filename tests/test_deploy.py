"""The ways to a cluster for grading, held against their schemas and against dask's own command line."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = "tests/schemas/kubernetes-1.33.json"
MANIFEST = "deploy/kubernetes/grading.yaml"
VARIABLE = "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES"


@pytest.fixture
def documents(root: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((root / MANIFEST).read_text()))


@pytest.fixture
def services(root: Path) -> dict[str, Any]:
    return yaml.safe_load((root / "docker-compose.yml").read_text())["services"]


def test_the_manifest_follows_kubernetes_own_definitions(root: Path, documents: list[dict[str, Any]]) -> None:
    validator = jsonschema.Draft202012Validator(json.loads((root / SCHEMA).read_text()))
    assert [document["kind"] for document in documents] == ["Deployment", "Service", "Deployment", "NetworkPolicy"]
    assert all(validator.is_valid(document) for document in documents)
    for change in ({"replica": 1}, {"selector": []}, {"template": "none"}):
        broken = deepcopy(documents[0])
        broken["spec"] |= change
        assert not validator.is_valid(broken), change


def commands(documents: list[dict[str, Any]], services: dict[str, Any]) -> dict[str, list[str]]:
    containers = [document["spec"]["template"]["spec"]["containers"][0] for document in (documents[0], documents[2])]
    found = {f"kubernetes {container['name']}": container["args"] for container in containers}
    return found | {f"compose {name}": services[name]["command"] for name in ("scheduler", "worker")}


def test_dask_knows_every_option_that_is_given(documents: list[dict[str, Any]], services: dict[str, Any]) -> None:
    known = {}
    for program in ("scheduler", "worker"):
        said = subprocess.run(
            [sys.executable, "-m", "dask", program, "--help"], capture_output=True, text=True, check=True
        ).stdout
        known[program] = set(re.findall(r"--[\w-]+", said))
    given = commands(documents, services)
    assert len(given) == 4
    for place, words in given.items():
        program = place.split()[1]
        assert words[:2] == ["dask", program]
        options = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert options
        assert options <= known[program], place


def test_scheduler_and_workers_find_each_other_and_leave_lost_tasks_to_the_grader(
    documents: list[dict[str, Any]], services: dict[str, Any]
) -> None:
    scheduler, service, worker, policy = documents
    pod = scheduler["spec"]["template"]["spec"]["containers"][0]
    assert {variable["name"]: variable["value"] for variable in pod["env"]} == {VARIABLE: "0"}
    assert services["scheduler"]["environment"] == {VARIABLE: "0"}
    address = f"tcp://{service['metadata']['name']}:{service['spec']['ports'][0]['port']}"
    assert address in worker["spec"]["template"]["spec"]["containers"][0]["args"]
    assert "tcp://scheduler:8786" in services["worker"]["command"]
    for deployment in (scheduler, worker):
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        assert deployment["spec"]["selector"]["matchLabels"].items() <= labels.items()
        assert policy["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
    assert service["spec"]["selector"] == scheduler["spec"]["selector"]["matchLabels"]


def test_every_pod_and_service_gives_up_what_it_does_not_need(
    documents: list[dict[str, Any]], services: dict[str, Any]
) -> None:
    for deployment in (documents[0], documents[2]):
        pod = deployment["spec"]["template"]["spec"]
        context = pod["containers"][0]["securityContext"]
        assert pod["automountServiceAccountToken"] is False
        assert (context["runAsNonRoot"], context["runAsUser"], context["capabilities"]) == (
            True,
            1000,
            {"drop": ["ALL"]},
        )
    for name in ("scheduler", "worker"):
        merged = services[name]
        assert merged["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in merged["security_opt"]


def test_the_image_has_bubblewrap_and_does_not_run_as_root(root: Path, services: dict[str, Any]) -> None:
    text = (root / "environments" / services["worker"]["build"]["dockerfile"]).read_text()
    assert re.search(r"install .*\bbubblewrap\b", text)
    assert re.findall(r"^USER (\S+)", text, re.MULTILINE)[-1] == "student"
    assert services["worker"]["image"] == services["scheduler"]["image"] == "w251lab-grader"
