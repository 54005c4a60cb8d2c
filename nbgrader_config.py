"""nbgrader's view of this course. The plain nbgrader commands, run in this folder, read it."""

import os
import sys
from pathlib import Path

from nbgrader.converters import GenerateAssignment

from w251lab.course.release import CanonicalForm

c = get_config()  # noqa: F821 - nbgrader defines it

# nbgrader calls its own "alembic" by name: find it beside the interpreter, also where no environment is activated.
_scripts = str(Path(sys.executable).parent)
if _scripts not in os.environ.get("PATH", "").split(os.pathsep):
    os.environ["PATH"] = os.pathsep.join([_scripts, os.environ.get("PATH", os.defpath)])

c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "labs"
# Never released: leftovers of the tools, which differ from machine to machine.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", ".DS_Store", "feedback", "photo_card.*"]
# The last step makes a release byte-identical on every machine, and the same as `w251lab release`.
c.GenerateAssignment.preprocessors = [*GenerateAssignment.preprocessors.default(), CanonicalForm]
c.Execute.timeout = 60
c.Execute.interrupt_on_timeout = True
# formgrader shows students' text and outputs to an instructor who is logged in: without scripts of theirs.
c.HTMLExporter.sanitize_html = True
c.HTMLExporter.preprocessors = ["w251lab.grading.formgrader.SafeText"]
