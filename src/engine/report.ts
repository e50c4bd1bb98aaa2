/** What a line begins with that a command reports by. */
export const REPORT_PREFIX = "@report ";
/** How much of a line is kept. */
export const LONGEST_REPORT_BYTES = 64 * 1024;
/** How many reports a second become events; more are counted. */
const REPORTS_PER_SECOND = 100;

/** What a command has reported. */
export interface Report {
  readonly text: string;
  /** Where the text is JSON. */
  readonly value?: unknown;
  /** Whether the line was longer than what is kept. */
  readonly cut?: true;
}

/** What a line of a log reports, where it does. */
export function parseReport(line: Uint8Array): Report | undefined {
  if (!isReport(line)) return undefined;
  const bytes = line.subarray(REPORT_PREFIX.length);
  const isCut = bytes.length > LONGEST_REPORT_BYTES;
  const text = new TextDecoder().decode(isCut ? bytes.subarray(0, LONGEST_REPORT_BYTES) : bytes).replace(/\r$/, "");
  // Half of a character at the end is none.
  if (isCut) return { text: text.replace(/�$/, ""), cut: true };
  const value = parseJson(text);
  return value === undefined ? { text } : { text, value };
}

function isReport(line: Uint8Array): boolean {
  if (line.length < REPORT_PREFIX.length) return false;
  for (let index = 0; index < REPORT_PREFIX.length; index += 1)
    if (line[index] !== REPORT_PREFIX.charCodeAt(index)) return false;
  return true;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** How many reports may become events by now. */
export class ReportAllowance {
  #left: number;
  #atMs: number;

  /** @param unreadMs for how long nobody has read: what came meanwhile is not held against whoever reports */
  constructor(unreadMs: number, nowMs: number) {
    this.#left = Math.max(REPORTS_PER_SECOND, (Math.max(0, unreadMs) / 1000) * REPORTS_PER_SECOND);
    this.#atMs = nowMs;
  }

  /** Whether one more may; `nowMs` is on a clock that never jumps. */
  take(nowMs: number): boolean {
    const earned = (Math.max(0, nowMs - this.#atMs) / 1000) * REPORTS_PER_SECOND;
    this.#atMs = nowMs;
    this.#left = Math.max(this.#left, Math.min(REPORTS_PER_SECOND, this.#left + earned));
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
