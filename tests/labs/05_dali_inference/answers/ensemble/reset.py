# The server and the repository remember `mine`; everything else that an answer leaves is a name.
import shutil

with triton.client() as client:
    if client.is_ready("mine"):
        client.unload("mine")
shutil.rmtree(models / "mine", ignore_errors=True)
