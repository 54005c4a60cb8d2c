from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from w251lab.dali import sources
from w251lab.errors import UsageError, W251Error

if TYPE_CHECKING:
    from collections.abc import Callable

    from w251lab.dali.sources import Source


def _fill(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"content of " + name.encode())
    return root


def test_a_folder_of_pictures_is_one_class(tmp_path: Path) -> None:
    root = _fill(tmp_path / "dogs here", "b.JPG", "a.png", "readme.md", ".hidden.jpg", ".ipynb_checkpoints/a.jpg")
    found = sources.folder(root)
    assert [Path(name).name for name in found.names] == ["a.png", "b.JPG"]
    assert found.labels == (0, 0)
    assert found.classes == ("dogs here",)
    assert found.read(1) == b"content of b.JPG"
    assert repr(found) == "Source(2 pictures, files, 1 labels)"


def test_a_folder_of_folders_has_a_class_for_each(tmp_path: Path) -> None:
    found = sources.folder(_fill(tmp_path, "dog/2.jpg", "dog/1.jpg", "cat/deep/down/3.webp", ".git/4.jpg"))
    assert found.classes == ("cat", "dog")
    assert found.labels == (0, 1, 1)
    assert [Path(name).stem for name in found.names] == ["3", "1", "2"]


def test_a_relative_folder_is_found_from_another_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _fill(tmp_path / "set", "a.jpg")
    monkeypatch.chdir(tmp_path)
    found = sources.folder("set")
    monkeypatch.chdir("/")
    assert found.read(0) == b"content of a.jpg"


@pytest.mark.parametrize(
    ("names", "what"),
    [
        ((), "holds no pictures"),
        (("notes.txt", ".a.jpg"), "holds no pictures"),
        (("a.jpg", "dog/b.jpg"), r"both pictures \(a.jpg\) and folders of pictures \(dog\)"),
        (("cat/a.jpg", "dog/notes.txt"), "class 'dog' in .* holds no pictures"),
    ],
)
def test_folders_that_are_no_data_set(tmp_path: Path, names: tuple[str, ...], what: str) -> None:
    with pytest.raises(W251Error, match=what) as caught:
        sources.folder(_fill(tmp_path, *names))
    assert caught.value.remedy


def test_what_is_no_folder_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    _fill(tmp_path, "images/a.jpg")
    with pytest.raises(W251Error, match=r"did you mean .*images"):
        sources.folder(tmp_path / "imags")
    with pytest.raises(W251Error, match="is not a folder"):
        sources.folder(tmp_path / "images" / "a.jpg")
    with pytest.raises(W251Error, match=r"there is no folder .* either"):
        sources.folder(tmp_path / "no" / "such")


def test_a_list_of_files_keeps_its_order_and_labels(tmp_path: Path) -> None:
    _fill(tmp_path, "b.jpg", "a.bin")
    found = sources.files([tmp_path / "b.jpg", str(tmp_path / "a.bin")], labels=[7, 0])
    assert [Path(name).name for name in found.names] == ["b.jpg", "a.bin"]
    assert found.labels == (7, 0)
    assert sources.files([tmp_path / "b.jpg"]).labels == (0,)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    _fill(tmp_path, "a.jpg")
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(W251Error, match=r"picture .*b\.jpg cannot be read") as caught:
        sources.files([tmp_path / "a.jpg", tmp_path / "b.jpg"])
    assert "a.jpg" in caught.value.remedy
    with pytest.raises(W251Error, match=r"empty\.jpg has 0 bytes"):
        sources.folder(tmp_path)
    with pytest.raises(W251Error, match="is not a file"):
        sources.files([tmp_path])
    with pytest.raises(W251Error, match="is empty"):
        sources.files([])
    with pytest.raises(UsageError, match="is one path"):
        sources.files(str(tmp_path / "a.jpg"))


@pytest.mark.parametrize("labels", [[1], [1, -1], [1, 2.0], [1, 2**31], [True, 1]])
def test_labels_that_cannot_be_meant(labels: list[int]) -> None:
    with pytest.raises(UsageError, match="label"):
        sources.encoded([b"a", b"b"], labels=labels)


def test_bytes_in_memory() -> None:
    found = sources.encoded([b"a", bytearray(b"bc")], labels=[3, 1], names=["x", "y"])
    assert (len(found), found.read(1), found.names, found.labels) == (2, b"bc", ("x", "y"), (3, 1))
    assert sources.encoded([b"a"]).names == ("picture 0",)
    assert "2 pictures, in memory" in repr(found)


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda: sources.encoded([]), "is empty"),
        (lambda: sources.encoded(b"abc"), "one picture"),  # type: ignore[arg-type]
        (lambda: sources.encoded([b"a", b""], names=["x", "y"]), "y has 0 bytes"),
        (lambda: sources.encoded([b"a"], names=["x", "y"]), "2 names for 1 pictures"),
        (lambda: sources.encoded(["a.jpg"]), "picture 0 is of type str"),  # type: ignore[list-item]
    ],
)
def test_what_is_no_list_of_bytes_is_refused(make: Callable[[], Source], what: str) -> None:
    with pytest.raises(W251Error, match=what):
        make()


def test_a_file_that_went_away_is_named(tmp_path: Path) -> None:
    found = sources.folder(_fill(tmp_path, "a.jpg"))
    (tmp_path / "a.jpg").unlink()
    with pytest.raises(W251Error, match=r"a\.jpg cannot be read"):
        found.read(0)
