import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { AnabranchError, systemCodeOf } from "../base/errors.ts";
import { repositoryFile, type RepositoryFile } from "./schema.ts";
import { readYaml } from "./yaml.ts";

/** The name of the file at a repository's root. */
export const FILE_NAME = "anabranch.yaml";

/**
 * Reads `anabranch.yaml`; a repository without one has an empty one.
 *
 * @throws {AnabranchError} `CONFIG_SYNTAX` or `CONFIG_INVALID`, with file, line and column
 */
export async function loadRepositoryFile(root: string): Promise<RepositoryFile> {
  const path = join(root, FILE_NAME);
  try {
    return await readYaml(await readFile(path, "utf8"), path, repositoryFile);
  } catch (cause) {
    const code = systemCodeOf(cause);
    if (code === "ENOENT") return {};
    if (cause instanceof AnabranchError) throw cause;
    throw new AnabranchError("CONFIG_SYNTAX", {
      message: `${path} cannot be read: ${code ?? String(cause)}`,
      hint: `make it a readable file`,
      cause,
    });
  }
}

/**
 * Reads the text of an `anabranch.yaml` that is not in a working tree.
 *
 * @param path is for messages
 * @throws {AnabranchError} `CONFIG_SYNTAX`, `CONFIG_INVALID`
 */
export function parseRepositoryFile(text: string, path: string): Promise<RepositoryFile> {
  return readYaml(text, path, repositoryFile);
}
