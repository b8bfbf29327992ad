// Figures as people read them.

const whole = new Intl.NumberFormat("en");

export function number(value) { return whole.format(value); }

/** Bytes in binary units, three digits of them. */
export function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || Math.abs(value) >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/** A part, 0…1, in percent. */
export function percent(part) { return `${Math.round(part * 100)} %`; }

/** A length of audio. */
export function duration(seconds) {
  if (seconds === 0) return "0 s";
  if (seconds < 0.0995) return `${Math.max(1, Math.round(seconds * 1000))} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 3570) return `${Math.floor(Math.round(seconds) / 60)} min ${Math.round(seconds) % 60} s`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** Decibels relative to full scale. */
export function decibels(level) {
  const value = toDecibels(level);
  return value > -100 ? `${value.toFixed(1).replace("-", "−")} dB` : "−∞ dB";
}

export function toDecibels(level) { return level > 0 ? 20 * Math.log10(level) : -Infinity; }

export function plural(count, one, many) { return `${number(count)} ${count === 1 ? one : many}`; }
