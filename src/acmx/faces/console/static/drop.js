"use strict";
// A file that is chosen or dropped becomes the text of a field.
for (const form of document.querySelectorAll("form[data-drop]")) {
  const field = form.elements[form.dataset.drop];
  const zone = form.querySelector(".drop");
  const take = async (file) => { if (file) { field.value = await file.text(); field.focus(); } };
  zone.hidden = false;
  zone.querySelector("input").addEventListener("change", (event) => take(event.target.files[0]));
  zone.addEventListener("dragover", (event) => { event.preventDefault(); zone.classList.add("over"); });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    take(event.dataTransfer.files[0]);
  });
}
