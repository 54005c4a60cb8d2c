"""w251lab: the library that the accelerated-computing labs stand on, and the machinery that runs them.

- `w251lab.accelerator`: what this machine has, and where a step computes.
- `w251lab.timing`: how long work takes, on which device, and how two ways of doing it compare over sizes.
- `w251lab.rapids`: data frames, K-means, random forest and XGBoost, in one spelling for the CPU and the GPU.
- `w251lab.triton`: a real Triton Inference Server, its clients, models and counters.
- `w251lab.course`: release, check and score the labs.
- `w251lab.doctor`: what a machine can run, and the remedy for what it cannot.

``docs/architecture.md`` in the source shows how they hang together.
"""

from importlib.metadata import version

__version__ = version("w251lab")
