"use strict";
// Filling in a request: times are those of the reader and sent in UTC, and a file may be dropped where users belong.
const two = (number) => String(number).padStart(2, "0");
const local = (at) => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`;
for (const shown of document.querySelectorAll("input[type=datetime-local]")) {
  const sent = document.createElement("input");
  sent.type = "hidden";
  sent.name = shown.name;
  shown.removeAttribute("name");
  const given = shown.getAttribute("value");
  if (given) shown.value = local(new Date(given.endsWith("Z") ? given : `${given}Z`));
  const follow = () => { sent.value = shown.value ? new Date(shown.value).toISOString() : ""; };
  shown.addEventListener("input", follow);
  follow();
  shown.after(sent);
}
for (const zone of document.querySelectorAll("[data-zone]")) {
  zone.textContent = Intl.DateTimeFormat().resolvedOptions().timeZone;
}

const card = document.getElementById("whom-card");
if (card) {
  const mark = (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    card.classList.toggle("dropping", event.type === "dragover");
  };
  card.addEventListener("dragover", mark);
  card.addEventListener("dragleave", mark);
  card.addEventListener("drop", (event) => {
    mark(event);
    if (event.dataTransfer.files.length) document.getElementById("file").files = event.dataTransfer.files;
  });
}
