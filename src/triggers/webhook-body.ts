/** The largest body that a hook takes. */
export const MOST_BODY_BYTES = 1024 * 1024;

/** What is read of a body: a value, or what is wrong with it. */
export type ParsedBody = { readonly value: unknown } | { readonly problem: string };

/** Whether a hook takes bodies of that content type; without one it is taken as JSON. */
export function isBodyType(contentType: string | undefined): boolean {
  return (
    contentType === undefined ||
    /^application\/([\w.-]+\+)?json\b|^application\/x-www-form-urlencoded\b/i.test(contentType)
  );
}

/** Reads a body. Forms become an object; one with a `payload`, as GitHub sends, becomes what that says. */
export function parseBody(body: Uint8Array, contentType: string | undefined): ParsedBody {
  if (body.length === 0) return { value: null };
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    return { problem: "the body is not UTF-8" };
  }
  if (!/form-urlencoded/i.test(contentType ?? "")) return parseJson(text);
  const form = new URLSearchParams(text);
  const payload = form.get("payload");
  return payload === null ? { value: Object.fromEntries(form) } : parseJson(payload);
}

function parseJson(text: string): ParsedBody {
  // What is nested deeper can be read, and not be written again.
  if (isDeeperThan(text, MOST_DEPTH)) return { problem: `the body is nested deeper than ${MOST_DEPTH} levels` };
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return { problem: "the body is not JSON" };
  }
}

const MOST_DEPTH = 100;

function isDeeperThan(text: string, most: number): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text.charAt(at);
    if (inString && letter === "\\") at += 1;
    else if (letter === '"') inString = !inString;
    else if (inString) continue;
    else if (letter === "[" || letter === "{") depth += 1;
    else if (letter === "]" || letter === "}") depth -= 1;
    if (depth > most) return true;
  }
  return false;
}
