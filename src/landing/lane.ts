import type { Git, GitPlace } from "../git/git.ts";
import { listRefs } from "../git/refs.ts";
import { isAnabranchError } from "../base/errors.ts";
import type { Vault } from "../workspaces/vault.ts";
import { landingOf } from "./landed-commit.ts";

/** The serial line of one target: where it stands, and the one way to move it. */
export interface Lane {
  readonly kind: "lane" | "branch";
  readonly name: string;
  /** The commit it stands at; `undefined` where nothing has landed yet. */
  tip(): Promise<string | undefined>;
  /**
   * Moves it by compare-and-swap, together with the receipts of what lands.
   * @returns whether it moved; `false` when it did not stand where it must any more
   */
  move(from: string | undefined, to: string, receipts: readonly ReceiptUpdate[]): Promise<boolean>;
  /** What there is to say about landing on it. */
  notices(): Promise<readonly string[]>;
  /** What has to follow once it has moved; doing it again does nothing. */
  settle(from: string, to: string): Promise<void>;
  /** Whether a landing is on it: its commit, or one that carries its trailer. */
  holds(commit: string, landing: string, since: string): Promise<boolean>;
}

/** A receipt that becomes visible with its landing. */
interface ReceiptUpdate {
  readonly ref: string;
  readonly commit: string;
}

/** The ref in the vault where a run's work lands. */
export function laneRef(run: string): string {
  return `refs/lanes/${run}`;
}

/** The ref in the vault where a run's work is put together before all of it lands at once. */
export function stagingRef(run: string): string {
  return `refs/staging/${run}`;
}

/** A lane that is a ref of the vault. */
export function vaultLane(git: Git, vault: Vault, ref: string): Lane {
  const tip = async (): Promise<string | undefined> => (await listRefs(git, vault.directory, ref))[0]?.oid;
  return {
    kind: "lane",
    name: ref,
    tip,
    notices: async () => [],
    settle: async () => undefined,
    async move(from, to, receipts) {
      const marks = receipts.map((receipt) => ({ name: receipt.ref, to: receipt.commit }));
      try {
        await vault.refs.update([...marks, { name: ref, from: from ?? null, to }]);
        return true;
      } catch (cause) {
        if (!isAnabranchError(cause) || cause.code !== "GIT_FAILED") throw cause;
        if ((await tip()) === from) throw cause;
        return false;
      }
    },
    async holds(commit, landing, since) {
      const at = await tip();
      return at !== undefined && isOnRef(git, vault.place, at, commit, landing, since);
    },
  };
}

/** Whether a commit, or one made again from it with the same trailer, is among those a ref has gained. */
export async function isOnRef(
  git: Git,
  place: GitPlace,
  tip: string,
  commit: string,
  landing: string,
  since: string,
): Promise<boolean> {
  if (tip === commit) return true;
  const ancestor = await git.run(place, ["merge-base", "--is-ancestor", commit, tip], { allow: [1, 128] });
  if (ancestor.status === 0) return true;
  const messages = await git.records(place, ["log", "-z", "--format=%B", `${since}..${tip}`]);
  return messages.some((message) => landingOf(message) === landing);
}
