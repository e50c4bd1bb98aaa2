import type { DataNode, DataTable } from "./node.ts";
import type { Ruling, ValueRules } from "./value-rules.ts";
import { isNewer, mergeRanges } from "./version-range.ts";

/** Where a manifest names versions. */
export interface Manifest {
  /** Keys of its own version. */
  readonly versions: readonly string[];
  /** Tables of dependencies, each with its version. */
  readonly dependencies: readonly string[];
  /** Tables that say which version is meant, whatever needs it. */
  readonly constraints: readonly string[];
}

/** How a format writes text. */
export interface Scalars {
  /** The text that a value stands for; nothing where it is none. */
  read(source: string): string | undefined;
  /** Writes a text as one like it is written. */
  write(text: string, like: string): string;
}

type Versions = Parameters<ValueRules["decide"]>[1];

/** Two versions of a manifest as a whole. */
export interface ManifestSides {
  readonly ours: DataNode;
  readonly theirs: DataNode;
}

/** The rules for versions in a manifest. */
export function rulesOfManifest(manifest: Manifest, scalars: Scalars, sides: ManifestSides): ValueRules {
  return {
    decide(place, versions) {
      const [table = "", ...rest] = place;
      const isDependencies = manifest.dependencies.includes(table);
      if (rest.length === 0) {
        if (isDependencies) return decideTable(versions);
        return manifest.versions.includes(table) ? decideVersion(versions, scalars) : undefined;
      }
      if (!isDependencies && !manifest.constraints.includes(table)) return undefined;
      if (versions.ours !== undefined && versions.theirs !== undefined) return decideVersion(versions, scalars);
      const [name, ...inner] = rest;
      if (!isDependencies || name === undefined || inner.length > 0) return undefined;
      // What was only moved to another table is wanted, in its newer version too.
      const remover = versions.ours === undefined ? sides.ours : sides.theirs;
      return isNamed(remover, manifest.dependencies, name) ? undefined : decideRemoved(versions, scalars);
    },
  };
}

function isNamed(root: DataNode, tables: readonly string[], name: string): boolean {
  if (root.type !== "map") return false;
  const named = root.items.filter(({ key }) => tables.includes(key));
  return named.some(({ value }) => value.type === "map" && value.items.some(({ key }) => key === name));
}

function decideVersion(versions: Versions, scalars: Scalars): Ruling | undefined {
  const [base, ours, theirs] = [versions.base, versions.ours, versions.theirs].map((node) => read(node, scalars));
  if (ours === undefined || theirs === undefined) return undefined;
  if (versions.base !== undefined && base === undefined) return undefined;
  const merged = mergeRanges(base, ours, theirs);
  if (merged === undefined) return undefined;
  const kept = merged === ours ? sourceOf(versions.ours) : merged === theirs ? sourceOf(versions.theirs) : undefined;
  return {
    type: "value",
    policy: "policy:semver-max",
    kept: kept ?? scalars.write(merged, sourceOf(versions.ours) ?? ""),
    dropped: [...(merged === ours ? [] : ["ours" as const]), ...(merged === theirs ? [] : ["theirs" as const])],
  };
}

/** A dependency that one side took out needs no newer version. */
function decideRemoved(versions: Versions, scalars: Scalars): Ruling | undefined {
  const [before, after] = [read(versions.base, scalars), read(versions.ours ?? versions.theirs, scalars)];
  if (before === undefined || after === undefined || !isNewer(before, after)) return undefined;
  const dropped = versions.ours === undefined ? "theirs" : "ours";
  return { type: "value", policy: "policy:removed-dependency", kept: undefined, dropped: [dropped] };
}

/** To take out a whole table is to take out each dependency in it. */
function decideTable({ base, ours, theirs }: Versions): Ruling | undefined {
  if (base?.type !== "map") return undefined;
  const [own, other] = [ours ?? emptied(base), theirs ?? emptied(base)];
  return own.type === "map" && other.type === "map" && (ours === undefined || theirs === undefined)
    ? { type: "table", versions: { base, ours: own, theirs: other } }
    : undefined;
}

function emptied(table: DataTable): DataTable {
  return { ...table, source: undefined, items: [], endsWithSeparator: false };
}

function read(node: DataNode | undefined, scalars: Scalars): string | undefined {
  return node?.type === "leaf" ? scalars.read(node.source) : undefined;
}

function sourceOf(node: DataNode | undefined): string | undefined {
  return node?.type === "leaf" ? node.source : undefined;
}
