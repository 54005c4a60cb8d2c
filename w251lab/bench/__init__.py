"""What the verbs of ``w251lab bench`` have in common; each topic brings its own measurement.

- `files`: where a run's JSON and PNG files go, with nothing of an earlier run lost.
- `terminal`: where a run's tables and complaints go.
"""
