# Only where loading raised nothing; the caller learns of the failure as an error of my own.
class NotSwapped(Exception):
    pass


def swap(client, old: str, new: str) -> None:
    try:
        client.load(new)
    except Exception as error:
        raise NotSwapped(f"{new} did not load, {old} stays") from error
    else:
        client.unload(old)
