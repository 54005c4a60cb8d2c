# The server and the repository remember `batched`; everything else that an answer leaves is a name.
import shutil

with triton.client() as client:
    if client.is_ready("batched"):
        client.unload("batched")
shutil.rmtree(models / "batched", ignore_errors=True)
