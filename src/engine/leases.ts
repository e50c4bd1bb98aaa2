/**
 * The exclusive right to write a scope.
 *
 * Invariants:
 * 1. Two leases that are held at once do not meet, unless the holder of one was started, directly or through others, by
 *    the holder of the other.
 * 2. Nobody waits in a circle: who holds a lease, itself or through whoever started it, waits only for older ones.
 */
import type { LeaseAnswer } from "./agent.ts";
import { pathInScope, scopesMeet } from "./scope.ts";

/** A task, as the holder of leases. */
export interface Holder {
  readonly run: string;
  readonly task: string;
}

/** The right of one task to write a scope. */
export interface Lease extends Holder {
  readonly id: string;
  readonly repositoryId: string;
  /** Larger than that of every earlier lease in its repository: the fencing token. */
  readonly token: number;
  readonly scope: readonly string[];
  readonly createdMs: number;
  /** From here on it is not held any more, whatever else is said of it. */
  readonly expiresMs: number;
  /** Whether it is renewed for as long as its task is at work. */
  readonly renews: boolean;
}

/** What somebody meets who is about to write. */
export type WriteVerdict =
  | { readonly type: "allow" }
  /** It may, and is told. */
  | { readonly type: "note"; readonly text: string }
  /** It may once this lease is not held any more. */
  | { readonly type: "wait"; readonly lease: Lease; readonly text: string }
  | { readonly type: "deny"; readonly text: string };

/** Who is about to write where. */
export interface WriteAttempt {
  /** From the repository's root. */
  readonly path: string;
  /** The leases of the repository. */
  readonly held: readonly Lease[];
  /** Who writes, and the tasks that started it, one after the other. */
  readonly family: readonly Holder[];
  readonly answer: LeaseAnswer;
  readonly nowMs: number;
}

/** What somebody meets who is about to write a path. */
export function judgeWrite({ path, held, family, answer, nowMs }: WriteAttempt): WriteVerdict {
  const lease = foreignLease(held, family, nowMs, (scope) => pathInScope(path, scope));
  if (lease === undefined) return { type: "allow" };
  const text = `${path} is in the scope of a ${describeLease(lease)}`;
  if (answer === "warn") return { type: "note", text: `${text}; what you write there may conflict with what it does` };
  if (answer === "wait" && mayWait(lease, held, family, nowMs)) return { type: "wait", lease, text };
  return { type: "deny", text: `${text}: write elsewhere, or later` };
}

/** The lease of somebody else that is in the way of a claim. */
export function leaseInTheWay(
  scope: readonly string[],
  held: readonly Lease[],
  family: readonly Holder[],
  nowMs: number,
): Lease | undefined {
  return foreignLease(held, family, nowMs, (other) => scopesMeet(scope, other));
}

/** The lease of somebody else that is in the way of work that is to land. */
export function leaseOverWork(
  paths: readonly string[],
  held: readonly Lease[],
  family: readonly Holder[],
  nowMs: number,
): Lease | undefined {
  return foreignLease(held, family, nowMs, (scope) => paths.some((path) => pathInScope(path, scope)));
}

/** Whether somebody may wait for a lease: of two who could wait for each other, only the younger one does. */
export function mayWait(lease: Lease, held: readonly Lease[], family: readonly Holder[], nowMs: number): boolean {
  return held.every((own) => !isOf(own, family) || own.expiresMs <= nowMs || own.token > lease.token);
}

/** Whose a lease is, since when and until when, for people and agents. */
export function describeLease(lease: Lease): string {
  return `lease of ${lease.run}/${lease.task} (since ${timeOfDay(lease.createdMs)}, ${describeEnd(lease)})`;
}

/** Until when a lease is held. */
export function describeEnd({ renews, expiresMs }: Lease): string {
  return renews ? "until its work has landed" : `until ${timeOfDay(expiresMs)} at the latest`;
}

function foreignLease(
  held: readonly Lease[],
  family: readonly Holder[],
  nowMs: number,
  meets: (scope: readonly string[]) => boolean,
): Lease | undefined {
  return held.find((lease) => lease.expiresMs > nowMs && !isOf(lease, family) && meets(lease.scope));
}

function isOf(lease: Lease, family: readonly Holder[]): boolean {
  return family.some(({ run, task }) => lease.run === run && lease.task === task);
}

function timeOfDay(ms: number): string {
  return `${new Date(ms).toISOString().slice(11, 19)} UTC`;
}
