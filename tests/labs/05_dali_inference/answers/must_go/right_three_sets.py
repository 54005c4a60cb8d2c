# A set for each of the three rules, joined at the end.
def must_go(operators, images):
    readers = {one.name for one in operators if one.kind.startswith("readers.")}
    by_chance = {one.name for one in operators if one.random}
    maker = {tensor: one for one in operators for tensor in one.outputs}
    useful, look_at = set(), [images]
    while look_at:
        one = maker[look_at.pop()]
        if one.name not in useful:
            useful.add(one.name)
            look_at.extend(one.inputs)
    beside = {one.name for one in operators} - useful
    return readers | by_chance | beside
