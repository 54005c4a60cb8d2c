# Both elsewhere.
# caught: AssertionError: ['label'] stands against this pair
def objections(one: dict, other: dict) -> set[str]:
    found = set()
    if one["device"] == other["device"]:
        found.add("device")
    if one["device"] != one["ran_on"] and other["device"] != other["ran_on"]:
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
