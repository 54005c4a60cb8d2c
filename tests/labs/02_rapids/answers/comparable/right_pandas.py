# The two as rows of a table.
def objections(one: dict, other: dict) -> frozenset[str]:
    table = pd.DataFrame([one, other])
    tasks = pd.DataFrame(list(table["task"]))
    versions = pd.DataFrame(list(table["versions"])).dropna(axis=1)
    gpu = table["device"] == "gpu"
    words = []
    if table["device"].nunique() == 1:
        words.append("device")
    if (table["device"] != table["ran_on"]).any():
        words.append("label")
    if (tasks.nunique(dropna=False) > 1).any():
        words.append("task")
    if table["call"].nunique() > 1:
        words.append("call")
    if (table.loc[gpu, "copies"] != "included").any():
        words.append("copies")
    if (versions.nunique() > 1).any():
        words.append("versions")
    return frozenset(words)
