// What the process takes, tile by tile.
import { setText } from "./capture.js";
import * as text from "./text.js";

const find = (id) => document.getElementById(id);
const mostBars = 5;

function make(tag, className) { return Object.assign(document.createElement(tag), { className }); }

/** Makes `list` have one bar for each `{ name, used, limit }`. */
function setBars(list, bars) {
  while (list.children.length > bars.length) list.lastElementChild.remove();
  while (list.children.length < bars.length) {
    const item = document.createElement("li");
    item.append(make("div", "bar-text"), make("div", "bar"));
    item.firstChild.append(make("span", "bar-name"), make("span", "bar-value"));
    item.lastChild.append(make("div", "bar-fill"));
    list.append(item);
  }
  bars.forEach(({ name, used, limit }, index) => {
    const item = list.children[index];
    setText(item.querySelector(".bar-name"), name);
    setText(item.querySelector(".bar-value"), `${text.bytes(used)} of ${text.bytes(limit)}`);
    item.querySelector(".bar-fill").style.transform = `scaleX(${limit > 0 ? Math.min(used / limit, 1) : 0})`;
  });
}

/** Makes `list` have a term and a value for each pair; a third entry tells whether that is alarming. */
function setPairs(list, pairs) {
  while (list.children.length > pairs.length * 2) list.lastElementChild.remove();
  while (list.children.length < pairs.length * 2) {
    list.append(document.createElement("dt"), document.createElement("dd"));
  }
  pairs.forEach(([term, value, isAlarming], index) => {
    setText(list.children[2 * index], term);
    setText(list.children[2 * index + 1], value);
    list.children[2 * index + 1].classList.toggle("alarming", Boolean(isAlarming));
  });
}

function setPressure(pressure) {
  const tile = find("pressure-meter").closest(".tile");
  if (!pressure || pressure.limit_bytes === 0) {
    setText(find("pressure-level"), pressure ? "Not known" : "Not watched");
    setText(find("pressure-note"), pressure ? "there is no sample" : "the program gave no monitor");
    delete tile.dataset.kind;
    find("pressure-meter").hidden = true;
    find("pressure-marks").hidden = true;
    return;
  }
  const part = (value) => Math.max(0, Math.min(1, value / pressure.limit_bytes));
  const { level } = pressure;
  tile.dataset.kind = level === "critical" ? "failure" : level === "high" ? "warning" : "well";
  setText(find("pressure-level"), level);
  const rising = pressure.seconds_to_critical;
  const forecast = rising > 0 && rising < 3600 ? `, critical in ${text.duration(rising)} at this rate` : "";
  const paused = pressure.is_processing_paused ? ", nothing new begins" : "";
  const used = `${text.bytes(pressure.used_bytes)} of ${text.bytes(pressure.limit_bytes)}`;
  setText(find("pressure-note"), used + forecast + paused);
  const meter = find("pressure-meter");
  meter.hidden = false;
  find("pressure-marks").hidden = false;
  meter.setAttribute("aria-valuenow", Math.round(part(pressure.used_bytes) * 100));
  meter.setAttribute("aria-valuetext", `${level}, ${text.percent(part(pressure.used_bytes))} used`);
  meter.querySelector(".scale-fill").style.transform = `scaleX(${part(pressure.used_bytes)})`;
  const marks = ["moderate", "high", "critical"].map((name) => {
    const place = part(pressure[`${name}_bytes`]);
    meter.querySelector(`[data-level=${name}]`).style.left = `${place * 100}%`;
    return `${name} from ${text.percent(place)}`;
  });
  setText(find("pressure-marks"), marks.join(" · "));
}

let lastTime = { seconds: 0, cpu: 0 };

/** Percent of one core that the process took since a second ago at least; nothing while that is unknown. */
let load = "";
function measureLoad(seconds, cpu) {
  const passed = seconds - lastTime.seconds;
  if (passed >= 0 && passed < 1) return;
  // A clock that was set, or a program that began anew, has no span: what there was is not what there is.
  const isSpan = passed > 0 && passed < 10 && cpu >= lastTime.cpu;
  load = isSpan ? `${(100 * (cpu - lastTime.cpu) / passed).toFixed(1)} %` : "";
  lastTime = { seconds, cpu };
}

/** Shows what `levels` says of the process; `losses` are seconds of audio by cause, and `isLosing` whether just now. */
export function show(levels, losses, isLosing) {
  const { process } = levels;
  measureLoad(levels.seconds, process.cpu_seconds);
  setPressure(levels.pressure);
  setText(find("memory-resident"), text.bytes(process.resident_bytes));
  const budgets = levels.budgets.slice(0, mostBars).map(
    ({ name, used_bytes, limit_bytes }) => ({ name, used: used_bytes, limit: limit_bytes }));
  const histories = { name: "histories", used: process.ring_bytes, limit: process.ring_limit_bytes };
  setBars(find("memory-bars"), [histories, ...budgets]);

  const { registries } = levels;
  const sum = (key) => registries.reduce((total, registry) => total + registry[key], 0);
  setText(find("sessions-count"), text.number(sum("session_count")));
  setText(find("sessions-note"), registries.length ? `of ${text.number(sum("session_limit"))} at most` : "no registry");
  setBars(find("session-bars"), registries.slice(0, mostBars).map(
    ({ name, used_bytes, limit_bytes }) => ({ name: `memory of ${name}`, used: used_bytes, limit: limit_bytes })));

  const { device, refused, cleaned, missed, evicted } = losses;
  const total = device + refused + cleaned + missed;
  setText(find("losses-total"), total > 0 ? text.duration(total) : "none");
  find("losses-total").closest(".tile").dataset.kind = isLosing ? "failure" : "well";
  setPairs(find("losses"), [
    ["by devices", text.duration(device), isLosing && device > 0],
    ["refused", text.duration(refused), isLosing && refused > 0],
    ["missed by subscribers", text.duration(missed), isLosing && missed > 0],
    ["cleaned up", text.duration(cleaned)],
    ["rolled off, as meant", text.duration(evicted)],
  ]);

  const threads = Object.entries(process.threads).sort(([a], [b]) => (a < b ? -1 : 1));
  setText(find("threads-count"), text.number(threads.reduce((total, [, count]) => total + count, 0)));
  setText(find("threads-note"), "of the library’s");
  const hanging = process.quarantined_threads;
  setPairs(find("threads"), [
    ...(load ? [["processor time", load]] : []),
    ...threads.map(([name, count]) => [name, text.number(count)]),
    ...(hanging ? [["left to themselves", text.number(hanging), true]] : []),
  ]);
}
