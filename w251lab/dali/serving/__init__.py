"""DALI inside Triton: encoded pictures go to the server, classes come back.

- `source`: the inference pipeline, as the text of a `dali.py` and as a pipeline.
- `graph`: what is in a pipeline, and what must not be in one that serves.
- `runner`: the model that runs a `dali.py` in the embedded server, and survives pictures that cannot be decoded.
- `service`: the three models - preprocessing, classifier, ensemble - for the embedded server and for the NGC image.
- `contents`: pictures as they travel.
- `ask`: requests in three ways, and what comes back for each picture.
- `reference`: the same with the client preparing the pictures.
- `wire`: how many bytes travel.
"""

from w251lab.dali.serving import wire
from w251lab.dali.serving.ask import Answer, EncodedClients, classify
from w251lab.dali.serving.contents import padded
from w251lab.dali.serving.graph import Operator, Problem, operators, outputs, problems
from w251lab.dali.serving.reference import PreparingClients, client_side, prepare
from w251lab.dali.serving.service import Service, classifier, ensemble, preprocessing, write
from w251lab.dali.serving.source import classifier_recipe, load, pipeline, text

__all__ = [
    "Answer",
    "EncodedClients",
    "Operator",
    "PreparingClients",
    "Problem",
    "Service",
    "classifier",
    "classifier_recipe",
    "classify",
    "client_side",
    "ensemble",
    "load",
    "operators",
    "outputs",
    "padded",
    "pipeline",
    "prepare",
    "preprocessing",
    "problems",
    "text",
    "wire",
    "write",
]
