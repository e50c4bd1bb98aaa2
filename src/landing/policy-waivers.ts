import type { ResolvedPath, Waiver } from "./tree-merge.ts";

/**
 * The waivers for what policies dropped at a path, each edit by itself.
 *
 * @example
 * // { path: "package.json", what: 'theirs dropped: "a": "^1.0.0" → "a": "^2.0.0"', by: "policy:semver-max" }
 */
export function waiversOfPolicies({ path, drops = [] }: ResolvedPath): Waiver[] {
  return drops.map(({ policy, side, dropped, kept }) => ({
    path,
    what: `${side} dropped: ${dropped.trim()} → ${kept.trim()}`,
    by: policy,
  }));
}
