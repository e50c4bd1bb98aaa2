import type { Language } from "../language.ts";
import type { Call, Parameter, Signature } from "./symbol-table.ts";

/** Why a call does not fit what it calls; nothing where it does, or nobody can tell. */
export function misfitOf(call: Call, { parameters }: Signature, language: Language): string | undefined {
  if (call.isOpen) return undefined;
  const rest = parameters.some(({ kind }) => kind === "rest");
  const byPosition = parameters.filter(({ kind }) => kind === "plain" || kind === "positional");
  // `self` is an argument where a method is named by its type, and none where it is called on a value.
  const given =
    language === "rust" && parameters[0]?.name === "self" ? [call.positional, call.positional + 1] : [call.positional];
  if (language === "python") return misfitOfPython(call, parameters, byPosition, rest);
  const least = leastOf(byPosition);
  if (given.every((count) => count < least)) return `it takes at least ${least} arguments, and gets ${call.positional}`;
  if (!rest && given.every((count) => count > byPosition.length))
    return `it takes at most ${byPosition.length} arguments, and gets ${call.positional}`;
  return undefined;
}

function leastOf(parameters: readonly Parameter[]): number {
  return parameters.findLastIndex(({ isOptional, type }) => !isOptional && !/\b(void|any|unknown)\b/.test(type)) + 1;
}

function misfitOfPython(
  call: Call,
  parameters: readonly Parameter[],
  byPosition: readonly Parameter[],
  rest: boolean,
): string | undefined {
  if (call.positional > byPosition.length && !rest)
    return `it takes at most ${byPosition.length} arguments by position, and gets ${call.positional}`;
  const takesAll = parameters.some(({ kind }) => kind === "keywords");
  const named = new Set(
    parameters.filter(({ kind }) => kind === "plain" || kind === "keyword").map(({ name }) => name),
  );
  const unknown = call.keywords.find((name) => !named.has(name));
  if (unknown !== undefined && !takesAll) return `it has no parameter ${unknown}`;
  const given = new Set([...byPosition.slice(0, call.positional).map(({ name }) => name), ...call.keywords]);
  const missing = parameters.find(
    ({ name, kind, isOptional }) => !isOptional && kind !== "rest" && kind !== "keywords" && !given.has(name),
  );
  return missing === undefined ? undefined : `it needs ${missing.name}, which is not given`;
}

/** Whether arguments that are given by position now reach other parameters than before. */
export function isShifted(call: Call, before: Signature, after: Signature): boolean {
  const [old, now] = [before, after].map(({ parameters }) => parameters.map(({ name }) => name));
  if (old === undefined || now === undefined) return false;
  return old.slice(0, call.positional).some((name, index) => {
    const place = now.indexOf(name);
    return name !== "" && place >= 0 && place !== index;
  });
}
