from __future__ import annotations

import stat
import zipfile
from typing import TYPE_CHECKING, Any

import little_course as little
import pytest

from w251lab.errors import UsageError
from w251lab.grading import collect as module
from w251lab.grading.collect import Collected, collect
from w251lab.grading.platforms import read_name, student_id

if TYPE_CHECKING:
    from pathlib import Path

    from w251lab.course.catalog import Course

NOTEBOOKS = ("kmeans", "data_frames", "frames")


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return little.write_course(tmp_path / "course")


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def run(course: Course, files: dict[str, bytes], **options: Any) -> Collected:
    return collect(course, course.labs[0], zipped(course.root.parent / "export.zip", files), **options)


def handed(course: Course) -> dict[str, bytes]:
    """Everything in submitted/, as student/file -> content."""
    root = course.root / "submitted"
    paths = [path for path in root.rglob("*") if path.is_file()]
    return {path.relative_to(root).as_posix().replace(f"/{little.LAB}/", "/"): path.read_bytes() for path in paths}


@pytest.mark.parametrize(
    ("path", "student", "file"),
    [
        ("ada_kmeans.ipynb", "ada", "kmeans.ipynb"),
        ("export/ada.lovelace-1815_data_frames.ipynb", "ada.lovelace-1815", "data_frames.ipynb"),
        ("ada_data_frames (2).ipynb", "ada", "data_frames (2).ipynb"),
        ("lovelaceada_12345_67890_kmeans-2.ipynb", "lovelaceada", "kmeans-2.ipynb"),
        ("lovelaceada_LATE_12345_67890_kmeans.ipynb", "lovelaceada", "kmeans.ipynb"),
        ("Ada Lovelace_12345_assignsubmission_file_/kmeans.ipynb", "Ada-Lovelace", "kmeans.ipynb"),
        ("Zoe\u0301 d'Arc_12345_assignsubmission_file_kmeans.ipynb", "Zo\xe9-d'Arc", "kmeans.ipynb"),
        ("Lab 1_ada_attempt_2026-03-01-23-59-58_kmeans.ipynb", "ada", "kmeans.ipynb"),
        ("submitted/ada/02_rapids/kmeans.ipynb", "ada", "kmeans.ipynb"),
        ("ada/helper.py", "ada", "helper.py"),
        ("kmeans.ipynb", None, None),
        ("notes.txt", None, None),
        ("..._12345_67890_kmeans.ipynb", None, None),
        ("Lab_ada_attempt_2026-13-41-00-00-00_kmeans.ipynb", None, None),
    ],
)
def test_names_of_the_platforms(path: str, student: str | None, file: str | None) -> None:
    name = read_name(path, "02_rapids", NOTEBOOKS)
    assert (name.student if name else None, name.file if name else None) == (student, file)


def test_a_student_id_is_a_name_and_no_path() -> None:
    assert student_id("../../etc") == "etc"
    assert student_id("a\x00b/c\\d") == "abcd"
    assert student_id("..") == student_id("x" * 121) == ""


def test_a_canvas_export_keeps_the_latest_attempt_and_lists_the_others(course: Course) -> None:
    done = run(
        course,
        {
            "lovelaceada_7_100_little.ipynb": b"first",
            "lovelaceada_7_300_little-2.ipynb": b"third",
            "lovelaceada_LATE_7_200_little-1.ipynb": b"second",
            "lovelaceada_7_101_helper.py": b"x = 1",
            "hoppergrace_8_102_my answer.ipynb": b"grace",
        },
    )
    assert handed(course) == {
        "lovelaceada/little.ipynb": b"third",
        "lovelaceada/helper.py": b"x = 1",
        "hoppergrace/little.ipynb": b"grace",
    }
    assert [path for path, _ in done.left] == [
        "lovelaceada_7_100_little.ipynb",
        "lovelaceada_LATE_7_200_little-1.ipynb",
    ]
    assert len(done.taken) == 3


def test_two_students_of_one_name_stay_two_and_a_roster_names_them(course: Course) -> None:
    files = {"leewei_7_1_little.ipynb": b"seven", "leewei_8_2_little.ipynb": b"eight"}
    run(course, files)
    assert handed(course) == {"leewei_7/little.ipynb": b"seven", "leewei_8/little.ipynb": b"eight"}
    run(course, files, roster={"7": "wei", "8": "lee"})
    assert handed(course)["wei/little.ipynb"] == b"seven"


def test_moodle_folders_and_unicode_from_programs_that_do_not_say_so(course: Course) -> None:
    path = course.root.parent / "moodle.zip"
    zipped(path, {"Zoe\u0301 d'Arc_1_assignsubmission_file_/little.ipynb": b"zoe"})
    raw = path.read_bytes()
    # As older programs write it: UTF-8 without the flag that says so.
    path.write_bytes(raw.replace(b"\x00\x08\x08\x00", b"\x00\x00\x08\x00"))
    with zipfile.ZipFile(path) as archive:
        assert not archive.infolist()[0].flag_bits & 0x800
    collect(course, course.labs[0], path)
    assert handed(course) == {"Zo\xe9-d'Arc/little.ipynb": b"zoe"}


def test_the_time_in_a_name_becomes_the_timestamp_and_decides(course: Course) -> None:
    done = run(
        course,
        {
            "L_ada_attempt_2026-03-02-10-00-00_little.ipynb": b"later",
            "L_ada_attempt_2026-03-01-10-00-00_little.ipynb": b"earlier",
        },
    )
    assert handed(course)["ada/little.ipynb"] == b"later"
    assert handed(course)["ada/timestamp.txt"].startswith(b"2026-03-0")
    assert len(done.left) == 1
    again = run(course, {"L_ada_attempt_2026-03-02-10-00-00_little.ipynb": b"later"})
    assert (len(again.unchanged), again.taken, again.left) == (1, [], [])


def test_nothing_that_was_handed_in_is_lost(course: Course) -> None:
    run(course, {"ada_little.ipynb": b"old"})
    kept = run(course, {"ada_little.ipynb": b"new"})
    assert handed(course) == {"ada/little.ipynb": b"old"}
    assert "--replace" in kept.left[0][1]
    run(course, {"ada_little.ipynb": b"new"}, replace=True)
    assert handed(course) == {"ada/little.ipynb": b"new"}


def test_no_path_leaves_its_place(course: Course, tmp_path: Path) -> None:
    bad = ["../ada_little.ipynb", "/ada_little.ipynb", "C:\\ada_little.ipynb", "a/../../ada_little.ipynb"]
    path = zipped(tmp_path / "bad.zip", dict.fromkeys(bad, b"bad"))
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("eve_little.ipynb")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("__MACOSX/._ada_little.ipynb", b"clutter")
        archive.writestr("ada_little.ipynb", b"good")
        archive.writestr("bob/timestamp.txt", b"2000-01-01 00:00:00")
    before = sorted(tmp_path.rglob("*"))
    done = collect(course, course.labs[0], path)
    assert handed(course) == {"ada/little.ipynb": b"good"}
    assert len(done.left) == len(bad) + 2
    new = set(tmp_path.rglob("*")) - set(before)
    assert all(item.is_relative_to(course.root / "submitted") for item in new)


def test_a_bomb_is_cut_off_whatever_it_says_of_its_size(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 3_000_000)
    monkeypatch.setattr(module, "MOST_BYTES_IN_ALL", 5_000_000)
    done = run(
        course,
        {"ada_little.ipynb": bytes(4_000_000)}
        | dict.fromkeys(["bob_little.ipynb", "cyd_little.ipynb"], bytes(2_600_000)),
    )
    assert sorted(handed(course)) == ["bob/little.ipynb"]
    assert ["larger than" in why for _, why in done.left] == [True, True]
    monkeypatch.setattr(module, "MOST_MEMBERS", 2)
    with pytest.raises(UsageError, match="3 files"):
        run(course, dict.fromkeys(["a_little.ipynb", "b_little.ipynb", "c_little.ipynb"], b""))


def test_a_damaged_member_is_listed_and_a_damaged_archive_refused(course: Course, tmp_path: Path) -> None:
    path = zipped(tmp_path / "export.zip", {"ada_little.ipynb": b"a" * 100, "bob_little.ipynb": b"b" * 99})
    raw = bytearray(path.read_bytes())
    raw[45:50] = b"\xff" * 5  # in ada's data
    path.write_bytes(raw)
    done = collect(course, course.labs[0], path)
    assert sorted(handed(course)) == ["bob/little.ipynb"]
    assert done.left[0][0] == "ada_little.ipynb"
    path.write_bytes(raw[:100])
    with pytest.raises(UsageError, match="neither a folder nor a zip"):
        collect(course, course.labs[0], path)


def test_a_folder_and_a_pattern_of_ones_own(course: Course, tmp_path: Path) -> None:
    export = tmp_path / "export"
    export.mkdir()
    (export / "little--ada--2026-03-01_10:00:00_UTC.ipynb").write_bytes(b"ada")
    (export / "link.ipynb").symlink_to("/etc/passwd")
    pattern = r"(?P<file_id>\w+)--(?P<student_id>\w+)--(?P<timestamp>.+)\.ipynb"
    done = collect(course, course.labs[0], export, pattern=pattern)
    assert handed(course) == {"ada/little.ipynb": b"ada", "ada/timestamp.txt": b"2026-03-01 10:00:00 UTC\n"}
    assert done.left == [("link.ipynb", "a link, or no file")]
    for wrong in ("(", "(?P<file_id>.*)"):
        with pytest.raises(UsageError, match="--pattern"):
            collect(course, course.labs[0], export, pattern=wrong)
