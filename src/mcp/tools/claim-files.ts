import type { ToolHandler } from "../call.ts";

const MINUTE_MS = 60_000;

/** Takes the exclusive right to write some files, for the task that calls. */
export const claimFiles: ToolHandler<"claim_files"> = async ({ scope, minutes }, { anabranch, directory }) => {
  const ttl = minutes === undefined ? {} : { ttlMs: Math.round(minutes * MINUTE_MS) };
  const { id, scope: held, createdMs, expiresMs } = await anabranch.claim(scope, { directory, ...ttl });
  const forS = Math.round((expiresMs - createdMs) / 1000);
  return {
    data: { id, scope: held, forS },
    text: `${held.join(", ")} is yours for ${forS} s; release_files {"id": "${id}"}`,
  };
};
