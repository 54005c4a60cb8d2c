"""Write the recorded curves of the RAPIDS lab into docs/results.md and docs/images; nothing is measured here.

They are recorded with ``w251lab bench rapids --scale full --device gpu --record``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import documents
import matplotlib as mpl

from w251lab.errors import W251Error
from w251lab.rapids import bench, bench_report
from w251lab.timing import plot

ROOT = Path(__file__).resolve().parents[1]
NAME = "rapids_curves"


def section(name: str, pictures: Path) -> str:
    """A curve's heading, picture, table and remarks."""
    found = bench.recorded(name)
    file = pictures / f"rapids_{name}.svg"
    file.parent.mkdir(parents=True, exist_ok=True)
    # The same bytes at every run: no random ids, no date.
    with mpl.rc_context({"svg.hashsalt": "w251lab", "svg.fonttype": "none"}):
        plot(found).savefig(file, format="svg", metadata={"Date": None})
    return "\n".join(
        [
            f"### {found.title}",
            "",
            f"Recorded {found.made}. A `*` marks a measurement that did not settle.",
            "",
            bench_report.markdown(found, name),
            "",
            f"![{found.title}: time and speed-up over {found.unit}](images/{file.name})",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--document", type=Path, default=ROOT / "docs" / "results.md")
    document = parser.parse_args().document
    try:
        sections = [section(name, document.parent / "images") for name in bench.NAMES]
    except W251Error as error:
        raise SystemExit(str(error)) from None
    documents.update(document, NAME, "\n\n".join(sections))


if __name__ == "__main__":
    main()
