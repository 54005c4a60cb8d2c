# The server and the repository remember what was loaded; everything else that an answer leaves is a name.
import shutil

for name in ("mine", "of_twelve"):
    with triton.client() as client:
        if client.is_ready(name):
            client.unload(name)
    shutil.rmtree(models / name, ignore_errors=True)
