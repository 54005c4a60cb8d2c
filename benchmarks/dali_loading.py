"""Write benchmarks of loading into docs/results.md and docs/images; nothing is measured here.

    w251lab bench loading --device cpu
    python benchmarks/dali_loading.py [bench/loading/loading.json]

The file is one that the verb wrote; the benchmark that was recorded on a GPU, where there is one (``w251lab bench
loading --device gpu --record``), comes first. Without a file, what the document says of a CPU stays as it is.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import documents
import matplotlib as mpl

from w251lab.dali.loading import bench, report
from w251lab.dali.loading.result import Loading
from w251lab.errors import W251Error

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROOT = Path(__file__).resolve().parents[1]


def draw(figure: Figure, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    # The same bytes at every run: no random ids, no date.
    with mpl.rc_context({"svg.hashsalt": "w251lab", "svg.fonttype": "none"}):
        figure.savefig(file, format="svg", metadata={"Date": None})


def section(found: Loading, picture: Path) -> str:
    """The hardware, the table with its remarks, and the picture."""
    draw(found.plot(), picture)
    return "\n".join(
        [
            f"{found.hardware}:",
            "",
            report.markdown(found),
            "",
            f"![Milliseconds for a picture by stage, and as shares, on {found.hardware}](images/{picture.name})",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", type=Path, help="of a CPU, as the verb wrote it")
    parser.add_argument("--document", type=Path, default=ROOT / "docs" / "results.md")
    arguments = parser.parse_args()
    images = arguments.document.parent / "images"
    try:
        recorded = bench.recorded()
        found = None if arguments.file is None else Loading.load(arguments.file)
    except W251Error as error:
        raise SystemExit(str(error)) from None
    if recorded is None and found is None:
        raise SystemExit("there is nothing to write: name a file that `w251lab bench loading` wrote")
    if recorded is not None:
        documents.update(arguments.document, "dali_loading_gpu", section(recorded, images / "dali_loading_gpu.svg"))
    if found is not None:
        documents.update(arguments.document, "dali_loading_cpu", section(found, images / "dali_loading_cpu.svg"))


if __name__ == "__main__":
    main()
