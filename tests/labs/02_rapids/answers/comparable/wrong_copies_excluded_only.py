# Excluded is the word for it.
# caught: AssertionError: ['copies'] stands against this pair
def objections(one: dict, other: dict) -> set[str]:
    found = set()
    if one["device"] == other["device"]:
        found.add("device")
    if one["device"] != one["ran_on"] or other["device"] != other["ran_on"]:
        found.add("label")
    if one["task"] != other["task"]:
        found.add("task")
    if one["call"] != other["call"]:
        found.add("call")
    if "excluded" in (one["copies"], other["copies"]):
        found.add("copies")
    for library, version in one["versions"].items():
        if other["versions"].get(library, version) != version:
            found.add("versions")
    return found
