# Only a GPU's label can be wrong.
# caught: AssertionError: ['label'] stands against this pair
def objections(one: dict, other: dict) -> set[str]:
    found = set()
    if one["device"] == other["device"]:
        found.add("device")
    for each in (one, other):
        if each["device"] == "gpu" and each["ran_on"] != "gpu":
            found.add("label")
    if one["task"] != other["task"]:
        found.add("task")
    if one["call"] != other["call"]:
        found.add("call")
    for each in (one, other):
        if each["device"] == "gpu" and each["copies"] != "included":
            found.add("copies")
    for library, version in one["versions"].items():
        if other["versions"].get(library, version) != version:
            found.add("versions")
    return found
