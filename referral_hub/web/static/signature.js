// She signs on the screen: what is drawn goes into the form as a small picture. Without this file she signs with a mark or on paper.
"use strict";
const box = document.querySelector("[data-drawing]");
if (box) {
  const canvas = box.querySelector("canvas");
  const form = box.closest("form");
  const field = form.querySelector("input[name=drawing]");
  const pen = canvas.getContext("2d");
  let at = null;
  const wipe = () => {
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.strokeStyle = "#000";
    pen.lineWidth = 3;
    pen.lineCap = "round";
    field.value = "";
  };
  const place = (event) => {
    const edges = canvas.getBoundingClientRect();
    return [(event.clientX - edges.left) * canvas.width / edges.width, (event.clientY - edges.top) * canvas.height / edges.height];
  };
  const keep = () => { field.value = canvas.toDataURL("image/png"); };
  const show = () => { box.hidden = form.querySelector("input[name=how]:checked")?.value !== "drawn"; };
  const before = field.value;
  wipe();
  if (before.startsWith("data:image/png;base64,")) {
    const picture = new Image();
    picture.onload = () => { pen.drawImage(picture, 0, 0); field.value = before; };
    picture.src = before;
  }
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    at = place(event);
    pen.beginPath();
    pen.moveTo(...at);
    pen.lineTo(at[0] + 0.1, at[1]);
    pen.stroke();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!at) return;
    at = place(event);
    pen.lineTo(...at);
    pen.stroke();
  });
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => { if (at) keep(); at = null; });
  box.querySelector("[data-wipes]").addEventListener("click", wipe);
  form.addEventListener("change", show);
  show();
}
