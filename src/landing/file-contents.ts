import { isUtf8 } from "node:buffer";

import type { Entry } from "../merge/change.ts";
import type { TextVersions } from "../merge/versions.ts";
import type { Vault } from "../workspaces/vault.ts";

/** How the bytes of a file are read as text: as characters where that can be undone exactly, else one for each byte. */
export type TextEncoding = "utf8" | "latin1";

/** Three versions of a file as text. */
export interface TextContents {
  readonly versions: TextVersions;
  readonly encoding: TextEncoding;
}

/**
 * How some versions of a file are read: all of them in one way.
 *
 * @example
 * encodingOf([Buffer.from("é"), Buffer.from([0xe9])]) // "latin1"
 */
export function encodingOf(versions: readonly Buffer[]): TextEncoding {
  return versions.every((bytes) => isUtf8(bytes)) ? "utf8" : "latin1";
}

/** Reads three versions of a file. */
export async function readContents(
  { objects }: Vault,
  { base, ours, theirs }: { readonly base: Entry | undefined; readonly ours: Entry; readonly theirs: Entry },
): Promise<TextContents> {
  const [own, other, before] = await Promise.all([
    objects.readBlob(ours.oid),
    objects.readBlob(theirs.oid),
    base === undefined ? undefined : objects.readBlob(base.oid),
  ]);
  const encoding = encodingOf(before === undefined ? [own, other] : [own, other, before]);
  return {
    versions: {
      base: before?.toString(encoding),
      ours: own.toString(encoding),
      theirs: other.toString(encoding),
    },
    encoding,
  };
}
