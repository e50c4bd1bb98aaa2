import type { TriggerSetSpec, TriggerSpec } from "./trigger.ts";

/** A trigger that the end of a workflow leads to, directly or through others. */
export interface ChainLink {
  readonly trigger: TriggerSpec;
  /** How many triggers have fired by then, where nothing had led to the workflow itself. */
  readonly depth: number;
}

const MOST_LINKS = 100;

/**
 * Everything that a run of a workflow may lead to by its tasks, its end or what it lands, each trigger after the one that
 * leads to it. What a trigger has led to itself, and what is deeper than chains may get, is left out: it never happens.
 */
export function chainAfter({ triggers, chains }: TriggerSetSpec, workflow: string): ChainLink[] {
  const links: ChainLink[] = [];
  const follow = (name: string, path: readonly TriggerSpec[]): void => {
    if (path.length >= chains.depth) return;
    for (const trigger of triggers) {
      if (links.length >= MOST_LINKS || !isAbout(trigger, name)) continue;
      if (path.includes(trigger) && !trigger.again) continue;
      links.push({ trigger, depth: path.length + 1 });
      if (trigger.workflow !== undefined) follow(trigger.workflow, [...path, trigger]);
    }
  };
  follow(workflow, []);
  return links;
}

function isAbout({ source }: TriggerSpec, workflow: string): boolean {
  return (source.type === "task" || source.type === "run" || source.type === "landing") && source.workflow === workflow;
}
