"use strict";
// Everything works without this. It shows times in the reader's zone, keeps what is marked data-live up to date, and
// does not send a form twice.

// Times: the reader's zone, UTC on hover.
const near = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
const brief = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" });
function localise(root) {
  for (const time of root.querySelectorAll("time[datetime]:not([title])")) {
    const at = new Date(time.dateTime);
    time.title = `${time.dateTime.replace("T", " ").replace("Z", " UTC")} · ${exact.format(at)}`;
    time.textContent = near.format(at);
  }
  for (const text of root.querySelectorAll("text[data-at]")) text.textContent = brief.format(new Date(text.dataset.at));
}

// Live: the page is fetched again and every element with an id and data-live is exchanged where it differs. The
// server's words are compared, not what the script made of them.
const served = new Map();
function remember(root) {
  for (const part of root.querySelectorAll("[data-live][id]")) served.set(part.id, part.innerHTML);
}
function exchange(fresh) {
  for (const part of document.querySelectorAll("[data-live][id]")) {
    const other = fresh.getElementById(part.id);
    if (!other || served.get(part.id) === other.innerHTML) continue;
    served.set(part.id, other.innerHTML);
    const focused = part.contains(document.activeElement) ? handle(document.activeElement) : null;
    const open = new Set([...part.querySelectorAll("details[open][id]")].map((one) => one.id));
    part.replaceChildren(...other.childNodes);
    for (const name of Object.keys(other.dataset)) part.dataset[name] = other.dataset[name];
    for (const one of part.querySelectorAll("details[id]")) if (open.has(one.id)) one.open = true;
    if (focused) part.querySelector(focused)?.focus();
    localise(part);
    part.dispatchEvent(new CustomEvent("exchanged", { bubbles: true }));
  }
  document.title = fresh.title;
}
function handle(element) {
  if (element.id) return `#${CSS.escape(element.id)}`;
  const href = element.getAttribute("href");
  return href ? `[href="${CSS.escape(href)}"]` : null;
}

// What changes without a notice, as a link that fails, is looked at every so many seconds while somebody sees it.
const every = Number(document.querySelector("[data-every]")?.dataset.every);
if (every) setInterval(() => { if (!document.hidden) look(); }, every * 1000);

// Nothing is exchanged under a pressed pointer: the click would be lost.
let released = null;
addEventListener("pointerdown", () => {
  released = new Promise((resolve) => {
    for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => setTimeout(resolve), { once: true });
  });
});

let looking = null;
let again = false;
async function look() {
  if (looking) { again = true; return; }
  again = false;
  looking = fetch(location.href);
  try {
    const reply = await looking;
    if (reply.redirected) return show("ended");
    const text = await reply.text();
    await released;
    if (reply.ok) exchange(new DOMParser().parseFromString(text, "text/html"));
    await ring();
    hide("lost");
  } catch {
    show("lost");
  } finally {
    looking = null;
    if (again) look();
  }
}

// The bell: a dot while there is news that this browser has not shown to this person.
const bell = document.getElementById("bell");
const shown = `news of ${document.body.dataset.account}`;
async function ring() {
  const news = location.search ? null : document.getElementById("news");
  if (news) localStorage.setItem(shown, news.dataset.newest);
  const newest = news?.dataset.newest ?? await (await fetch(`${bell.href}/newest`)).text();
  bell.querySelector(".dot").hidden = !(Number(newest) > Number(localStorage.getItem(shown) ?? 0));
}

// On a phone the navigation is one line: the page that is shown stands in it.
document.querySelector(".bar nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

const show = (id) => document.getElementById(id)?.removeAttribute("hidden");
const hide = (id) => document.getElementById(id)?.setAttribute("hidden", "");

// One stream for all tabs of this browser: the tab that holds the lock listens, and tells the others.
const tabs = new BroadcastChannel("acmx");
const AGAIN = 3000;
function listen(address) {
  return new Promise((closed) => {
    const stream = new EventSource(address);
    stream.addEventListener("look-again", () => { tabs.postMessage("look-again"); look(); });
    stream.addEventListener("open", () => hide("lost"));
    stream.addEventListener("error", () => {
      show("lost");
      if (stream.readyState === EventSource.CLOSED) { look(); setTimeout(closed, AGAIN); }
    });
  });
}
async function keepListening(address) {
  for (;;) await listen(address);
}

// Once is enough: a form that is on its way is not sent again, unless it only asks or downloads something (data-again).
// A page that comes back from the cache may be.
let sent = new WeakSet();
document.addEventListener("submit", (event) => {
  if (event.target.method !== "post" || "again" in event.target.dataset) return;
  if (sent.has(event.target)) event.preventDefault();
  sent.add(event.target);
});
addEventListener("pageshow", () => { sent = new WeakSet(); });

localise(document);
remember(document);
document.querySelector(".problem, [aria-invalid]")?.focus();
const address = document.body.dataset.stream;
if (address) {
  ring().catch(() => show("lost"));
  tabs.addEventListener("message", look);
  navigator.locks.request("acmx-stream", () => keepListening(address));
}
