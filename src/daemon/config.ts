import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { z } from "zod";

import { NOTIFY_KINDS, type NotifyTarget } from "../notify/target.ts";
import type { PriceList } from "../agents/prices.ts";
import { DURATION_PATTERN, durationMs, SIZE_PATTERN, sizeBytes } from "../workflows/units.ts";
import { readYaml } from "../workflows/yaml.ts";
import type { ChildBounds } from "./child-limits.ts";
import type { HoldBounds } from "./hold.ts";

/** How much of the past is kept as events. */
export interface EventLimits {
  readonly keepMs: number;
  /** Counted by their numbers. */
  readonly most: number;
}

/** What the user may set for the daemon, in `config.yaml` of the configuration directory. */
export interface DaemonConfig {
  /** The most tasks at work at once. Default: twice the processors, at least four. */
  readonly parallel: number;
  /** For each kind: the most tasks at work at once, and the most that start in a minute. */
  readonly kinds: Readonly<Record<string, { readonly parallel?: number; readonly perMinute?: number }>>;
  /** How many tasks a task may start, and how deep that may go. */
  readonly children: ChildBounds;
  /** How much room there must be before anything starts. */
  readonly hold: HoldBounds;
  /** How long each rung of the kill ladder waits. */
  readonly interruptMs: number;
  readonly terminateMs: number;
  /** How often the workspaces of tasks at work are looked at for changes that will conflict, at most. */
  readonly forecastMs: number;
  /** How long before an agent's request that its service put off is tried again; it doubles each time. */
  readonly agentRetryMs: number;
  /** How long the lease of a task at work is held when nobody renews it: when the daemon is gone. */
  readonly leaseMs: number;
  /** What models cost, by the start of their name; it comes before the list prices that come along. */
  readonly prices: PriceList;
  /** How long an idle daemon stays. */
  readonly idleMs: number;
  /** How long ended runs are kept before `gc` offers to remove them. */
  readonly keepMs: number;
  /** How long events are kept, and how many at most. */
  readonly events: EventLimits;
  /** Where webhooks are taken on this machine; absent: nowhere. */
  readonly webhooks: { readonly port: number; readonly hosts: readonly string[] } | undefined;
  /** Who outside is told of what happens. */
  readonly notify: readonly NotifyTarget[];
}

const duration = z.string().regex(DURATION_PATTERN, "expected a duration such as 500ms, 10s, 5m or 2h");
const size = z.string().regex(SIZE_PATTERN, "expected a size such as 512mb or 1gb");
const perMillion = z.number().min(0);
const price = z
  .strictObject({
    input: perMillion,
    output: perMillion,
    cacheRead: perMillion.optional(),
    cacheWrite: perMillion.optional(),
  })
  .transform(({ input, output, cacheRead = input, cacheWrite = input }) => ({ input, output, cacheRead, cacheWrite }));
const LEAST_LEASE_MS = 100;
const lease = duration.refine((text) => durationMs(text) >= LEAST_LEASE_MS, "expected at least 100ms");
const notifyOn = z.array(z.enum(NOTIFY_KINDS)).optional();
const repositories = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).optional();
const notifyTarget = z.union([
  z.strictObject({ command: z.string().min(1), timeout: duration.optional(), on: notifyOn, repositories }),
  z.strictObject({
    webhook: z.url({ protocol: /^https?$/, error: "expected an address such as https://example.org/hook" }),
    secret: z.string().min(1).optional(),
    on: notifyOn,
    repositories,
  }),
  z.strictObject({ desktop: z.literal(true), on: notifyOn, repositories }),
]);
const webhooks = z.strictObject({
  /** 0: any that is free. */
  port: z.int().min(0).max(65_535),
  hosts: z.array(z.string().min(1)).optional(),
});
const targetName = z.string().regex(/^[A-Za-z0-9][\w-]*$/, "expected a name of letters, digits, - and _");
const kindLimit = z.union([
  z
    .int()
    .min(1)
    .transform((parallel) => ({ parallel })),
  z
    .strictObject({ parallel: z.int().min(1).optional(), perMinute: z.int().min(1).max(100_000).optional() })
    .transform(({ parallel, perMinute }) => ({
      ...(parallel === undefined ? {} : { parallel }),
      ...(perMinute === undefined ? {} : { perMinute }),
    })),
]);
const file = z.strictObject({
  parallel: z.int().min(1).max(1000).optional(),
  kinds: z.record(z.string(), kindLimit).optional(),
  children: z
    .strictObject({ depth: z.int().min(0).max(100).optional(), most: z.int().min(0).max(10_000).optional() })
    .optional(),
  hold: z.strictObject({ disk: size.optional(), memory: size.optional() }).optional(),
  kill: z.strictObject({ interrupt: duration.optional(), terminate: duration.optional() }).optional(),
  forecast: duration.optional(),
  agentRetry: duration.optional(),
  lease: lease.optional(),
  prices: z.record(z.string().min(1), price).optional(),
  idle: duration.optional(),
  keep: duration.optional(),
  events: z.strictObject({ keep: duration.optional(), most: z.int().min(1000).optional() }).optional(),
  webhooks: webhooks.optional(),
  notify: z.record(targetName, notifyTarget).optional(),
});

/**
 * Reads the user's settings; without a file they are the defaults.
 * @throws {AnabranchError} `CONFIG_INVALID`
 */
export async function loadDaemonConfig(directory: string): Promise<DaemonConfig> {
  const path = join(directory, "config.yaml");
  const text = await readFile(path, "utf8").catch(() => undefined);
  const given: z.infer<typeof file> = text === undefined ? {} : await readYaml(text, path, file);
  return {
    parallel: given.parallel ?? Math.max(4, 2 * availableParallelism()),
    kinds: given.kinds ?? {},
    children: { depth: given.children?.depth ?? 5, most: given.children?.most ?? 20 },
    hold: { diskBytes: optionalSize(given.hold?.disk), memoryBytes: optionalSize(given.hold?.memory) },
    interruptMs: durationMs(given.kill?.interrupt ?? "5s"),
    terminateMs: durationMs(given.kill?.terminate ?? "5s"),
    forecastMs: durationMs(given.forecast ?? "3s"),
    agentRetryMs: durationMs(given.agentRetry ?? "5s"),
    leaseMs: durationMs(given.lease ?? "10m"),
    prices: given.prices ?? {},
    idleMs: durationMs(given.idle ?? "10m"),
    keepMs: durationMs(given.keep ?? "14d"),
    events: { keepMs: durationMs(given.events?.keep ?? "30d"), most: given.events?.most ?? 1_000_000 },
    webhooks: given.webhooks && { port: given.webhooks.port, hosts: given.webhooks.hosts ?? [] },
    notify: Object.entries(given.notify ?? {}).map(([name, target]) => settleTarget(name, target, directory)),
  };
}

function settleTarget(name: string, given: z.infer<typeof notifyTarget>, directory: string): NotifyTarget {
  const { on = [], repositories: globs } = given;
  const settled = { name, on, repositories: typeof globs === "string" ? [globs] : globs };
  if ("desktop" in given) return { ...settled, way: { type: "desktop" } };
  if ("command" in given) {
    const timeoutMs = durationMs(given.timeout ?? "30s");
    return { ...settled, way: { type: "command", command: given.command, timeoutMs } };
  }
  const secretFile = given.secret === undefined ? undefined : resolve(directory, given.secret);
  return { ...settled, way: { type: "webhook", url: given.webhook, secretFile } };
}

function optionalSize(text: string | undefined): number | undefined {
  return text === undefined ? undefined : sizeBytes(text);
}
