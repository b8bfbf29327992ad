// One capture's card: what it remembers of the last half minute, and how that is drawn.
import * as text from "./text.js";

const columnSeconds = 0.1;
const aimedColumns = 300;               // a column is a whole number of pixels, so that it is about that many
const columns = 512;                    // that are remembered
const quietest = -60;                   // decibels at the left end of the level
const holdSeconds = 1.5;
const fallPerSecond = 24;               // decibels

const template = document.getElementById("capture");
const names = {
  device: "by the device", refused: "refused", cleaned: "cleaned up", missed: "missed by subscribers",
};

/** The colours of the canvases, as the style sheet has them now. */
export const palette = {};
export function readPalette() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["rms", "peak", "hot", "clip", "ink", "track", "line"]) {
    palette[name] = style.getPropertyValue(`--${name}`).trim();
  }
}

/** Sets a text only where it changes, so that neither layout nor screen readers are bothered. */
export function setText(element, value) {
  if (element.textContent !== value) element.textContent = value;
}

/** What a canvas is drawn on, in the screen's pixels, and whether its size is new, and it empty; `null` without any. */
function prepare(canvas) {
  const ratio = Math.min(window.devicePixelRatio || 1, 2);
  const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
  if (width === 0 || height === 0) return null;
  const isNew = canvas.width !== width || canvas.height !== height;
  if (isNew) [canvas.width, canvas.height] = [width, height];
  return { context: canvas.getContext("2d"), width, height, ratio, isNew };
}

export class Capture {
  constructor() {
    this.element = template.content.firstElementChild.cloneNode(true);
    const find = (name) => this.element.querySelector(`.${name}`);
    this.parts = {
      name: find("capture-name"), phase: find("capture-phase"),
      health: find("capture-health"), reason: find("capture-reason"), wave: find("wave"),
      level: find("level"), levelCanvas: find("level-canvas"), levelText: find("level-text"), fill: find("fill"),
      fillChunks: find("fill-chunks"), fillBytes: find("fill-bytes"), fillText: find("fill-text"),
      losses: find("capture-losses"),
    };
    this.rms = new Float32Array(columns).fill(NaN);
    this.peak = new Float32Array(columns).fill(NaN);
    this.next = 0;
    this.lastSeconds = 0;
    this.shown = { rms: -Infinity, peak: -Infinity, hold: -Infinity, holdUntil: 0 };
    this.isVisible = false;
    this.newColumns = columns;
    this.row = null;
    this.lost = Infinity;                // what was lost before the page saw it is old
    this.lossTime = -Infinity;
  }

  /** Takes in who it is and how it fares. */
  setStates(states) {
    const failed = states.state.startsWith("failed");
    this.kind = failed || ["lost", "stalled", "reconnecting"].includes(states.health) ? "failure"
      : states.health === "silent" ? "warning" : states.health === "flowing" ? "well" : "idle";
    this.name = states.name;
    this.sampleRate = states.sample_rate;
    this.element.dataset.kind = this.kind;
    setText(this.parts.name, states.name);
    this.parts.name.title = states.registry ? `${states.name}, of ${states.registry}` : states.name;
    // Where there is little room, a bad health stands alone.
    const health = states.health && states.health !== "flowing" && !failed ? states.health : "";
    setText(this.parts.phase, failed ? "failed" : states.state + (health ? " · " : ""));
    setText(this.parts.health, health);
    const reason = failed ? states.state.slice("failed (".length, -1) : states.health_reason ?? "";
    setText(this.parts.reason, reason);
    this.parts.reason.hidden = reason === "";
    this.parts.level.setAttribute("aria-label", `Level of ${states.name}`);
    this.parts.fill.setAttribute("aria-label", `History of ${states.name}`);
  }

  /** Takes in a row of figures of the moment `seconds`. */
  setRow(row, seconds) {
    const [rms, peak, chunks, bytes, device, evicted, refused, cleaned, missed] = row;
    this.row = {
      rms: rms / 10_000, peak: peak / 10_000, chunks: chunks / 10_000, bytes: bytes / 10_000,
      evicted, losses: { device, refused, cleaned, missed },
    };
    // Where nothing was heard for a while there is a gap.
    const passed = this.lastSeconds ? Math.round((seconds - this.lastSeconds) / columnSeconds) : 1;
    const count = Math.min(Math.max(passed, 1), columns);
    for (let index = 1; index <= count; index += 1) {
      const isKnown = index === count || count <= 10;
      this.rms[this.next] = isKnown ? this.row.rms : NaN;
      this.peak[this.next] = isKnown ? this.row.peak : NaN;
      this.next = (this.next + 1) % columns;
    }
    this.lastSeconds = seconds;
    this.newColumns += count;
    const lost = device + refused + cleaned + missed;
    if (lost > this.lost) this.lossTime = performance.now();
    this.lost = lost;
  }

  /** Seconds of audio lost, by cause; `evicted` is what went out of the history as it rolls. */
  get lostSeconds() {
    const seconds = {};
    for (const [cause, frames] of Object.entries(this.row?.losses ?? {})) seconds[cause] = frames / this.sampleRate;
    seconds.evicted = (this.row?.evicted ?? 0) / this.sampleRate;
    return seconds;
  }

  /** Whether audio was lost within the last minute. */
  get isLosing() { return performance.now() - this.lossTime < 60_000; }

  /** What is written and told to screen readers: once a second. */
  describe() {
    if (!this.row) return;
    const { rms, peak, chunks, bytes, losses } = this.row;
    const value = Math.max(quietest, Math.min(0, text.toDecibels(rms)));
    this.parts.level.setAttribute("aria-valuenow", value.toFixed(0));
    this.parts.level.setAttribute("aria-valuetext", `${text.decibels(rms)}, peak ${text.decibels(peak)}`);
    setText(this.parts.levelText, text.decibels(rms));
    this.parts.fill.setAttribute("aria-valuenow", Math.round(Math.max(chunks, bytes) * 100));
    this.parts.fill.setAttribute(
      "aria-valuetext", `${text.percent(chunks)} of its chunks, ${text.percent(bytes)} of its bytes`);
    this.parts.fillChunks.style.transform = `scaleX(${Math.min(chunks, 1)})`;
    this.parts.fillBytes.style.transform = `scaleX(${Math.min(bytes, 1)})`;
    setText(this.parts.fillText, `history ${text.percent(Math.max(chunks, bytes))}`);
    const causes = Object.entries(losses).filter(([, frames]) => frames > 0)
      .map(([cause, frames]) => `${text.duration(frames / this.sampleRate)} ${names[cause]}`);
    setText(this.parts.losses, causes.length ? `lost: ${causes.join(", ")}` : "nothing lost");
    this.parts.losses.classList.toggle("alarming", this.isLosing);
  }

  /** Draws what has changed. With `settles` the level falls as a meter's does; otherwise it is where it is. */
  draw(elapsed, settles) {
    if (!this.row) return;
    this.move(elapsed, settles);
    this.drawLevel();
    this.drawWave();
  }

  /** Has all of the wave drawn next time, and not only what is new. */
  forgetDrawing() { this.newColumns = columns; }

  move(elapsed, settles) {
    const [rms, peak] = [text.toDecibels(this.row.rms), text.toDecibels(this.row.peak)];
    const fall = settles ? fallPerSecond * elapsed : Infinity;
    const now = performance.now();
    const shown = this.shown;
    shown.rms = Math.max(rms, shown.rms - fall);
    shown.peak = Math.max(peak, shown.peak - fall);
    if (peak >= shown.hold) [shown.hold, shown.holdUntil] = [peak, now + holdSeconds * 1000];
    else if (now > shown.holdUntil) shown.hold = Math.max(peak, shown.hold - fall);
  }

  drawLevel() {
    const surface = prepare(this.parts.levelCanvas);
    if (!surface) return;
    const { context, width, height, ratio } = surface;
    const place = (level) => Math.max(0, Math.min(1, 1 - level / quietest)) * width;
    const colour = (level) => (level > -3 ? palette.clip : level > -12 ? palette.hot : palette.rms);
    context.fillStyle = palette.track;
    context.fillRect(0, 0, width, height);
    context.fillStyle = palette.peak;
    context.fillRect(0, 0, place(this.shown.peak), height);
    for (const [from, to] of [[quietest, -12], [-12, -3], [-3, 0]]) {
      if (this.shown.rms <= from) break;
      context.fillStyle = colour(to - 0.01);
      context.fillRect(place(from), 0, place(Math.min(this.shown.rms, to)) - place(from), height);
    }
    context.fillStyle = palette.line;
    for (const level of [-48, -36, -24, -12, -3]) {
      context.fillRect(Math.round(place(level)), height - 2 * ratio, ratio, 2 * ratio);
    }
    if (this.shown.hold <= quietest) return;
    context.fillStyle = this.shown.hold > -12 ? colour(this.shown.hold) : palette.ink;
    context.fillRect(Math.max(0, Math.min(width - 2 * ratio, place(this.shown.hold) - ratio)), 0, 2 * ratio, height);
  }

  drawWave() {
    if (this.newColumns === 0) return;
    const surface = prepare(this.parts.wave);
    if (!surface) return;
    const { context, width, height, ratio, isNew } = surface;
    const step = Math.max(1, Math.round(width / aimedColumns));
    const count = Math.min(isNew ? columns : this.newColumns, columns, Math.ceil(width / step));
    this.newColumns = 0;
    // What is there moves to the left: so only what is new has to be drawn.
    const start = width - count * step;
    context.globalCompositeOperation = "copy";
    context.drawImage(context.canvas, -count * step, 0);
    context.globalCompositeOperation = "source-over";
    context.clearRect(start, 0, width - start, height);
    const middle = height / 2;
    context.fillStyle = palette.line;
    context.fillRect(start, Math.round(middle), width - start, ratio);
    // The square root shows speech, which is far below full scale.
    for (const [values, colour] of [[this.peak, palette.peak], [this.rms, palette.rms]]) {
      context.fillStyle = colour;
      for (let index = 0; index < count; index += 1) {
        const value = values[(this.next + columns - count + index) % columns];
        if (!(value > 0)) continue;
        const reach = Math.max(ratio / 2, Math.min(1, Math.sqrt(value)) * (middle - ratio));
        context.fillRect(start + index * step, middle - reach, step, 2 * reach);
      }
    }
  }
}
