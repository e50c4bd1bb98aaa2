import type { Entity, EntityKind } from "../syntax/entity.ts";
import { separatorPlace } from "./separator.ts";

/** An entity with its texts: one member of a list that is merged. */
export interface Part {
  readonly entity: Entity;
  /** Whole lines: blank ones and comments before the thing itself. */
  readonly lead: string;
  /** The thing itself, without the separator that follows it in its list. */
  readonly core: string;
  /** `lead` and `core`. */
  readonly text: string;
  /** What has to be equal for two parts to be the same thing: its name, or its words where it has none. */
  readonly identity: string;
  readonly hasSeparator: boolean;
}

/** The same part in three versions, where they have it. */
export interface PartVersions {
  readonly base: Part | undefined;
  readonly ours: Part | undefined;
  readonly theirs: Part | undefined;
}

/** Reads the texts of a list's entities. */
export function readParts(text: string, entities: readonly Entity[], separator: "," | undefined): Part[] {
  return entities.map((entity) => readPart(text, entity, separator));
}

function readPart(text: string, entity: Entity, separator: "," | undefined): Part {
  const coreStart = startOfCore(text, entity);
  const lead = text.slice(entity.start, coreStart);
  const written = text.slice(coreStart, entity.end);
  const at = separator === undefined || entity.kind === "comment" ? undefined : separatorPlace(written);
  const hasSeparator = at !== undefined && written[at] === separator;
  const core = hasSeparator ? written.slice(0, at) + written.slice(at + 1) : written;
  return { entity, lead, core, text: lead + core, identity: identityOf(entity, core), hasSeparator };
}

/** Where the line begins on which the thing itself begins. */
function startOfCore(text: string, { start, coreStart, end }: Entity): number {
  if (coreStart >= end) return start;
  const lineStart = text.lastIndexOf("\n", coreStart - 1) + 1;
  return Math.max(start, lineStart);
}

function identityOf({ kind, name, signature }: Entity, core: string): string {
  return name === undefined ? `= ${squeeze(core)}` : `${kind} ${name} ${signature}`;
}

/** A text without the difference that white space makes. */
export function squeeze(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}

/** Whether two parts differ at most in the white space of their lines. */
export function isAlike(a: Part, b: Part): boolean {
  return a.text === b.text || squeezeLines(a.text) === squeezeLines(b.text);
}

function squeezeLines(text: string): string {
  const lines = text.split("\n").map(squeeze);
  return lines.filter((line) => line !== "").join("\n");
}

const FAMILIES: Readonly<Partial<Record<EntityKind, string>>> = {
  function: "value",
  method: "value",
  variable: "value",
  field: "value",
  property: "value",
  class: "type",
  interface: "type",
  enum: "type",
  type: "type",
};

/** Kinds that can become one another without the thing becoming another one: a function that becomes a constant. */
export function familyOf(kind: EntityKind): string {
  return FAMILIES[kind] ?? kind;
}
