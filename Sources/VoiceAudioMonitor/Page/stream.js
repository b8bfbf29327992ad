// Server-sent events by fetch(), as EventSource cannot send a token. It connects again by itself.

const silenceLimit = 5_000;             // milliseconds without a byte, after which the connection is given up
const shortestDelay = 500;
const longestDelay = 8_000;

/** Reads `events` as they come from `response`, calling `handle(name, data)`; returns at the stream's end. */
async function read(response, handle, alive) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    alive();
    text += value;
    const blocks = text.split("\n\n");
    text = blocks.pop();
    for (const block of blocks) {
      let name = "message";
      let data = "";
      for (const line of block.split("\n")) {
        if (line.startsWith("event: ")) name = line.slice(7);
        if (line.startsWith("data: ")) data += line.slice(6);
      }
      if (data) handle(name, JSON.parse(data));
    }
  }
}

/**
 * Follows `path` for ever.
 * - `token()` gives the token to send, or nothing.
 * - `handle(name, data)` gets each event.
 * - `tell(state, detail)` hears "live", "lost" with the milliseconds to the next try and why, and "denied".
 * Returns a function that tries again at once.
 */
export function follow(path, { token, handle, tell }) {
  let delay = shortestDelay;
  let wake = () => {};

  async function once() {
    const abort = new AbortController();
    let timer = 0;
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(() => abort.abort(), silenceLimit);
    };
    alive();
    try {
      const headers = token() ? { Authorization: `Bearer ${token()}` } : {};
      const response = await fetch(path, { headers, cache: "no-store", signal: abort.signal });
      if (response.status === 401 || response.status === 403) return "denied";
      if (!response.ok) return (await response.json()).error;
      await read(response, (name, data) => {
        delay = shortestDelay;
        tell("live");
        try {
          handle(name, data);
        } catch (error) {
          reportError(error);           // the page's own fault, and not the connection's
        }
      }, alive);
      return "the server ended it";
    } catch {
      return abort.signal.aborted ? "nothing came for 5 s" : "the server cannot be reached";
    } finally {
      clearTimeout(timer);
      abort.abort();
    }
  }

  (async () => {
    for (;;) {
      const outcome = await once();
      // Spread, so that many pages do not come back at the same moment.
      const wait = outcome === "denied" ? longestDelay : delay * (0.75 + Math.random() / 2);
      tell(outcome === "denied" ? "denied" : "lost", { wait, reason: outcome });
      await new Promise((resolve) => {
        wake = resolve;
        setTimeout(resolve, wait);
      });
      delay = Math.min(delay * 2, longestDelay);
    }
  })();
  return () => {
    delay = shortestDelay;
    wake();
  };
}
