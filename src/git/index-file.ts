import { copyFile, stat, utimes } from "node:fs/promises";

/**
 * Copies an index with its time. Git tells by that time which files may have been changed in the same second in which
 * they were last looked at; with a newer one it would take such a change for none.
 */
export async function copyIndex(from: string, to: string): Promise<void> {
  const { atimeMs, mtimeMs } = await stat(from);
  await copyFile(from, to);
  await utimes(to, atimeMs / 1000, Math.floor(mtimeMs) / 1000);
}
