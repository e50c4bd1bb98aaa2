import { lockFileOwner } from "../../merge/lock-file.ts";
import type { PolicyDrop } from "../../merge/resolution.ts";

const POLICY = "policy:lock-file";

/** What is dropped where a program makes a lock file anew: whatever theirs had locked by itself. */
export function dropOfLockFile(name: string, program: string): PolicyDrop {
  return {
    policy: POLICY,
    side: "theirs",
    dropped: `what ${name} had locked`,
    kept: `made anew by ${program} from what is merged, starting from ours`,
  };
}

/** Whether a path is a lock file that was made anew, by what was noted when it landed. */
export function isMadeAnew(path: string, drops: readonly PolicyDrop[] = []): boolean {
  return lockFileOwner(path) !== undefined && drops.some(({ policy }) => policy === POLICY);
}
