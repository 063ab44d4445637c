"use strict";
// Reviewing: the list follows what is searched, the chosen users follow the boxes, and a change of what is read is said.
const form = document.querySelector("form.deciding");
const standing = document.getElementById("standing");

standing.addEventListener("exchanged", () => {
  const seen = standing.querySelector("[data-seen]").dataset.seen;
  if (form && form.elements.seen.value !== seen) document.getElementById("stale").hidden = false;
});

if (form) {
  const chosen = form.elements.chosen;
  const names = () => new Set(chosen.value.split("\n").map((line) => line.trim()).filter(Boolean));
  const tick = () => {
    const set = names();
    for (const box of form.querySelectorAll("[name=user]")) box.checked = set.has(box.value);
  };
  form.addEventListener("change", ({ target }) => {
    if (target === chosen) tick();
    if (target.name !== "user") return;
    const set = names();
    if (target.checked) set.add(target.value); else set.delete(target.value);
    chosen.value = [...set].join("\n");
  });

  let waiting;
  let newest = 0;
  const find = async () => {
    const mine = ++newest;
    const address = new URL(location.pathname.replace(/\/decision$/, "/review"), location.href);
    address.searchParams.set("search", form.elements.search.value);
    const reply = await fetch(address);
    const fresh = new DOMParser().parseFromString(await reply.text(), "text/html").getElementById("found");
    if (mine !== newest || !fresh) return;
    document.getElementById("found").replaceChildren(...fresh.childNodes);
    tick();
  };
  form.elements.search.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(find, 150); });
  form.elements.search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") { event.preventDefault(); find(); }
  });

  // In the list, arrows go from user to user, so that Tab leaves it at once.
  form.addEventListener("keydown", (event) => {
    if (event.target.name !== "user" || !["ArrowDown", "ArrowUp"].includes(event.key)) return;
    event.preventDefault();
    const boxes = [...form.querySelectorAll("[name=user]")];
    boxes[boxes.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
  });
}
