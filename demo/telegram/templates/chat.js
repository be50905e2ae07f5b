/* Live updates and forms without a reload. The page works without this file. */
"use strict";

const log = document.getElementById("log");
const list = document.getElementById("messages");
const intro = document.getElementById("intro");
const dock = document.getElementById("dock");
const toast = document.getElementById("toast");
const typing = document.getElementById("typing");
const statusLine = document.getElementById("status");
const alertBox = document.getElementById("alert");

const TYPING_MS = 5200;
const TOAST_MS = 4000;
let revision = Number(list.dataset.revision);
let start = list.dataset.start;
let dockHtml = null;
let typingTimer = 0;
let toastTimer = 0;

document.documentElement.classList.add("scripted");

function atBottom() {
  return log.scrollHeight - log.scrollTop - log.clientHeight < 120;
}

function toBottom() {
  log.scrollTop = log.scrollHeight;
}

function element(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html.trim();
  return holder.content.firstElementChild;
}

function localTimes(root) {
  for (const time of root.querySelectorAll("time")) {
    const moment = new Date(time.dateTime);
    time.textContent = moment.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  }
}

function showMessages(messages) {
  const wanted = new Set(messages.map((message) => String(message.id)));
  for (const item of [...list.children]) {
    if (!wanted.has(item.dataset.id)) item.remove();
  }
  for (const message of messages) showMessage(message);
}

function showMessage(message) {
  const old = document.getElementById("m" + message.id);
  if (old && old.dataset.revision === String(message.revision)) return;
  const item = element(message.html);
  localTimes(item);
  if (old) {
    old.replaceWith(item);
  } else {
    item.classList.add("new");
    list.append(item);
  }
}

function showTyping(on) {
  clearTimeout(typingTimer);
  typing.hidden = !on;
  statusLine.textContent = on ? statusLine.dataset.typing : statusLine.dataset.idle;
  if (on) typingTimer = setTimeout(showTyping, TYPING_MS, false);
}

function showAnswer(answer) {
  if (!answer) return;
  if (answer.alert) {
    document.getElementById("alert-text").textContent = answer.text;
    if (!alertBox.open) alertBox.showModal();
    return;
  }
  toast.textContent = answer.text;
  toast.hidden = false;
  hideToastLater();
}

function hideToastLater() {
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { toast.hidden = true; }, TOAST_MS);
}

function showDock(html) {
  if (html === dockHtml) return;
  const first = dockHtml === null;
  dockHtml = html;
  const draft = document.getElementById("text")?.value ?? "";
  const kind = dock.firstElementChild?.dataset.kind;
  const focused = dock.contains(document.activeElement);
  if (first && kind === element(html).dataset.kind) return;
  dock.innerHTML = html;
  const field = document.getElementById("text");
  if (field) {
    field.value = draft;
    if (focused) field.focus();
  }
}

function show(state) {
  const follow = atBottom();
  revision = state.revision;
  document.getElementById("name").textContent = state.name;
  intro.innerHTML = state.intro;
  showMessages(state.messages);
  showTyping(state.typing);
  showDock(state.dock);
  showAnswer(state.answer);
  if (follow) toBottom();
}

async function listen() {
  for (;;) {
    try {
      const query = new URLSearchParams({ revision, start });
      const response = await fetch("chat/live?" + query);
      if (response.status === 404) return location.reload();
      if (!response.ok) throw new Error(response.statusText);
      show(await response.json());
    } catch {
      statusLine.textContent = "connecting…";
      await new Promise((resume) => setTimeout(resume, 1500));
    }
  }
}

async function submit(form, button) {
  const fields = new URLSearchParams(new FormData(form, button));
  if (form.id === "say") {
    if (!button?.name && !form.elements.text.value.trim()) return;
    if (!button?.name) form.elements.text.value = "";
    grow(form.elements.text);
  }
  button?.setAttribute("aria-busy", "true");
  dock.querySelector("details")?.removeAttribute("open");
  await fetch(form.action, { method: "POST", body: fields, headers: { Accept: "application/json" } });
  button?.removeAttribute("aria-busy");
  if (form.dataset.kind === "start") {
    start = "";
    history.replaceState(null, "", "chat");
    revision = -1;
  }
  toBottom();
}

function grow(field) {
  field.style.height = "auto";
  field.style.height = field.scrollHeight + 2 + "px";
}

// forms of the panel change the page around the chat: those reload it
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method === "dialog" || form.action.match(/chat\/(person|block|language)$/)) return;
  event.preventDefault();
  submit(form, event.submitter);
});

document.addEventListener("keydown", (event) => {
  if (event.target.id === "text" && event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    event.target.form.requestSubmit();
  }
  if (event.key === "Escape") dock.querySelector("details")?.removeAttribute("open");
});

document.addEventListener("input", (event) => {
  if (event.target.id === "text") grow(event.target);
});

document.addEventListener("change", (event) => {
  event.target.form?.matches("[data-auto]") && event.target.form.submit();
});

document.addEventListener("click", (event) => {
  const menu = dock.querySelector("details[open]");
  if (menu && !menu.contains(event.target)) menu.removeAttribute("open");
});

localTimes(document);
toBottom();
if (!toast.hidden) hideToastLater();
if (!typing.hidden) showTyping(true);
listen();
