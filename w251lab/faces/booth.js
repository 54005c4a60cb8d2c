// The photo booth: a still from the camera of the machine that the browser runs on, or a picture file of that machine.
// Either is turned upright, drawn into a canvas no larger than `largest` pixels on its longer side, and sent to Python as
// JPEG. Nothing else leaves the browser.

const REASONS = {
  InsecureContext: "browsers give the camera to pages from https and from localhost only",
  NotAllowedError: "the camera was refused: allow it in the browser's address bar and press the button again",
  NotFoundError: "this machine has no camera",
  OverconstrainedError: "this machine has no camera that fits",
  NotReadableError: "the camera is in use by another program, or switched off",
  AbortError: "the camera was switched off",
};
const OTHERWISE = ". Choose a file instead, or go on without: the next cell then takes the bundled portrait.";

export function reason(error) {
  return (REASONS[error.name] || `the camera gives no picture (${error.name || error})`) + OTHERWISE;
}

export async function openCamera() {
  if (!navigator.mediaDevices || !navigator.mediaDevices.getUserMedia) {
    throw Object.assign(new Error("no camera"), { name: "InsecureContext" });
  }
  return navigator.mediaDevices.getUserMedia({
    video: { width: { ideal: 1280 }, height: { ideal: 960 }, facingMode: "user" },
    audio: false,
  });
}

// Anything that a canvas can draw, of the given size, as JPEG: a DataView of its bytes.
export async function jpeg(drawable, width, height, largest) {
  const scale = Math.min(1, largest / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d");
  context.fillStyle = "white"; // below what is transparent
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(drawable, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.95));
  if (!blob) throw new Error("the picture is too large for this browser");
  return { bytes: new DataView(await blob.arrayBuffer()), canvas };
}

function button(text) {
  const made = document.createElement("button");
  made.textContent = text;
  made.className = "jupyter-button";
  return made;
}

function render({ model, el }) {
  const row = document.createElement("div");
  row.style.cssText = "display: flex; flex-wrap: wrap; gap: 8px; align-items: center; margin-bottom: 6px";
  const start = button("Switch the camera on");
  const take = button("Take the photo");
  const label = document.createElement("label");
  label.textContent = "or a picture file: ";
  const file = document.createElement("input");
  file.type = "file";
  file.accept = "image/*";
  label.append(file);
  row.append(start, take, label);
  const video = document.createElement("video");
  video.autoplay = true;
  video.muted = true;
  video.playsInline = true;
  video.style.cssText = "max-width: 480px; width: 100%; display: none";
  const shown = document.createElement("div");
  const said = document.createElement("div");
  said.setAttribute("role", "status");
  el.append(row, video, shown, said);
  take.disabled = true;
  let stream = null;

  const off = () => {
    if (stream) stream.getTracks().forEach((track) => track.stop());
    stream = null;
    video.srcObject = null;
    video.style.display = "none";
    take.disabled = true;
  };
  const say = (text) => {
    said.textContent = text;
    model.set("said", text);
    model.save_changes();
  };
  const keep = async (drawable, width, height, source) => {
    const { bytes, canvas } = await jpeg(drawable, width, height, model.get("largest"));
    canvas.style.cssText = "max-width: 240px; height: auto; display: block";
    shown.replaceChildren(canvas);
    model.set("source", source);
    model.set("photo", bytes);
    say(`${source}, ${canvas.width} x ${canvas.height} pixels: run the next cell.`);
  };

  start.onclick = async () => {
    off();
    try {
      stream = await openCamera();
      video.srcObject = stream;
      video.style.display = "block";
      await video.play();
      take.disabled = false;
      say("Look into the camera, and take the photo.");
    } catch (error) {
      off();
      say(reason(error));
    }
  };
  take.onclick = async () => {
    try {
      await keep(video, video.videoWidth, video.videoHeight, "from the camera");
    } catch (error) {
      say(reason(error));
    }
    off();
  };
  file.onchange = async () => {
    if (!file.files.length) return;
    const name = file.files[0].name;
    try {
      const picture = await createImageBitmap(file.files[0], { imageOrientation: "from-image" });
      await keep(picture, picture.width, picture.height, `the file ${name}`);
    } catch (error) {
      say(`${name} is no picture that this browser can read: choose a JPEG or PNG file.`);
    }
  };
  return off; // when the cell's output goes away, the camera is switched off
}

export default { render };
