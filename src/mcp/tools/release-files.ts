import type { ToolHandler } from "../call.ts";

/** Gives up what the calling task has claimed. */
export const releaseFiles: ToolHandler<"release_files"> = async ({ id }, { anabranch }) => {
  const { scope } = await anabranch.release(id);
  return { data: { id, scope }, text: `${scope.join(", ")} is free again` };
};
