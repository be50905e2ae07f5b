// Follows the campaign: asks for the progress fragment, ticks the countdown, adds buttons that copy commands.
"use strict";

const OFTEN = 1500;
const place = () => document.getElementById("progress");

function say(fresh, before) {
  if (fresh.dataset.status === before) return;
  const words = fresh.querySelector("[data-said]");
  document.getElementById("said").textContent = words ? words.textContent : "";
}

function swap(fresh) {
  const old = place();
  if (old.outerHTML === fresh.outerHTML) return;
  const widths = [...old.querySelectorAll(".part")].map((part) => part.style.width);
  old.replaceWith(fresh);
  glide([...fresh.querySelectorAll(".part")], widths);
  say(fresh, old.dataset.status);
}

function glide(parts, from) {
  const to = parts.map((part) => part.style.width);
  parts.forEach((part, i) => { part.style.width = from[i] ?? "0%"; });
  requestAnimationFrame(() => requestAnimationFrame(() => {
    parts.forEach((part, i) => { part.style.width = to[i]; });
  }));
}

async function refresh() {
  if (document.hidden || place().dataset.final === "yes") return;
  const answer = await fetch("progress");
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  swap(document.adoptNode(page.getElementById("progress")));
}

function clockText(seconds) {
  const two = (n) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

function tick() {
  const clock = place().querySelector("[data-clock]");
  if (!clock) return;
  const left = Math.max(0, Number(place().dataset.left) - 1);
  place().dataset.left = String(left);
  clock.textContent = clockText(left);
}

function addCopyButton(block) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-label", `Copy: ${block.textContent}`);
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(block.textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  block.parentElement.append(button);
}

setInterval(() => refresh().catch(() => undefined), OFTEN);
setInterval(tick, 1000);
if (navigator.clipboard) document.querySelectorAll(".commands pre").forEach(addCopyButton);
