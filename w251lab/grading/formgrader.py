"""What keeps students' text from acting in the page of an instructor who is logged in: a step for nbgrader's exporter.

nbgrader renders Markdown with whatever HTML is in it, and formgrader's pages can do all that the instructor can.
nbconvert's own ``HTMLExporter.sanitize_html`` cleans outputs; nbgrader's template for Markdown cells does not know it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from nbconvert.preprocessors.sanitize import SanitizeHTML

if TYPE_CHECKING:
    from nbformat import NotebookNode

#: Text that a browser may take for HTML. Other text is left as it is: cleaned code would show "a < b" as "a &lt; b".
_HTML = re.compile(r"<[a-zA-Z/!?]")


class SafeText(SanitizeHTML):
    """Cleans Markdown and raw cells with HTML in them, when they are shown; the files stay as they are."""

    def preprocess_cell(self, cell: NotebookNode, resources: Any, _cell_index: int) -> tuple[NotebookNode, Any]:
        """Clean one cell."""
        if cell["cell_type"] != "code" and _HTML.search(cell["source"]):
            cell["source"] = self.sanitize_html_tags(cell["source"])  # type: ignore[no-untyped-call]
        return cell, resources
