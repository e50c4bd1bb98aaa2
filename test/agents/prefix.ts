import type { ModelRequest } from "./model-server.ts";

/**
 * Finds the first difference between a request and the start of another one: in what the model is told first (its
 * system prompt and its tools) or in one of the messages. `undefined`: a cache of the one serves the other.
 */
export function prefixDifference(parent: ModelRequest, child: ModelRequest): string | undefined {
  const [before, after] = [partsOf(parent), partsOf(child)];
  for (const [name, part] of Object.entries(before)) {
    const other = after[name];
    if (other === undefined) return `${name} is missing`;
    if (part === other) continue;
    let at = 0;
    while (part[at] === other[at]) at += 1;
    return `${name} differs at ${at}: ${part.slice(Math.max(0, at - 80), at + 200)} / ${other.slice(at, at + 200)}`;
  }
  return undefined;
}

const FIRST = ["model", "system", "instructions", "systemInstruction", "tools"];
const MESSAGES = ["messages", "input", "contents"];

function partsOf({ body }: ModelRequest): Record<string, string> {
  const first = FIRST.flatMap((name) => (body[name] === undefined ? [] : [[name, textOf(body[name])] as const]));
  const messages = MESSAGES.flatMap((name) => (Array.isArray(body[name]) ? (body[name] as unknown[]) : []));
  return Object.fromEntries([
    ...first,
    ...messages.map((message, index) => [`message ${index}`, textOf(message)] as const),
  ]);
}

/** Neither where a cache is asked to remember, nor an item's own id, nor how a single text is wrapped is read by it. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (key, inner: unknown) => {
    if (key === "cache_control" || (key === "id" && typeof inner === "string" && inner.startsWith("msg_")))
      return undefined;
    return key === "content" && typeof inner === "string" ? [{ type: "text", text: inner }] : inner;
  });
}
