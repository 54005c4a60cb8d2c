from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from pathlib import Path

COMPOSE = "docker-compose.yml"
CONTAINERFILE = "environments/lab.Containerfile"
# A registry and a repository with a tag; or a Triton image by its bare name, as prose and shell lines give it.
IMAGE = re.compile(
    r"(?:\b(?:nvcr|docker|ghcr|quay|gcr)\.io/[\w./-]+|(?<![\w./-])(?:nvidia/)?tritonserver):(?P<tag>\d[\w.-]*\w)"
)


@pytest.fixture
def images(root: Path) -> set[str]:
    table = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["w251lab"]["images"]
    return set(table.values())


@pytest.fixture
def compose(root: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((root / COMPOSE).read_text())
    return loaded


def files_of_the_project(root: Path) -> list[Path]:
    """What git has or would take; in an unpacked archive without git, everything but hidden and generated folders."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, check=False)
    if listed.returncode == 0:
        found = [root / name for name in listed.stdout.decode().split("\0") if name]
    else:
        found = [path for path in root.rglob("*") if not {".venv", ".venv-server", ".tools"} & set(path.parts)]
    return [path for path in found if path.is_file()]


def text_of(file: Path) -> str:
    content = file.read_bytes()
    return "" if b"\0" in content[:4096] else content.decode("utf-8", errors="replace")


def named_images(text: str) -> list[str]:
    return [match.group() for match in IMAGE.finditer(text)]


def wrong_images(files: dict[str, str], images: set[str]) -> list[str]:
    """Each mention that is no image of the table, with its file."""
    allowed = images | {image.removeprefix("nvcr.io/") for image in images}
    allowed |= {image.removeprefix("nvcr.io/nvidia/") for image in images}
    return [f"{name}: {image}" for name, text in files.items() for image in named_images(text) if image not in allowed]


def test_every_file_that_names_an_image_agrees_with_the_table(root: Path, images: set[str]) -> None:
    texts = {str(path.relative_to(root)): text_of(path) for path in files_of_the_project(root)}
    del texts["tests/test_containers.py"]  # it names wrong ones on purpose
    naming = {name for name, text in texts.items() if named_images(text)}
    assert {"pyproject.toml", COMPOSE, CONTAINERFILE} <= naming
    assert wrong_images(texts, images) == []


@pytest.mark.parametrize(
    ("file", "right", "wrong"),
    [
        (COMPOSE, "tritonserver:24.10-py3", "tritonserver:24.11-py3"),
        (COMPOSE, "nvcr.io/nvidia/tritonserver:24.10-py3", "nvcr.io/nvidia/tritonserver:24.10-py3-igpu"),
        (CONTAINERFILE, "python:3.11-slim-bookworm", "python:3.12-slim-bookworm"),
    ],
)
def test_a_wrong_tag_is_found(root: Path, images: set[str], file: str, right: str, wrong: str) -> None:
    text = (root / file).read_text()
    assert right in text
    assert wrong_images({file: text}, images) == []
    (said,) = wrong_images({file: text.replace(right, wrong, 1)}, images)
    assert wrong in said


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("docker run nvcr.io/nvidia/tritonserver:23.01-py3 tritonserver", ["nvcr.io/nvidia/tritonserver:23.01-py3"]),
        ('"!docker pull nvcr.io/nvidia/tritonserver:24.10-py3\\n"', ["nvcr.io/nvidia/tritonserver:24.10-py3"]),
        ("the image tritonserver:24.10-py3.", ["tritonserver:24.10-py3"]),
        ("nvcr.io/nvidia/tritonserver:YY.MM-py3 stands for any", []),
        ("http://tritonserver:8000/v2 is an address", []),
    ],
)
def test_how_an_image_is_recognised(text: str, found: list[str]) -> None:
    assert named_images(text) == found


def test_every_image_that_compose_and_the_containerfile_use_is_in_the_table(
    root: Path, images: set[str], compose: dict[str, Any]
) -> None:
    pulled = {service["image"] for service in compose["services"].values() if "build" not in service}
    bases = set(re.findall(r"^FROM\s+(\S+)", (root / CONTAINERFILE).read_text(), re.MULTILINE))
    assert pulled
    assert bases
    assert pulled | bases <= images


def check_schema(file: Path) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
        "-o",
        "json",
        str(file),
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_compose_follows_the_published_schema(root: Path, tmp_path: Path) -> None:
    done = check_schema(root / COMPOSE)
    assert done.returncode == 0, done.stdout
    broken = tmp_path / "docker compose.yml"
    broken.write_text((root / COMPOSE).read_text().replace("    healthcheck:\n", "    health-check:\n"))
    done = check_schema(broken)
    assert done.returncode == 1
    assert "health-check" in json.dumps(json.loads(done.stdout))


def test_the_services_and_their_profiles(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert {name: service.get("profiles") for name, service in services.items()} == {
        "jupyterlab": None,
        "triton-cpu": ["cpu"],
        "triton-gpu": ["gpu"],
        "scheduler": ["grading"],
        "worker": ["grading"],
    }
    for name in ("triton-cpu", "triton-gpu"):
        assert services[name]["healthcheck"]["test"][-1].endswith("/v2/health/ready")
        assert {port.split(":")[1] for port in services[name]["ports"]} == {"8000", "8001", "8002"}
        (mount,) = services[name]["volumes"]
        assert mount["read_only"] is True
        assert f"--model-repository={mount['target']}" in services[name]["command"]
    (device,) = services["triton-gpu"]["deploy"]["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "count": "all", "capabilities": ["gpu"]}
    assert "deploy" not in services["triton-cpu"]


def test_every_port_is_published_on_this_machine_only(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service["ports"]]
    assert ports
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in ports)


def test_what_the_containerfile_copies_is_there_and_not_ignored(root: Path, compose: dict[str, Any]) -> None:
    assert compose["services"]["jupyterlab"]["build"]["dockerfile"] == CONTAINERFILE
    lines = re.sub(r"\\\n", " ", (root / CONTAINERFILE).read_text()).splitlines()
    copies = [line.split()[1:] for line in lines if line.startswith("COPY ")]
    sources = {word for words in copies for word in words[:-1] if not word.startswith("--")}
    assert {"pyproject.toml", "environments", "w251lab", "labs"} <= sources
    assert [source for source in sources if not (root / source).exists()] == []
    ignore = (root / f"{CONTAINERFILE}.dockerignore").read_text().splitlines()
    assert "*" in ignore
    assert sources == {line.removeprefix("!") for line in ignore if line.startswith("!")}


def test_the_lab_container_does_not_run_as_root(root: Path) -> None:
    lines = (root / CONTAINERFILE).read_text().splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users == ["student"]
    assert lines.index("USER student") < next(n for n, line in enumerate(lines) if line.startswith("COPY "))
