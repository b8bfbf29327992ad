// The clean-up button, and what came of it.
import * as text from "./text.js";

const form = document.getElementById("cleanup");
const button = document.getElementById("cleanup-button");
const result = document.getElementById("cleanup-result");
const parts = { buffers: "buffers", spill: "spill", expired: "expired sessions", handlers: "other parts" };

function say(kind, sentence) {
  result.dataset.kind = kind;
  result.textContent = sentence;
}

/** What the server's report comes to, in a few sentences. */
function sentences(report) {
  const freed = Object.entries(report.freed_bytes);
  const total = freed.reduce((sum, [, count]) => sum + count, 0);
  const from = freed.filter(([, count]) => count > 0)
    .map(([part, count]) => `${text.bytes(count)} from ${parts[part] ?? part}`);
  const lines = [total > 0 ? `Freed ${text.bytes(total)}: ${from.join(", ")}.` : "There was nothing to free."];
  const ended = report.expired_sessions.length;
  if (ended > 0) lines.push(`Ended ${text.plural(ended, "session", "sessions")}.`);
  const [before, after] = [report.resident_bytes_before, report.resident_bytes_after].map(text.bytes);
  lines.push(`The process has ${after}, before it had ${before}.`);
  for (const { handler, error, outcome } of report.failures.slice(0, 3)) {
    lines.push(`${handler} did not: ${error ?? outcome}.`);
  }
  if (!report.is_complete) lines.push("Not all of it was done.");
  return lines.join(" ");
}

/** `token()` gives what the server wants to see. */
export function serve(token) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    say("", "Cleaning up…");
    const what = document.getElementById("cleanup-what").value;
    try {
      const response = await fetch(`/cleanup-resources?what=${what}`, {
        method: "POST", headers: token() ? { Authorization: `Bearer ${token()}` } : {}, cache: "no-store",
      });
      const answer = await response.json();
      if (response.ok) say("well", sentences(answer));
      else say("failure", `Refused: ${answer.error}`);
    } catch {
      say("failure", "No answer came: the server cannot be reached, or its answer cannot be read.");
    } finally {
      button.setAttribute("aria-disabled", "false");
    }
  });
}
