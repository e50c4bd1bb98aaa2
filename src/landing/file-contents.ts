import type { Entry } from "../merge/change.ts";
import { encodingOf, type TextEncoding } from "../base/text-encoding.ts";
import type { TextVersions } from "../merge/versions.ts";
import type { Vault } from "../workspaces/vault.ts";

/** Three versions of a file as text. */
export interface TextContents {
  readonly versions: TextVersions;
  readonly encoding: TextEncoding;
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
