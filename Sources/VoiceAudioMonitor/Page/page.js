// Puts together what the stream says, what is shown of it, and how often.
import { Capture, readPalette, setText } from "./capture.js";
import * as cleanup from "./cleanup.js";
import { follow } from "./stream.js";
import * as text from "./text.js";
import * as tiles from "./tiles.js";

const find = (id) => document.getElementById(id);
const list = find("capture-list");
const mostProblems = 5;
const denseFrom = 13;
const toolsFrom = 7;

const captures = new Map();
let shown = [];                         // in the order of the rows
let states = null;
let levels = null;
let connection = "connecting";

// --- Captures

const observer = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    const capture = captures.get(entry.target.dataset.key);
    if (!capture) continue;
    capture.isVisible = entry.isIntersecting;
    if (capture.isVisible) {
      capture.forgetDrawing();
      capture.describe();
    }
  }
}, { rootMargin: "80px" });

function setStates(next) {
  states = next;
  const seen = new Map();
  shown = states.processors.map((processor) => {
    // Two processors may have one name.
    const name = JSON.stringify([processor.registry ?? null, processor.name]);
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    const key = `${name} ${count}`;
    let capture = captures.get(key);
    if (!capture) {
      capture = new Capture();
      capture.element.dataset.key = key;
      captures.set(key, capture);
      observer.observe(capture.element);
    }
    capture.setStates(processor);
    return capture;
  });
  const present = new Set(shown);
  for (const [key, capture] of captures) {
    if (present.has(capture)) continue;
    observer.unobserve(capture.element);
    capture.element.remove();
    captures.delete(key);
  }
  shown.forEach((capture, index) => {
    if (list.children[index] !== capture.element) list.insertBefore(capture.element, list.children[index] ?? null);
  });
  list.classList.toggle("dense", shown.length >= denseFrom);
  find("captures-tools").hidden = shown.length < toolsFrom;
  filter();
}

function filter() {
  const hasTools = !find("captures-tools").hidden;
  const wanted = hasTools ? find("filter").value.trim().toLowerCase() : "";
  const onlyProblems = hasTools && find("only-problems").checked;
  let count = 0;
  for (const capture of shown) {
    const fits = capture.name.toLowerCase().includes(wanted)
      && (!onlyProblems || capture.kind === "failure" || capture.kind === "warning" || capture.isLosing);
    capture.element.hidden = !fits;
    if (fits) count += 1;
  }
  const all = text.number(shown.length);
  setText(find("captures-count"), count === shown.length ? all : `${text.number(count)} of ${all}`);
  find("captures-empty").hidden = count > 0;
  setText(find("captures-empty"), shown.length ? "No capture fits." : "There is nothing that captures.");
}
find("filter").addEventListener("input", filter);
find("only-problems").addEventListener("change", filter);

// --- The verdict: one sentence, which a screen reader hears when it changes, and every two seconds at most

let verdictTimer = 0;
let lastVerdict = -Infinity;

function showVerdict() {
  clearTimeout(verdictTimer);
  const wait = lastVerdict + 2000 - performance.now();
  if (wait > 0) {
    verdictTimer = setTimeout(showVerdict, wait);
    return;
  }
  const { kind, sentence, problems } = verdict();
  const hasChanged = find("verdict").dataset.kind !== kind || find("verdict-text").textContent !== sentence;
  if (hasChanged) lastVerdict = performance.now();
  find("verdict").dataset.kind = kind;
  setText(find("verdict-text"), sentence);
  const lines = problems.slice(0, mostProblems);
  if (problems.length > mostProblems) lines.push(`and ${text.number(problems.length - mostProblems)} more`);
  const items = find("problems");
  while (items.children.length > lines.length) items.lastElementChild.remove();
  while (items.children.length < lines.length) items.append(document.createElement("li"));
  lines.forEach((line, index) => setText(items.children[index], line));
  document.title = { well: "✓", warning: "!", failure: "✕", unknown: "…" }[kind] + " VoiceAudio";
}

function verdict() {
  if (connection === "denied") {
    return { kind: "unknown", sentence: "This monitor wants its token: enter it under “Clean up”", problems: [] };
  }
  if (connection !== "live" || !states) {
    const time = levels && new Date(levels.seconds * 1000).toLocaleTimeString();
    const sentence = time ? `Connection lost: what is below is from ${time}` : "Waiting for the first report";
    return { kind: "unknown", sentence, problems: [] };
  }
  const texts = states.problems.map((problem) => problem.text);
  if (texts.length === 0) return { kind: "well", sentence: "All is well", problems: [] };
  const kind = states.problems[0].severity;
  return texts.length === 1 ? { kind, sentence: texts[0], problems: [] }
    : { kind, sentence: `${text.number(texts.length)} problems`, problems: texts };
}

// --- The stream

function tell(state, { wait, reason } = {}) {
  const hasChanged = state !== connection;
  connection = state;
  find("connection").dataset.state = state === "denied" ? "lost" : state;
  const seconds = Math.max(1, Math.round((wait ?? 0) / 1000));
  setText(find("connection-text"), {
    live: "Live", connecting: "Connecting…", denied: "Not let in",
    lost: `Connection lost (${reason}), next try in ${seconds} s`,
  }[state]);
  document.body.classList.toggle("stale", state !== "live" && levels !== null);
  // A server that began anew counts its states from 1, too: rows wait until it has told whose they are.
  if (state !== "live" && states) states.states = null;
  if (hasChanged) showVerdict();
}

function handle(name, data) {
  if (name === "states") {
    setStates(data);
    showVerdict();
  } else if (name === "levels") {
    levels = data;
    // Rows of a list that was not seen yet wait for it: it comes within a second.
    if (states?.states !== data.states) return;
    shown.forEach((capture, index) => capture.setRow(data.rows[index], data.seconds));
  }
}

const token = () => find("token").value.trim();
const tryAgain = follow("/events", { token, handle, tell });
find("token").addEventListener("change", () => { if (connection !== "live") tryAgain(); });
// Enter there says that the token is complete, and not to clean up.
find("token").addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  if (connection !== "live") tryAgain();
});
window.addEventListener("online", tryAgain);
document.addEventListener("visibilitychange", () => { if (!document.hidden && connection !== "live") tryAgain(); });
cleanup.serve(token);

// --- What is drawn, and when

const stillness = matchMedia("(prefers-reduced-motion: reduce)");
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  readPalette();
  for (const capture of shown) capture.forgetDrawing();
});
readPalette();
window.addEventListener("resize", () => { for (const capture of shown) capture.forgetDrawing(); });

const visible = () => shown.filter((capture) => capture.isVisible && !capture.element.hidden);

let lastDrawn = -Infinity;
let lastWritten = -Infinity;

function frame(now) {
  requestAnimationFrame(frame);
  // 30 a second are smooth; where there are many, as many as there is news.
  const elapsed = now - lastDrawn;
  if (elapsed < (stillness.matches ? 1000 : list.classList.contains("dense") ? 100 : 30)) return;
  lastDrawn = now;
  for (const capture of visible()) capture.draw(Math.min(elapsed, 1000) / 1000, !stillness.matches);
  if (!levels || connection !== "live" || now - lastWritten < 1000) return;
  lastWritten = now;
  for (const capture of visible()) capture.describe();
  const losses = { device: 0, refused: 0, cleaned: 0, missed: 0, evicted: 0 };
  for (const capture of shown) {
    for (const [cause, seconds] of Object.entries(capture.lostSeconds)) losses[cause] += seconds;
  }
  tiles.show(levels, losses, shown.some((capture) => capture.isLosing));
}
requestAnimationFrame(frame);
