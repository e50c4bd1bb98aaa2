import { lockFileOwner } from "../lock-file.ts";
import type { PieceMerge, PieceVersions, Step } from "../resolution.ts";
import { isRightMerge } from "./check-values.ts";
import { formatOf, nameOf, type DataFormat } from "./data-format.ts";
import { findDataHunks } from "./data-hunks.ts";
import { manifestOf } from "./manifests.ts";
import { rulesOfManifest } from "./manifest-rules.ts";
import { mergeNodes, type DataConflict, type DataMergeState } from "./merge-nodes.ts";
import { writeDocument, type DataDocument } from "./node.ts";
import { readJson, readJsonValue } from "./read-json.ts";
import { readYaml } from "./read-yaml.ts";
import { scalarsOf } from "./scalars.ts";
import { emptyAs, mergeSpace } from "./surroundings.ts";
import { NO_RULES, type ValueRules } from "./value-rules.ts";

/**
 * Merges a data file key by key: JSON and YAML. Text that no edit touches stays as it is in ours, comments included.
 *
 * @param path says by its name how the file is written
 * @returns nothing where the file is no data file
 *
 * @example
 * mergeData("a.json", { base: '{"a":1}\n', ours: '{"a":2}\n', theirs: '{"a":1,"b":1}\n' })
 * // merged: '{"a":2,"b":1}\n'
 */
export function mergeData(path: string, versions: PieceVersions): PieceMerge | undefined {
  const { base, ours, theirs } = versions;
  const format = formatOf(path);
  if (format === undefined) return undefined;
  if (ours === theirs) return merged(ours, [{ resolver: "identical", class: "A" }]);
  if (ours === base) return merged(theirs, [{ resolver: "one-side", class: "A" }]);
  if (theirs === base) return merged(ours, [{ resolver: "one-side", class: "A" }]);
  if (lockFileOwner(path) !== undefined || isTooLarge(format, versions)) return conflict(versions);
  return mergeTexts(path, format, versions);
}

function merged(text: string, steps: readonly Step[]): PieceMerge {
  return { status: "merged", text, steps, drops: [] };
}

/** Larger than this, YAML takes too long to read. */
const LARGEST_YAML = 2 * 1024 * 1024;

function isTooLarge(format: DataFormat, { ours, theirs, base }: PieceVersions): boolean {
  return format === "yaml" && Math.max(ours.length, theirs.length, base.length) > LARGEST_YAML;
}

/** A text that was read: as text taken apart, and as what it says. */
interface DataText {
  readonly documents: readonly DataDocument[];
  readonly values: readonly unknown[];
}

function mergeTexts(path: string, format: DataFormat, versions: PieceVersions): PieceMerge {
  const [base, ours, theirs] = [
    read(format, versions.base),
    read(format, versions.ours),
    read(format, versions.theirs),
  ];
  if (base === undefined || ours === undefined || theirs === undefined) return conflict(versions);
  const rules = rulesOf(path, format, ours, theirs);
  const state: DataMergeState = { rules, drops: [], decided: new Set(), conflicts: [], isInsertedTogether: false };
  const documents = mergeAll(state, base.documents, ours.documents, theirs.documents);
  if (documents === undefined) return conflict(versions, state.conflicts);
  const text = documents.map(writeDocument).join("");
  const result = readValues(format, text);
  // To the conservation check an alias is its name; here it is its value, which the other side may have changed.
  if (result === undefined || !isRight(state, { base, ours, theirs, result })) return conflict(versions);
  const steps: Step[] = [{ resolver: "data", class: state.isInsertedTogether ? "B" : "A" }];
  for (const policy of new Set(state.drops.map((drop) => drop.policy))) steps.push({ resolver: policy, class: "D" });
  return { status: "merged", text, steps, drops: state.drops };
}

function rulesOf(path: string, format: DataFormat, ours: DataText, theirs: DataText): ValueRules {
  const manifest = manifestOf(nameOf(path));
  const [own, other] = [ours.documents[0], theirs.documents[0]];
  if (manifest === undefined || own === undefined || other === undefined) return NO_RULES;
  return rulesOfManifest(manifest, scalarsOf(format), { ours: own.root, theirs: other.root });
}

function read(format: DataFormat, text: string): DataText | undefined {
  if (format === "yaml") return readYaml(text);
  const document = readJson(text, format === "strict-json");
  const values = document && readValues(format, text);
  return values && { documents: [document], values };
}

function readValues(format: DataFormat, text: string): readonly unknown[] | undefined {
  if (format === "yaml") return readYaml(text)?.values;
  const read = readJsonValue(text, format === "strict-json");
  return read && [read.value];
}

function mergeAll(
  state: DataMergeState,
  base: readonly DataDocument[],
  ours: readonly DataDocument[],
  theirs: readonly DataDocument[],
): readonly DataDocument[] | undefined {
  if (base.length !== ours.length || base.length !== theirs.length) return undefined;
  const documents: DataDocument[] = [];
  for (const [at, own] of ours.entries()) {
    const [before, other] = [base[at], theirs[at]];
    const document = before && other && mergeDocuments(state, before, own, other);
    if (document === undefined) return undefined;
    documents.push(document);
  }
  return documents;
}

function mergeDocuments(
  state: DataMergeState,
  base: DataDocument,
  ours: DataDocument,
  theirs: DataDocument,
): DataDocument | undefined {
  const root = mergeNodes(state, [], { base: base.root, ours: ours.root, theirs: theirs.root });
  const lead = mergeSpace(base.lead, ours.lead, theirs.lead);
  const tail = mergeSpace(base.tail, ours.tail, theirs.tail);
  if (root === undefined || lead === undefined || tail === undefined) return undefined;
  const empty = emptyAs(root);
  return empty === undefined ? { lead, root, tail } : { lead, root: empty, tail: `\n${tail}` };
}

function isRight(
  { decided }: DataMergeState,
  versions: {
    readonly base: DataText;
    readonly ours: DataText;
    readonly theirs: DataText;
    readonly result: readonly unknown[];
  },
): boolean {
  const [base, ours, theirs] = [versions.base.values, versions.ours.values, versions.theirs.values];
  if (versions.result.length !== ours.length) return false;
  const isDecided = (place: readonly string[]): boolean => decided.size > 0 && decided.has(JSON.stringify(place));
  return versions.result.every((result, at) =>
    isRightMerge({ base: base[at], ours: ours[at], theirs: theirs[at], result }, isDecided),
  );
}

function conflict(versions: PieceVersions, conflicts: readonly DataConflict[] = []): PieceMerge {
  return { status: "conflict", hunks: findDataHunks(versions, conflicts) };
}
