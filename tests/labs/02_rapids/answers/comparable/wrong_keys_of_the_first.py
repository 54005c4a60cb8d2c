# Compare what the first one says.
# caught: AssertionError: ['task'] stands against this pair
def objections(one: dict, other: dict) -> set[str]:
    found = set()
    if one["device"] == other["device"]:
        found.add("device")
    if one["device"] != one["ran_on"] or other["device"] != other["ran_on"]:
        found.add("label")
    for key, value in one["task"].items():
        if other["task"].get(key) != value:
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
