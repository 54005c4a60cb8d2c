# Look at the server's list of models before letting the old one go.
def swap(client, old, new):
    client.load(new)
    states = {status.name: status.state for status in client.models()}
    if states.get(new) == "READY":
        client.unload(old)
