# One of the wrong answers takes the first calls out of the log itself.
import copy

log_as_given = globals().get("log_as_given") or copy.deepcopy(globals()["log"])
log = copy.deepcopy(log_as_given)
