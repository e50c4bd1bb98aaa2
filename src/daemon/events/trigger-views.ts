import { groupBy } from "../../base/group.ts";
import { printable } from "../../base/printable.ts";
import type { FlowState } from "../../engine/flow.ts";
import { chainAfter } from "../../engine/trigger-chain.ts";
import type { TriggerSpec } from "../../engine/trigger.ts";
import type { DeadLetterView } from "../../protocol/commands/events.ts";
import type { FiringView, TriggerSetView, TriggerView } from "../../protocol/commands/triggers.ts";
import type { DeadLetterRow } from "../../store/dead-letters.ts";
import type { PlanView } from "../../protocol/views.ts";
import { countFirings, type FiringRow } from "../../store/firings.ts";
import type { TriggerRow } from "../../store/trigger-sets.ts";
import type { Parts } from "../parts.ts";
import type { TriggerDesk, TriggerStanding } from "./trigger-desk.ts";
import { describeEffect, describeFlow, describeSource } from "./trigger-words.ts";

/** The triggers of a repository, for clients. */
export async function viewTriggers(
  parts: Parts,
  desk: TriggerDesk,
  standing: TriggerStanding,
): Promise<TriggerSetView> {
  const { repository, row, state, file, agreed, problem, spec } = standing;
  const counts = groupBy(await countFirings(parts.store, row.id), ({ triggerId }) => triggerId);
  const firingsOf = (name: string): Record<string, number> =>
    Object.fromEntries((counts.get(`${row.id}/${name}`) ?? []).map((one) => [one.state, one.count]));
  return {
    root: repository.root,
    state,
    ...(file === undefined ? {} : { contentHash: file.contentHash }),
    ...(agreed === undefined ? {} : { enabledMs: agreed.enabledMs }),
    difference: agreed?.state === "enabled" ? await desk.difference(standing) : [],
    ...(problem === undefined ? {} : { problem: { ...problem, data: { ...problem.data } } }),
    depth: (spec ?? { chains: agreed?.chains ?? { depth: 0 } }).chains.depth,
    triggers: mergedTriggers(standing).map(({ trigger, stands, agreedRow }) => ({
      name: trigger.name,
      on: describeSource(trigger.source),
      does: describeEffect(trigger),
      flow: describeFlow(trigger),
      approval: trigger.approval !== undefined,
      state: stands,
      firings: firingsOf(trigger.name),
      ...(agreedRow?.dueMs === undefined ? {} : { dueMs: agreedRow.dueMs }),
    })),
  };
}

/** What the end of a workflow leads to; nothing where it leads to nothing. */
export function viewChain({ spec, state }: TriggerStanding, workflow: string): PlanView["chain"] {
  const links = spec === undefined ? [] : chainAfter(spec, workflow);
  if (links.length === 0) return undefined;
  return {
    enabled: state === "enabled",
    links: links.map(({ trigger, depth }) => ({
      trigger: trigger.name,
      on: describeSource(trigger.source),
      does: describeEffect(trigger),
      approval: trigger.approval !== undefined,
      depth,
    })),
  };
}

interface MergedTrigger {
  readonly trigger: TriggerSpec;
  readonly stands: TriggerView["state"];
  readonly agreedRow: TriggerRow<FlowState> | undefined;
}

/** What the file says and what was agreed to, as one list. */
function mergedTriggers({ spec, triggers }: TriggerStanding): MergedTrigger[] {
  const agreed = new Map(triggers.filter(({ state }) => state !== "removed").map((one) => [one.spec.name, one]));
  const written = spec?.triggers ?? [...agreed.values()].map((one) => one.spec);
  const names = new Set(written.map(({ name }) => name));
  const gone = [...agreed.values()].filter((one) => !names.has(one.spec.name));
  return [
    ...written.map((trigger): MergedTrigger => {
      const agreedRow = agreed.get(trigger.name);
      const isSame = agreedRow !== undefined && JSON.stringify(agreedRow.spec) === JSON.stringify(trigger);
      const stands =
        agreedRow === undefined ? "new" : !isSame ? "changed" : agreedRow.state === "paused" ? "paused" : "active";
      return { trigger, stands, agreedRow };
    }),
    ...gone.map((one): MergedTrigger => ({ trigger: one.spec, stands: "removed", agreedRow: one })),
  ];
}

/** A firing, for clients. */
export function viewFiring({
  id,
  triggerId,
  state,
  createdMs,
  endedMs,
  events,
  cause,
  run,
  reason,
  notice,
}: FiringRow): FiringView {
  return {
    id,
    trigger: triggerId.slice(triggerId.indexOf("/") + 1),
    state,
    atMs: createdMs,
    ...(endedMs === undefined ? {} : { endedMs }),
    events: events.count,
    paths: events.paths.slice(0, 20),
    chain: cause.chain,
    depth: cause.depth,
    ...(run === undefined ? {} : { run }),
    ...(reason === undefined ? {} : { reason: { ...reason, data: { ...reason.data } } }),
    ...(notice === undefined ? {} : { notice }),
  };
}

/** A dead letter, for clients. */
export function viewDeadLetter(
  { id, kind, count, record, updatedMs }: DeadLetterRow,
  repository?: string,
): DeadLetterView {
  const { title, reason, trigger, seq, cause } = record;
  return {
    id,
    kind,
    title: printable(title),
    count,
    reason: { ...reason, data: { ...reason.data } },
    ...(trigger === undefined ? {} : { trigger: trigger.slice(trigger.indexOf("/") + 1) }),
    ...(seq === undefined ? {} : { seq }),
    ...(cause === undefined ? {} : { chain: cause.chain, depth: cause.depth }),
    atMs: updatedMs,
    ...(repository === undefined ? {} : { repository }),
  };
}
