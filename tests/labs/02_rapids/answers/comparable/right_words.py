# Each word with its condition.
def objections(one: dict, other: dict) -> set[str]:
    gpus = [each for each in (one, other) if each["device"] == "gpu"]
    return {
        word
        for word, applies in [
            ("device", len({one["device"], other["device"]}) == 1),
            ("label", (one["device"], other["device"]) != (one["ran_on"], other["ran_on"])),
            ("task", sorted(one["task"].items()) != sorted(other["task"].items())),
            ("call", len({one["call"], other["call"]}) == 2),
            ("copies", any(each["copies"] in ("none", "excluded") for each in gpus)),
            ("versions", {**one["versions"], **other["versions"]} != {**other["versions"], **one["versions"]}),
        ]
        if applies
    }
