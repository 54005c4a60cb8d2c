"""What it costs to load pictures for training, and what contributes to it: Pillow against DALI, stage by stage.

- `bench`: measure the loaders here, or read what was recorded on a GPU.
- `stages`: the five stages, and the clocks inside a loader that a person can open.
- `pillow`, `workers`: the training recipe by Pillow and NumPy, in this process or in several.
- `contenders`: the five ways to load, each with how its stages are timed.
- `delivery`: the batch on its way to where a model would compute.
- `result`, `storage`, `report`, `plots`: what came out, as JSON, as a table and as stacked bars.
- `arithmetic`: what work on one stage gains: its share of the whole, and Amdahl's law.

A worker process imports `pillow` and `stages` of this package, so nothing heavy is imported here.
"""
