"""What this machine has, which labs it can run, and the remedy for each thing that is missing.

Nothing is concluded from an import: every check does the thing itself (an inference on a real server, a computation in
a fresh kernel), in a process of its own with a time limit, so that a crash or a hang is an answer like any other.
"""
