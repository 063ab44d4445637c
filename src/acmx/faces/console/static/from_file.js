"use strict";
// A file that is chosen fills the field of the form that it is for; without this its content is pasted.
for (const part of document.querySelectorAll("[data-file-for]")) {
  const input = part.querySelector("input");
  part.hidden = false;
  input.addEventListener("change", async () => {
    document.getElementById(part.dataset.fileFor).value = (await input.files[0]?.text()) ?? "";
  });
}
