import type { ResolutionClass } from "../merge/resolution.ts";
import type { LockFileTools } from "./lock-files/decide-lock-files.ts";

/**
 * What becomes of a merge of some class. `land`: it lands like any other. `verify`: it lands where verification of the
 * target has commands, and all of them pass. `ask`: a person or the author decides.
 */
export type ClassRule = "land" | "verify" | "ask";

/** A rule for each class. */
export type ClassPolicy = Readonly<Record<ResolutionClass, ClassRule>>;

/** What holds where nothing else is said. What a policy of class D drops is always named by a waiver. */
const DEFAULTS: ClassPolicy = { A: "land", B: "land", C: "verify", D: "land" };

/** The rules of all classes, where some are given. */
export function completePolicy(given: { readonly [Class in ResolutionClass]?: ClassRule | undefined }): ClassPolicy {
  const { A = DEFAULTS.A, B = DEFAULTS.B, C = DEFAULTS.C, D = DEFAULTS.D } = given;
  return { A, B, C, D };
}

/** What decides about a merge besides itself. */
export interface LandingRules {
  readonly classes: ClassPolicy;
  /** Whether what it comes to will be verified, and lands only if every command passes. */
  readonly isVerified: boolean;
  /** Without these, a lock file that both sides changed is a conflict. */
  readonly lockFiles?: LockFileTools | undefined;
}

/** Says in words why a merge does not land by itself. */
export function describeRefusal({ class: refused, why }: ClassRefusal): string {
  return why === "asks"
    ? `anabranch.yaml says to ask about merges of class ${refused}`
    : `a merge of class ${refused} lands only where verify: has commands, and all of them pass`;
}

/** Why a merge does not land by itself. */
export interface ClassRefusal {
  readonly class: ResolutionClass;
  readonly why: "asks" | "unverified";
}

/**
 * Whether a merge with steps of some classes may land; all of its steps have to.
 *
 * @example
 * refuseClasses({ classes: completePolicy({}), isVerified: false }, ["A", "C"]) // { class: "C", why: "unverified" }
 */
export function refuseClasses(
  { classes, isVerified }: LandingRules,
  found: readonly ResolutionClass[],
): ClassRefusal | undefined {
  const asking = found.find((one) => classes[one] === "ask");
  if (asking !== undefined) return { class: asking, why: "asks" };
  const unverified = isVerified ? undefined : found.find((one) => classes[one] === "verify");
  return unverified === undefined ? undefined : { class: unverified, why: "unverified" };
}
