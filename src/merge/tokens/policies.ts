import semver from "semver";

import type { PolicyDrop } from "../resolution.ts";
import type { Range } from "../three-way.ts";
import type { LineVersions } from "../versions.ts";
import type { RegionMerge } from "./resolve-region.ts";

const COPYRIGHT = /copyright|\(c\)|©|Â©|licen[sc]e|\ball rights\b/i;
const YEAR = /(?<!\d)(?:19|20)\d\d(?!\d)/g;
const YEARS = /(?<!\d)(?:19|20)\d\d(?:\s*[-–,]\s*(?:(?:19|20)\d\d|present))*(?!\d)/;
const VERSION =
  /^(?<head>\s*(?:[\w. ]+ )?[\w.]*version\w*\s*[:=]\s*)(?<quote>["'])(?<version>[^"']+)\k<quote>(?<tail>\s*[;,]?\s*)$/i;

interface Place {
  readonly base: Range;
  readonly ours: Range;
  readonly theirs: Range;
}

/**
 * Decides by a declared policy where both sides changed nothing but one line of a kind that has one: the years of a
 * copyright, or a constant that holds a version. The highest wins; what is dropped for it is told.
 */
export function applyPolicies(lines: LineVersions, { base, ours, theirs }: Place): RegionMerge | undefined {
  const size = base.end - base.start;
  if (size === 0 || size > 40 || ours.end - ours.start !== size || theirs.end - theirs.start !== size) return undefined;
  const parts: string[] = [];
  const drops: PolicyDrop[] = [];
  for (let at = 0; at < size; at += 1) {
    const [inBase, inOurs, inTheirs] = [
      lines.base[base.start + at] ?? "",
      lines.ours[ours.start + at] ?? "",
      lines.theirs[theirs.start + at] ?? "",
    ];
    if (inOurs === inTheirs || inTheirs === inBase) parts.push(inOurs);
    else if (inOurs === inBase) parts.push(inTheirs);
    else {
      const drop = decideYears(inBase, inOurs, inTheirs) ?? decideVersion(inBase, inOurs, inTheirs);
      if (drop === undefined) return undefined;
      parts.push(drop.kept);
      drops.push(drop);
    }
  }
  if (drops.length === 0) return undefined;
  const steps = drops.map(({ policy }) => ({ resolver: policy, class: "D" }) as const);
  return { text: parts.map((line) => `${line}\n`).join(""), steps, drops };
}

function decideYears(base: string, ours: string, theirs: string): PolicyDrop | undefined {
  if (!COPYRIGHT.test(base)) return undefined;
  const bare = (line: string): string => line.replace(YEARS, "YEARS");
  if (bare(base) !== bare(ours) || bare(base) !== bare(theirs)) return undefined;
  const [inOurs, inTheirs] = [yearsOf(ours), yearsOf(theirs)];
  if (inOurs.first !== inTheirs.first || inOurs.last === inTheirs.last) return undefined;
  return dropLower("policy:copyright-year", ours, theirs, inOurs.last > inTheirs.last);
}

function yearsOf(line: string): { readonly first: number; readonly last: number } {
  const years = (line.match(YEAR) ?? []).map(Number);
  return { first: Math.min(...years), last: Math.max(...years) };
}

function decideVersion(base: string, ours: string, theirs: string): PolicyDrop | undefined {
  const parts = [base, ours, theirs].map((line) => VERSION.exec(line)?.groups);
  const [inBase, inOurs, inTheirs] = parts;
  if (inBase === undefined || inOurs === undefined || inTheirs === undefined) return undefined;
  if (parts.some((part) => part?.["head"] !== inBase["head"] || part?.["tail"] !== inBase["tail"])) return undefined;
  const [left, right] = [readVersion(inOurs["version"] ?? ""), readVersion(inTheirs["version"] ?? "")];
  if (left === undefined || right === undefined) return undefined;
  const order = semver.compare(left, right);
  return order === 0 ? undefined : dropLower("policy:semver-max", ours, theirs, order > 0);
}

// Also `1.2`, `1.2-dev` and `1.2.dev0`, which are no semantic versions as they stand.
function readVersion(text: string): string | undefined {
  const [, major, minor, patch = "0", rest = ""] =
    /^v?(\d+)\.(\d+)(?:\.(\d+))?(?:[-.]?([a-z][\w.-]*))?$/i.exec(text) ?? [];
  if (major === undefined || minor === undefined) return undefined;
  return semver.valid(`${major}.${minor}.${patch}${rest === "" ? "" : `-${rest}`}`) ?? undefined;
}

function dropLower(policy: PolicyDrop["policy"], ours: string, theirs: string, isOursHigher: boolean): PolicyDrop {
  return isOursHigher
    ? { policy, side: "theirs", dropped: theirs, kept: ours }
    : { policy, side: "ours", dropped: ours, kept: theirs };
}
