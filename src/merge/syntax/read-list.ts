import type { Node } from "web-tree-sitter";

import type { Entity, EntityBody, EntityKind } from "./entity.ts";
import { present, STATEMENT, type LanguageRules, type Part, type PartBody } from "./language-rules.ts";
import { isBlank, lineEndAt, lineStartAt } from "./line-bounds.ts";

/** Bodies deeper than this are not looked into. */
const MAX_DEPTH = 32;

interface Reader {
  readonly text: string;
  readonly rules: LanguageRules;
  readonly hasErrors: boolean;
}

/** Whole lines that belong together: one node, several that share a line, or a run. */
interface Stretch {
  readonly start: number;
  end: number;
  readonly nodes: Node[];
  /** Decorators and attributes before the first of the nodes. */
  readonly prefixes: readonly Node[];
  run: string | undefined;
}

/** What stands in a list: stretches of things, and comments between them. */
interface Lines {
  readonly stretches: Stretch[];
  readonly comments: Node[];
}

/** The entities of a whole text. */
export function readFile(text: string, root: Node, rules: LanguageRules, hasErrors: boolean): Entity[] {
  if (text === "") return [];
  if (root.isError) return [leaf(STATEMENT, 0, 0, text.length)];
  const reader: Reader = { text, rules, hasErrors };
  const nodes = present(root.namedChildren);
  const count = headerCount(nodes, reader);
  const header = nodes.slice(0, count);
  const headerEnd = header.length === 0 ? 0 : lineEndAt(text, header.at(-1)?.endIndex ?? 0);
  const lines = linesOf(nodes.slice(count), reader);
  const entities = headerEnd === 0 ? [] : [headerEntity(header, headerEnd, reader)];
  entities.push(...entitiesOf(lines, headerEnd, undefined, 0, reader));
  return withRest(entities, text.length, lines.comments.length > 0 || lines.stretches.length === 0, reader);
}

/** How many of the first nodes are about the file, not about what follows. */
function headerCount(nodes: readonly Node[], { text, rules }: Reader): number {
  let count = 0;
  while (count < nodes.length && isLeading(nodes[count], rules)) count += 1;
  const next = nodes[count];
  // What shares a line with the first thing is no header.
  while (
    count > 0 &&
    next !== undefined &&
    lineEndAt(text, nodes[count - 1]?.endIndex ?? 0) > lineStartAt(text, next.startIndex)
  )
    count -= 1;
  if (next === undefined || rules.opensFile(next) || rules.runOf(next) !== undefined) return count;
  return beforeTouching(nodes.slice(0, count), next, text);
}

function isLeading(node: Node | undefined, rules: LanguageRules): boolean {
  return node !== undefined && (rules.comments.has(node.type) || rules.isHeader(node));
}

/** How many comments stand before those that touch a thing. */
function beforeTouching(comments: readonly Node[], next: Node, text: string): number {
  let count = comments.length;
  let below = lineStartAt(text, next.startIndex);
  for (let comment = comments[count - 1]; comment !== undefined; comment = comments[count - 1]) {
    if (lineEndAt(text, comment.endIndex) < below) break;
    below = lineStartAt(text, comment.startIndex);
    count -= 1;
  }
  return count;
}

function headerEntity(nodes: readonly Node[], end: number, { text }: Reader): Entity {
  const coreStart = lineStartAt(text, nodes[0]?.startIndex ?? 0);
  return { kind: "header", name: "header", signature: "", start: 0, end, coreStart, body: undefined };
}

/** Puts nodes on lines: those that share one become one stretch. */
function linesOf(nodes: readonly Node[], { text, rules }: Reader): Lines {
  const stretches: Stretch[] = [];
  let comments: Node[] = [];
  let prefixes: Node[] = [];
  for (const node of nodes) {
    const { type } = node;
    const last = stretches.at(-1);
    if (rules.comments.has(type)) {
      if (last !== undefined && node.startIndex < last.end)
        last.end = Math.max(last.end, lineEndAt(text, node.endIndex));
      else comments.push(node);
    } else if (rules.prefixes.has(type)) prefixes.push(node);
    else {
      addNode(stretches, node, prefixes, { text, rules });
      prefixes = [];
      comments = [];
    }
  }
  return { stretches, comments };
}

function addNode(
  stretches: Stretch[],
  node: Node,
  prefixes: readonly Node[],
  { text, rules }: Pick<Reader, "text" | "rules">,
): void {
  const last = stretches.at(-1);
  const run = rules.runOf(node);
  const first = (prefixes[0] ?? node).startIndex;
  // Lines can be long, and hold many nodes: each is looked for once.
  if (last === undefined || (first >= last.end && (run === undefined || run !== last.run))) {
    const end = lineEndAt(text, node.endIndex);
    stretches.push({ start: lineStartAt(text, first), end, nodes: [node], prefixes, run });
  } else {
    if (run !== last.run) last.run = undefined;
    last.nodes.push(node);
    if (node.endIndex > last.end) last.end = lineEndAt(text, node.endIndex);
  }
}

function entitiesOf(
  { stretches }: Lines,
  from: number,
  owner: EntityKind | undefined,
  depth: number,
  reader: Reader,
): Entity[] {
  const runs = new Map<string, number>();
  let start = from;
  return stretches.map((stretch) => {
    const entity = entityOf(stretch, start, runs, { owner, depth, reader });
    start = entity.end;
    return entity;
  });
}

function entityOf(
  { start: coreStart, end, nodes, prefixes, run }: Stretch,
  start: number,
  runs: Map<string, number>,
  place: { owner: EntityKind | undefined; depth: number; reader: Reader },
): Entity {
  const [node] = nodes;
  if (run !== undefined) {
    const number = (runs.get(run) ?? 0) + 1;
    runs.set(run, number);
    const name = number === 1 ? run : `${run} ${number}`;
    return leaf({ ...STATEMENT, kind: "imports", name }, start, coreStart, end);
  }
  if (node === undefined || nodes.length > 1 || node.isError) return leaf(STATEMENT, start, coreStart, end);
  const part = place.reader.rules.partOf(node, place.owner, prefixes);
  const isWhole = place.depth >= MAX_DEPTH || (place.reader.hasErrors && node.hasError);
  const body = isWhole || part.body === undefined ? undefined : bodyOf(part.kind, part.body, place.depth, place.reader);
  return { ...leaf(part, start, coreStart, end), body };
}

function leaf(part: Part, start: number, coreStart: number, end: number): Entity {
  const { kind, name, signature } = part;
  return { kind, name, signature, start, end, coreStart, body: undefined };
}

/** The parts of an entity, if they are on lines of their own. */
function bodyOf(owner: EntityKind, part: PartBody, depth: number, reader: Reader): EntityBody | undefined {
  const { text } = reader;
  const start = lineEndAt(text, part.opening + 1);
  const limit = part.closing === undefined ? text.length : lineStartAt(text, part.closing);
  if (text[start - 1] !== "\n" || start > limit) return undefined;
  const lines = linesOf(afterLine(part.nodes, start, reader), reader);
  const { stretches } = lines;
  if ((stretches[0]?.start ?? start) < start || (stretches.at(-1)?.end ?? start) > limit) return undefined;
  const inner = entitiesOf(lines, start, owner, depth + 1, reader);
  const last = lines.comments.at(-1);
  const end = last === undefined ? (inner.at(-1)?.end ?? start) : lineEndAt(text, last.endIndex);
  if (end > limit) return undefined;
  const entities = withRest(inner, end, true, reader, start);
  return { start, end, entities, separator: part.separator, isOrdered: part.isOrdered };
}

/** Without the comments that follow the opening brace on its line. */
function afterLine(nodes: readonly Node[], start: number, { rules }: Reader): readonly Node[] {
  const first = nodes.findIndex((node) => node.startIndex >= start || !rules.comments.has(node.type));
  return first < 0 ? [] : nodes.slice(first);
}

/** Adds what follows the last thing of a list. */
function withRest(entities: Entity[], end: number, isComment: boolean, { text }: Reader, from = 0): Entity[] {
  const start = entities.at(-1)?.end ?? from;
  if (start >= end) return entities;
  const rest = text.slice(start, end);
  const kind = isComment || isBlank(rest) ? "comment" : "statement";
  const coreStart = isBlank(rest) ? start : lineStartAt(text, start + rest.search(/\S/));
  return [...entities, leaf({ ...STATEMENT, kind }, start, coreStart, end)];
}
