"use strict";
// While a job is under way the page looks again by itself: a job rings no bell for every document.
const job = document.getElementById("job");
const running = () => job.dataset.running === "yes";
let wasRunning = running();
setInterval(() => { if (running() && !document.hidden) look(); }, 1500);
job.addEventListener("exchanged", () => {
  if (wasRunning && !running()) location.replace(location.pathname);
  wasRunning = running();
});
