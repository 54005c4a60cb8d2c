"""`w251lab restore`: files in, files out, and what fails is said and counted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from w251lab.errors import UsageError
from w251lab.faces import batch, pictures

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from w251lab.faces.baseline import BaselineRestorer


def w251lab(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = "import sys; from w251lab.cli import main; sys.argv[0] = 'w251lab'; main()"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=280, check=False
    )


def test_what_can_be_restored_is_and_the_rest_is_said(collins: NDArray[np.uint8], tmp_path: Path) -> None:
    small = Image.fromarray(collins).crop((145, 40, 305, 200)).resize((60, 60))
    small.save(tmp_path / "her photo.png")
    (tmp_path / "letter.txt").write_text("Dear Eileen")
    output = tmp_path / "new" / "folder"
    arguments = [str(tmp_path / "letter.txt"), str(tmp_path / "her photo.png"), "-m", "baseline", "-o", str(output)]
    done = w251lab("restore", *arguments, "--upscale", "1.5")
    assert done.returncode == 1
    assert done.stdout.startswith("Real-ESRGAN x4plus (baseline) on the CPU\n")
    assert "her photo.png: 1 face restored in" in done.stdout
    assert "the background was enlarged by Real-ESRGAN x4plus" in done.stdout
    assert "letter.txt' is no picture that can be read\n  what to do: give a JPEG" in done.stderr
    assert "Traceback" not in done.stderr
    assert [each.name for each in output.iterdir()] == ["her photo.png"]
    assert pictures.read_picture(output / "her photo.png").shape == (90, 90, 3)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["-m", "codeformer"], "codeformer"),
        (["--upscale", "9"], "upscale"),
        (["-m", "baseline", "--device", "gpu"], "CPU"),
    ],
)
def test_wrong_usage_is_one_sentence(arguments: list[str], word: str, tmp_path: Path) -> None:
    done = w251lab("restore", str(pictures.portrait_path()), "-o", str(tmp_path / "out"), *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert word in done.stderr
    assert not (tmp_path / "out").exists()


def test_no_picture_is_written_over_another(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="would both be written"):
        batch.targets([Path("a/me.jpg"), Path("b/me.png")], tmp_path)
    with pytest.raises(UsageError, match="would be overwritten"):
        batch.targets([tmp_path / "me.png"], tmp_path)
    (tmp_path / "me.png").touch()  # perhaps another photograph
    with pytest.raises(UsageError, match=r"me\.png, which lies beside me\.jpg"):
        batch.targets([tmp_path / "me.jpg"], tmp_path)
    assert batch.targets([tmp_path / "in" / "me.jpg"], tmp_path), "a second run replaces the first one's"
    twice = batch.targets([Path("me.jpg"), Path("me.jpg")], tmp_path)
    assert twice == {Path("me.jpg"): tmp_path / "me.png"}


def test_a_line_says_at_which_size_a_large_picture_was_read(
    collins: NDArray[np.uint8], quick: BaselineRestorer, tmp_path: Path
) -> None:
    files = {pictures.portrait_path(): tmp_path / "small.png"}
    (line,) = batch.restore_files(files, quick, upscale=1, largest=256)
    assert not line.failed
    assert "it was read at 256 x 256 pixels" in line.text
    assert pictures.read_picture(tmp_path / "small.png").shape == (256, 256, 3)
    with pytest.raises(UsageError, match="largest"):
        list(batch.restore_files(files, quick, upscale=1, largest=0))
