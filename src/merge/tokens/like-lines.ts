import type { Language } from "../language.ts";
import type { Range } from "../three-way.ts";
import type { LineVersions } from "../versions.ts";
import type { RegionMerge } from "./resolve-region.ts";

const MOST_LINES = 20;

const AUTHOR = /^\s*\*\s+@author\s+(?<what>\S.*)$/;
const ANNOTATION = /^\s*@(?<what>[A-Z][\w.]*)(?:\(.*\))?$/;
const ATTRIBUTE = /^\s*#(?<inner>!?)\[(?<what>.+)\]$/;
const CALL = /^\s*(?<receiver>[\w$:.]*?)(?<callee>[\w$]+)\((?<what>.*)\)(?<end>;?)$/;

/** Calls that write one thing after the other. */
const SEQUENTIAL = /^(?:append|write|print|push|emit|log|echo|put|send|then|assert|expect|return|if|while|for|switch)/i;

/** A line that is one of many of its kind, whose order has no meaning. */
interface LikeLine {
  readonly group: string;
  /** Only one line of a group may have it. */
  readonly what: string;
}

interface Place {
  readonly base: Range;
  readonly ours: Range;
  readonly theirs: Range;
}

/**
 * Unites what both sides inserted at one place where every line is a thing of its own: authors, annotations, attributes,
 * and calls of one function beside others of it, as in a list of what is registered. Those of ours come first.
 */
export function uniteLikeLines(
  { base, ours, theirs }: LineVersions,
  place: Place,
  language: Language | undefined,
): RegionMerge | undefined {
  if (place.base.start !== place.base.end || language === undefined) return undefined;
  const [left, right] = [
    ours.slice(place.ours.start, place.ours.end),
    theirs.slice(place.theirs.start, place.theirs.end),
  ];
  if (left.length === 0 || right.length === 0 || left.length + right.length > MOST_LINES) return undefined;
  const beside = [base[place.base.start - 1] ?? "", base[place.base.start] ?? ""];
  const known = new Map<string, string>();
  const united: string[] = [];
  for (const line of [...left, ...right]) {
    const like = readLine(line, language, beside);
    if (like === undefined || indentationOf(line) !== indentationOf(left[0] ?? "")) return undefined;
    const key = `${like.group} ${like.what}`;
    const same = known.get(key);
    if (same === undefined) united.push(line);
    else if (same !== line) return undefined;
    known.set(key, line);
  }
  return { text: united.map((line) => `${line}\n`).join(""), steps: [{ resolver: "adjacent", class: "B" }], drops: [] };
}

function readLine(line: string, language: Language, beside: readonly string[]): LikeLine | undefined {
  const author = AUTHOR.exec(line)?.groups;
  if (author !== undefined) return { group: "@author", what: author["what"] ?? "" };
  if (language === "java" && ANNOTATION.test(line)) {
    return { group: "@", what: ANNOTATION.exec(line)?.groups?.["what"] ?? "" };
  }
  if (language === "rust") {
    const attribute = ATTRIBUTE.exec(line)?.groups;
    if (attribute !== undefined) return { group: `#${attribute["inner"] ?? ""}`, what: attribute["what"] ?? "" };
  }
  return readCall(line, beside);
}

function readCall(line: string, beside: readonly string[]): LikeLine | undefined {
  const call = CALL.exec(line)?.groups;
  const callee = call?.["callee"] ?? "";
  if (call === undefined || SEQUENTIAL.test(callee) || !isBalanced(call["what"] ?? "")) return undefined;
  const isOneOfMany = beside.some((other) => {
    const found = CALL.exec(other)?.groups;
    return found?.["callee"] === callee && found["end"] === call["end"];
  });
  const what = `${call["receiver"] ?? ""} ${firstArgument(call["what"] ?? "")}`;
  return isOneOfMany ? { group: `${callee}(`, what } : undefined;
}

function isBalanced(text: string): boolean {
  let depth = 0;
  for (const [mark] of text.matchAll(/[([{}\])]/g)) {
    depth += "([{".includes(mark) ? 1 : -1;
    if (depth < 0) return false;
  }
  return depth === 0;
}

function firstArgument(text: string): string {
  let depth = 0;
  for (const { 0: mark, index } of text.matchAll(/[([{}\]),]/g)) {
    if (mark === "," && depth === 0) return text.slice(0, index);
    if (mark !== ",") depth += "([{".includes(mark) ? 1 : -1;
  }
  return text;
}

function indentationOf(line: string): string {
  return /^\s*/.exec(line)?.[0] ?? "";
}
