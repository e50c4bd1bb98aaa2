import type { PieceMerge, PieceVersions, Step } from "../resolution.ts";
import { findRegions } from "../three-way.ts";
import type { Hunk } from "../versions.ts";
import { formatOf, isLockFile, nameOf } from "./data-format.ts";
import { manifestOf } from "./manifests.ts";
import { rulesOfManifest, type Scalars } from "./manifest-rules.ts";
import { mergeNodes, type DataMergeState } from "./merge-nodes.ts";
import { areSameComments, writeDocument, type DataDocument } from "./node.ts";
import { readJson } from "./read-json.ts";
import { NO_RULES } from "./value-rules.ts";

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
  if (isLockFile(path) || format === "yaml") return conflict(versions);
  const read = (text: string): DataDocument | undefined => readJson(text, format === "strict-json");
  return mergeDocuments(path, versions, read, JSON_SCALARS) ?? conflict(versions);
}

const JSON_SCALARS: Scalars = {
  read: (source) => (source.startsWith('"') ? String(JSON.parse(source)) : undefined),
  write: (text) => JSON.stringify(text),
};

function mergeDocuments(
  path: string,
  versions: PieceVersions,
  read: (text: string) => DataDocument | undefined,
  scalars: Scalars,
): PieceMerge | undefined {
  const [base, ours, theirs] = [read(versions.base), read(versions.ours), read(versions.theirs)];
  if (base === undefined || ours === undefined || theirs === undefined) return undefined;
  const manifest = manifestOf(nameOf(path));
  const rules = manifest === undefined ? NO_RULES : rulesOfManifest(manifest, scalars);
  const state: DataMergeState = { rules, drops: [], conflicts: [], isInsertedTogether: false };
  const root = mergeNodes(state, [], { base: base.root, ours: ours.root, theirs: theirs.root });
  const lead = pickSpace(base.lead, ours.lead, theirs.lead);
  const tail = pickSpace(base.tail, ours.tail, theirs.tail);
  if (root === undefined || lead === undefined || tail === undefined) return undefined;
  const steps: Step[] = [{ resolver: "data", class: state.isInsertedTogether ? "B" : "A" }];
  for (const policy of new Set(state.drops.map((drop) => drop.policy))) steps.push({ resolver: policy, class: "D" });
  return { status: "merged", text: writeDocument({ lead, root, tail }), steps, drops: state.drops };
}

function pickSpace(base: string, ours: string, theirs: string): string | undefined {
  if (areSameComments(ours, theirs) || areSameComments(base, theirs)) return ours;
  return areSameComments(base, ours) ? theirs : undefined;
}

function merged(text: string, steps: readonly Step[]): PieceMerge {
  return { status: "merged", text, steps, drops: [] };
}

function conflict(versions: PieceVersions): PieceMerge {
  const lines = { base: linesOf(versions.base), ours: linesOf(versions.ours), theirs: linesOf(versions.theirs) };
  const hunks = findRegions(lines)
    .filter(({ type }) => type === "conflict")
    .map(({ base, ours, theirs }): Hunk => ({
      baseStart: base.start,
      baseLines: lines.base.slice(base.start, base.end),
      oursStart: ours.start,
      ours: lines.ours.slice(ours.start, ours.end),
      theirsStart: theirs.start,
      theirs: lines.theirs.slice(theirs.start, theirs.end),
    }));
  return { status: "conflict", hunks };
}

function linesOf(text: string): string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}
