/**
 * Fault points: named places where a test can kill this process exactly there.
 *
 * `ANABRANCH_FAULT=store.commit.before@7` kills the process with SIGKILL the seventh time that point is passed.
 * Without the variable a point costs one comparison.
 */
const armed = parseFault(process.env["ANABRANCH_FAULT"]);

/** Marks a place where a crash must lose nothing. */
export function faultPoint(name: string): void {
  if (armed === undefined || armed.name !== name) return;
  armed.remaining -= 1;
  if (armed.remaining === 0) process.kill(process.pid, "SIGKILL");
}

function parseFault(text: string | undefined): { name: string; remaining: number } | undefined {
  const match = /^([\w.-]+)@(\d+)$/.exec(text ?? "");
  return match === null ? undefined : { name: match[1] ?? "", remaining: Number(match[2]) };
}
