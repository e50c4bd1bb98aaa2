import { mergeEntities } from "./entities/merge-entities.ts";
import { mergeImports } from "./imports/merge-imports.ts";
import { UnusedNames } from "./imports/unused-names.ts";
import type { Language } from "./language.ts";
import type { PieceMerge, PieceVersions } from "./resolution.ts";
import type { ParsedVersions } from "./syntax/parse-versions.ts";
import { readSource } from "./syntax/read-source.ts";
import { mergePiece } from "./tokens/merge-piece.ts";

/** Merges sources entity by entity, and what two sides changed inside of one by lines and tokens. */
export function mergeSource(parsed: ParsedVersions): PieceMerge {
  const [base, ours, theirs] = [readSource(parsed.base), readSource(parsed.ours), readSource(parsed.theirs)];
  const unused = new UnusedNames();
  const merge = mergeEntities(base, ours, theirs, {
    piece: mergePiece,
    imports: (language, versions) => mergeImports(language, versions, unused),
  });
  if (merge.status === "conflict" || !unused.areUsedIn(merge.text)) return merge;
  return mergeEntities(base, ours, theirs, { piece: mergePiece, imports: mergeImports });
}

/**
 * Merges sources whose syntax is not looked at.
 *
 * @param endsAtConflict where another merge has told all places that are open already
 */
export function mergeUnparsed(language: Language, versions: PieceVersions, endsAtConflict: boolean): PieceMerge {
  return mergePiece(versions, { language, kind: undefined, endsAtConflict });
}
