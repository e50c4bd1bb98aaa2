import type { LockFileOwner } from "../../merge/lock-file.ts";
import { NPM } from "./npm.ts";
import { CARGO, GO, POETRY, UV } from "./other-programs.ts";
import { PNPM } from "./pnpm.ts";
import type { LockProgram } from "./program.ts";
import { YARN } from "./yarn.ts";

/** The programs that make lock files. */
export const LOCK_PROGRAMS: Readonly<Record<LockFileOwner, LockProgram>> = {
  npm: NPM,
  pnpm: PNPM,
  yarn: YARN,
  cargo: CARGO,
  go: GO,
  poetry: POETRY,
  uv: UV,
};
