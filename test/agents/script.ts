/** One use of a tool. A `namespace` is what codex calls a server of tools; a string is the input of a freeform tool. */
export interface ScriptedTool {
  readonly tool: string;
  readonly input: Readonly<Record<string, unknown>> | string;
  readonly namespace?: string;
}

/** What an answer is said to have used; `input` is what came from no cache. */
export interface ScriptedUsage {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
}

/** One answer of the model, or one failure before it. */
export interface Step extends Partial<ScriptedTool> {
  readonly text?: string;
  readonly tools?: readonly ScriptedTool[];
  /** Fails with this status, so many `times` and then goes on with the next step; without `times`, always. */
  readonly status?: number;
  readonly times?: number;
  readonly message?: string;
  /** Seconds, for the header of the same name. */
  readonly retryAfter?: number;
  /** Breaks the stream off, as `times` says. */
  readonly cut?: boolean;
  /** Never answers, as `times` says. */
  readonly hang?: boolean;
  readonly delayMs?: number;
  /** Answers when the test releases this name. */
  readonly wait?: string;
  readonly usage?: Partial<ScriptedUsage>;
}

/** A script in a conversation, and how many answers were given since. */
export interface Place {
  readonly script: string;
  readonly answers: number;
}

/** One thing in a conversation, in order: what the user's side said, or one answer. */
export type Said = { readonly user: string } | { readonly answer: true };

/** The prompt that makes the model do these steps. */
export function scripted(...steps: readonly Step[]): string {
  return `SCRIPT:${JSON.stringify(steps)}:END`;
}

/** Finds the last script of the user's, which holds from there on. */
export function placeOf(conversation: readonly Said[]): Place | undefined {
  let place: Place | undefined;
  for (const said of conversation) {
    if ("user" in said) {
      const script = scriptsIn(said.user).at(-1);
      if (script !== undefined) place = { script, answers: 0 };
    } else if (place !== undefined) place = { script: place.script, answers: place.answers + 1 };
  }
  return place;
}

/** The step to take now. `failures` says how often a step of this script has failed at this place already. */
export function stepAt({ script, answers }: Place, failures: number): Step {
  const steps = JSON.parse(script) as Step[];
  const isFailure = (step: Step): boolean => step.status !== undefined || step.cut === true || step.hang === true;
  let answersLeft = answers;
  let failuresLeft = failures;
  for (const step of steps) {
    if (isFailure(step)) {
      if (answersLeft > 0) continue;
      if (failuresLeft < (step.times ?? Number.POSITIVE_INFINITY)) return step;
      failuresLeft -= step.times ?? 0;
    } else {
      if (answersLeft === 0) return step;
      answersLeft -= 1;
    }
  }
  return { text: "done" };
}

/** The scripts in a text, from the outside: one within a string of another is part of that one. */
function scriptsIn(text: string): string[] {
  const scripts: string[] = [];
  let at = text.indexOf("SCRIPT:[");
  while (at >= 0) {
    const start = at + "SCRIPT:".length;
    const end = endOfArray(text, start);
    if (end !== undefined && text.startsWith(":END", end)) scripts.push(text.slice(start, end));
    at = text.indexOf("SCRIPT:[", end ?? start);
  }
  return scripts;
}

function endOfArray(text: string, start: number): number | undefined {
  let depth = 0;
  let isString = false;
  for (let at = start; at < text.length; at += 1) {
    const letter = text[at];
    if (isString) {
      if (letter === "\\") at += 1;
      else if (letter === '"') isString = false;
    } else if (letter === '"') isString = true;
    else if (letter === "[" || letter === "{") depth += 1;
    else if (letter === "]" || letter === "}") {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return undefined;
}
