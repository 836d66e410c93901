// The way out of her pages. Without this file the button does the same; with it the page is gone at once, and going
// back does not show it. Escape twice does what the button does.
"use strict";
const way = document.querySelector("form[data-leaves]");
if (way) {
  const leave = () => {
    document.documentElement.hidden = true;
    navigator.sendBeacon(way.action, new FormData(way));
    window.location.replace(way.dataset.leaves);
  };
  way.addEventListener("submit", (event) => { event.preventDefault(); leave(); });
  let before = 0;
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") { before = 0; return; }
    if (before && event.timeStamp - before < 1500) leave();
    before = event.timeStamp;
  });
}
// A page that the browser kept is asked for anew, so that it is not there for whoever comes after her.
window.addEventListener("pageshow", (event) => { if (event.persisted) window.location.reload(); });
