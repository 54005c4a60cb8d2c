"""The photo booth: its Python half, and its other half in a real browser with a camera that the browser imitates."""

from __future__ import annotations

import base64
import http.server
import io
import json
import shutil
import subprocess
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from w251lab.errors import UsageError
from w251lab.faces import capture, pictures
from w251lab.faces.errors import PictureError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def encoded(height: int = 30, width: int = 40) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (10, 200, 30)).save(file, "JPEG", quality=95)
    return file.getvalue()


def test_nothing_taken_is_the_portrait() -> None:
    for booth in (None, capture.booth()):
        taken = capture.photo(booth)
        assert np.array_equal(taken.picture, pictures.portrait())
        assert taken.source.startswith("the bundled portrait")


def test_a_refused_camera_is_said() -> None:
    booth = capture.booth()
    booth.said = "the camera was refused: allow it in the browser's address bar and press the button again. Choose ..."
    assert capture.photo(booth).source.endswith("no photo was taken (the camera was refused)")


def test_what_the_browser_sent_is_the_picture() -> None:
    booth = capture.booth(largest=64)
    # As a message of the browser sets it: the kernel hands over a view of the message's memory.
    booth.set_state({"source": "from the camera", "photo": memoryview(encoded())})
    taken = capture.photo(booth)
    assert taken.picture.shape == (30, 40, 3)
    assert abs(taken.picture.mean(axis=(0, 1)) - (10, 200, 30)).max() < 3
    assert taken.source == "your photo, from the camera"
    booth.photo = b"no picture"
    with pytest.raises(PictureError):
        capture.photo(booth)


def test_a_file_comes_first_and_is_never_replaced(tmp_path: Path) -> None:
    booth = capture.booth()
    booth.photo = encoded()
    path = tmp_path / "me.jpg"
    path.write_bytes(encoded(300, 200))
    taken = capture.photo(booth, file=path, largest=150)
    assert taken.picture.shape == (150, 100, 3)
    assert taken.source == "the file me.jpg"
    with pytest.raises(PictureError, match=r"missing\.jpg"):
        capture.photo(booth, file=tmp_path / "missing.jpg")


@pytest.mark.parametrize("largest", [0, 5000, 100.5, "large"])
def test_sizes_that_cannot_be_meant(largest: Any) -> None:
    with pytest.raises(UsageError):
        capture.booth(largest=largest)


# --- in a browser ---------------------------------------------------------------------------------------------------

PAGE = """<!DOCTYPE html><meta charset="utf-8"><body><script type="module">
import booth from "/booth.js";
const traits = { largest: 200, photo: null, source: "", said: "" };
const model = { get: (name) => traits[name], set: (name, value) => { traits[name] = value; }, save_changes: () => {} };
const root = document.createElement("div");
document.body.append(root);
const off = booth.render({ model, el: root });
const [start, take] = root.querySelectorAll("button");
const file = root.querySelector("input");
const video = root.querySelector("video");
const until = async (what) => { while (!what()) await new Promise((go) => setTimeout(go, 50)); };
const bytes = () => btoa(String.fromCharCode(...new Uint8Array(traits.photo.buffer)));
const result = { before: take.disabled };
start.click();
await until(() => traits.said);
result.said = traits.said;
if (!take.disabled) {
  const track = video.srcObject.getTracks()[0];
  take.click();
  await until(() => traits.photo);
  await until(() => track.readyState === "ended");
  Object.assign(result, { camera: bytes(), source: traits.source, shown: root.querySelectorAll("canvas").length });
}
const choose = async (name, content) => {
  traits.photo = null; traits.said = "";
  const chosen = new DataTransfer();
  chosen.items.add(new File([content], name));
  file.files = chosen.files;
  file.dispatchEvent(new Event("change"));
  await until(() => traits.said);
};
await choose("me.png", await (await fetch("/me.png")).blob());
Object.assign(result, { file: bytes(), name: traits.source });
await choose("me.txt", "no picture");
result.text = traits.said;
start.click();
await until(() => video.srcObject || !result.camera);
off();
result.left = Boolean(video.srcObject);
await fetch("/result", { method: "POST", body: JSON.stringify(result) });
</script>"""


def wide() -> bytes:
    """A picture of 400 x 100, transparent on its right half."""
    levels = np.zeros((100, 400, 4), np.uint8)
    levels[:, :200] = (200, 30, 10, 255)
    file = io.BytesIO()
    Image.fromarray(levels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def browse(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Runs the page in a browser with more flags, and gives what the page says at its end."""
    answer: list[dict[str, Any]] = []
    arrived = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            files = {"/": ("text/html", PAGE.encode()), "/me.png": ("image/png", wide())}
            files["/booth.js"] = ("text/javascript", capture._SCRIPT.read_bytes())
            kind, body = files.get(self.path, ("text/plain", b""))
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            answer.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()
            arrived.set()

        def log_message(self, *_: object) -> None:
            pass

    def run(*flags: str) -> dict[str, Any]:
        browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            serving = threading.Thread(target=server.serve_forever)
            serving.start()
            common = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
            command = [browser, *common, f"--user-data-dir={tmp_path}", *flags]
            process = subprocess.Popen(
                [*command, f"http://127.0.0.1:{server.server_port}/"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            try:
                assert arrived.wait(180), "the page did not come to its end"
            finally:
                process.kill()
                process.wait()
                server.shutdown()
                serving.join()
        return answer[0]

    return run


def picture(text: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(text)))


@pytest.mark.browser
def test_a_photo_and_a_file_from_a_browser(browse: Callable[..., dict[str, Any]]) -> None:
    found = browse("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    assert found["before"], "a photo can be taken before the camera is on"
    assert found["said"].startswith("Look into the camera")
    assert found["source"] == "from the camera"
    still = picture(found["camera"])
    assert still.format == "JPEG"
    assert max(still.size) == 200
    assert np.asarray(still).std() > 10  # the imitated camera shows a pattern
    assert found["shown"] == 1
    assert found["name"] == "the file me.png"
    chosen = picture(found["file"])
    assert chosen.size == (200, 50)
    left, right = np.asarray(chosen)[25, 40], np.asarray(chosen)[25, 160]
    assert np.abs(left.astype(int) - (200, 30, 10)).max() < 12
    assert (right > 250).all()
    assert "me.txt is no picture" in found["text"]
    assert not found["left"], "the camera stays on"


@pytest.mark.browser
def test_a_camera_that_is_refused(browse: Callable[..., dict[str, Any]]) -> None:
    found = browse("--use-fake-device-for-media-stream", "--deny-permission-prompts")
    assert found["said"].startswith("the camera was refused")
    assert "bundled portrait" in found["said"]
    assert "camera" not in found
    assert picture(found["file"]).size == (200, 50)


@pytest.mark.browser
def test_a_machine_without_a_camera(browse: Callable[..., dict[str, Any]]) -> None:
    found = browse("--use-fake-device-for-media-stream=device-count=0", "--use-fake-ui-for-media-stream")
    assert found["said"].startswith("this machine has no camera")
    assert picture(found["file"]).size == (200, 50)
