import { Grammars } from "../../../../src/grammars/grammars.ts";
import type { Language } from "../../../../src/merge/language.ts";
import type { Entity, Source } from "../../../../src/merge/syntax/entity.ts";
import { readSource } from "../../../../src/merge/syntax/read-source.ts";

/** The grammars that tests share. */
export const grammars = new Grammars();

/** Reads a text as entities, and gives its tree back. */
export function read(language: Language, text: string): Source {
  const parsed = grammars.parse(language, text);
  if (parsed === undefined) throw new Error(`load ${language} first`);
  try {
    return readSource(parsed);
  } finally {
    parsed.tree.delete();
  }
}

/** Entities as lines such as `class A`, with those of bodies indented. */
export function outline(entities: readonly Entity[], indent = ""): string[] {
  return entities.flatMap((entity) => [
    `${indent}${[entity.kind, entity.name, entity.signature].filter(Boolean).join(" ")}`,
    ...outline(entity.body?.entities ?? [], `${indent}  `),
  ]);
}

/** What is wrong with the offsets of a list: it has to cover a stretch, each of its entities whole lines. */
export function flaws(text: string, entities: readonly Entity[], from: number, to: number): string[] {
  const found: string[] = [];
  let at = from;
  for (const { start, end, coreStart, kind, name, body } of entities) {
    const what = `${kind} ${name ?? ""} at ${start}`;
    if (start !== at) found.push(`${what}: does not begin where the one before ends, ${at}`);
    if (end <= start) found.push(`${what}: is empty`);
    if (end !== text.length && text[end - 1] !== "\n") found.push(`${what}: does not end with a line`);
    if (coreStart < start || coreStart > end) found.push(`${what}: begins outside of itself, ${coreStart}`);
    if (coreStart > 0 && text[coreStart - 1] !== "\n") found.push(`${what}: its core does not begin a line`);
    if (body !== undefined) {
      if (body.start < coreStart || body.end > end) found.push(`${what}: has a body outside of itself`);
      found.push(...flaws(text, body.entities, body.start, body.end));
    }
    at = end;
  }
  if (at !== to) found.push(`ends at ${at}, not ${to}`);
  return found;
}
