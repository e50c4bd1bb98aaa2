import type { DataNode, DataTable } from "./node.ts";

/** What a rule decides about edits that contradict each other. */
export type Ruling =
  | {
      readonly type: "value";
      readonly policy: `policy:${string}`;
      /** The value as it is written; nothing: the item is taken out. */
      readonly kept: string | undefined;
      /** Whose edits are not in the result as they were. */
      readonly dropped: readonly ("ours" | "theirs")[];
    }
  | {
      /** The item is merged as a table after all. */
      readonly type: "table";
      readonly versions: { readonly base: DataTable; readonly ours: DataTable; readonly theirs: DataTable };
    };

/** What decides where a merge by keys finds a contradiction. */
export interface ValueRules {
  decide(
    place: readonly string[],
    versions: {
      readonly base: DataNode | undefined;
      readonly ours: DataNode | undefined;
      readonly theirs: DataNode | undefined;
    },
  ): Ruling | undefined;
}

/** Rules for files of which nothing is known: none. */
export const NO_RULES: ValueRules = { decide: () => undefined };
