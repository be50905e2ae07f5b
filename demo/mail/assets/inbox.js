// Keeps the list fresh: fetches the same page and swaps the list when the number of letters changed.
"use strict";

const EVERY = 3000;
const list = () => document.getElementById("letters");

function announce(before, after) {
  const more = after - before;
  const words = more === 1 ? "One new letter" : `${more} new letters`;
  document.getElementById("arrivals").textContent = more > 0 ? words : "";
  document.title = document.title.replace(/^\d+ letters?/, `${after} letter${after === 1 ? "" : "s"}`);
}

function swap(fresh) {
  const focused = document.activeElement && list().contains(document.activeElement) && document.activeElement.id;
  const before = Number(list().dataset.received);
  list().replaceWith(fresh);
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  announce(before, Number(fresh.dataset.received));
}

async function refresh() {
  if (document.hidden) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("letters");
  if (fresh && fresh.dataset.received !== list().dataset.received) swap(document.adoptNode(fresh));
}

setInterval(() => refresh().catch(() => undefined), EVERY);
