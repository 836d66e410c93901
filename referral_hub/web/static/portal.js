// Small helps that no act depends on: without this file every page does the same with a click more.
"use strict";
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-sends-itself]");
  if (form) form.requestSubmit();
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-print]");
  if (button) window.print();
  const copies = event.target.closest("[data-copies]");
  if (copies) {
    const from = document.getElementById(copies.dataset.copies);
    navigator.clipboard.writeText(from.value ?? from.textContent).then(() => { copies.dataset.done = "yes"; });
  }
});
// A page that was kept open is asked for again when somebody comes back to it, so that nothing old is acted on.
window.addEventListener("pageshow", (event) => { if (event.persisted) window.location.reload(); });
