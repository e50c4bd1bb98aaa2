import { linesOf } from "./lines.ts";
import { findSourceLosses } from "./conservation/source-losses.ts";
import { mergeData } from "./data/merge-data.ts";
import { languageOf, type Language } from "./language.ts";
import { lockFileOwner } from "./lock-file.ts";
import type { Loss } from "./conservation/loss.ts";
import { findFileLosses } from "./conservation/file-losses.ts";
import { classOf, type PieceMerge, type PieceVersions, type PolicyDrop } from "./resolution.ts";
import type { ResolutionClass, ResolverName } from "./resolution.ts";
import { mergeSource, mergeUnparsed } from "./source.ts";
import { parseVersions, type ParsedVersions } from "./syntax/parse-versions.ts";
import type { ParsedText, Parsers } from "./syntax/parsers.ts";
import { putTogether, takeApart, takeVersionsApart } from "./text-form.ts";
import { mergeText, type MergePolicy, type TextMerge } from "./text.ts";
import type { Hunk, TextVersions } from "./versions.ts";

/** Three versions of a file, and how they may be merged. */
export interface FileMergeRequest {
  readonly path: string;
  /** Characters, not bytes, wherever the encoding is known. */
  readonly versions: TextVersions;
  readonly policy: MergePolicy;
  /** Where the grammar of the file's language is not loaded, its syntax is not looked at. */
  readonly parsers: Parsers;
}

/** What became of three versions of a file. */
export type FileMerge = MergedFile | OpenFile;

interface MergedFile {
  readonly status: "merged";
  readonly text: string;
  readonly resolvers: readonly ResolverName[];
  readonly class: ResolutionClass;
  /** Those of all steps: a policy's choice may stand beside tokens of both sides. */
  readonly classes: readonly ResolutionClass[];
  readonly drops: readonly PolicyDrop[];
}

interface OpenFile {
  readonly status: "conflict";
  /** `lock-file`: the program that owns it makes it anew from the merged manifest. */
  readonly why: "lines" | "binary" | "both-added" | "loss" | "lock-file";
  readonly hunks: readonly Hunk[];
  /** What the best answer would have lost. */
  readonly losses?: readonly Loss[];
}

/**
 * Merges a file. Resolvers are tried in order: identical and one-sided changes, lines, white space, data by key, entities,
 * tokens. An answer counts only if the conservation check, which knows nothing of how it was made, finds that no edit of
 * either side was lost; otherwise the next one is tried, and in the end it is a conflict.
 *
 * @example
 * mergeFile({ path: "a.ts", versions: { base: "", ours: "let a;\n", theirs: "let b;\n" }, policy: "text", parsers })
 * // { status: "merged", text: "let a;\nlet b;\n", resolvers: ["entities"], class: "B", drops: [] }
 */
export function mergeFile(request: FileMergeRequest): FileMerge {
  const { versions, policy } = request;
  const byText = mergeText(versions, policy);
  if (byText.status === "merged" && isSelfEvident(byText)) return mergedByText(byText);
  if (policy === "text" && lockFileOwner(request.path) !== undefined) {
    return { status: "conflict", why: "lock-file", hunks: [] };
  }
  const pieces = policy === "text" ? takePiecesApart(versions) : undefined;
  if (pieces === undefined) return checkedByText(request, byText);
  return new FileMerger(request, pieces).merge(byText);
}

/** One version is the result, or the repository asked for all lines of both. */
function isSelfEvident({ resolver }: Extract<TextMerge, { status: "merged" }>): boolean {
  return resolver === "identical" || resolver === "one-side" || resolver === "union";
}

function mergedByText({ text, resolver }: Extract<TextMerge, { status: "merged" }>): MergedFile {
  const found = resolver === "union" ? "D" : "A";
  return { status: "merged", text, resolvers: [resolver], class: found, classes: [found], drops: [] };
}

/** A text that cannot be looked at but line by line. */
function checkedByText({ path, versions, parsers }: FileMergeRequest, merge: TextMerge): FileMerge {
  if (merge.status === "conflict") return merge;
  const losses = findFileLosses({ path, versions, result: merge.text, drops: [], parsers });
  return losses.length === 0 ? mergedByText(merge) : { status: "conflict", why: "loss", hunks: [], losses };
}

/** Whether a side broke the syntax: nobody can say where its entities begin and end. */
function isBroken({ base, ours, theirs }: ParsedVersions): boolean {
  const hasErrors = ({ tree }: ParsedText): boolean => tree.rootNode.hasError;
  return !hasErrors(base) && (hasErrors(ours) || hasErrors(theirs));
}

/** A file's versions as pieces, and how a piece becomes a file again. */
interface FilePieces {
  readonly versions: PieceVersions;
  readonly toFile: (piece: string) => string;
  readonly toPiece: (file: string) => string;
}

/** Nothing where the file was added by both, is no text, or has line ends that differ from line to line. */
function takePiecesApart(versions: TextVersions): FilePieces | undefined {
  if (versions.base === undefined) return undefined;
  const texts = [versions.base, versions.ours, versions.theirs];
  if (texts.some((text) => text.includes("\0"))) return undefined;
  const { lines, form } = takeVersionsApart(versions);
  const [base, ours, theirs] = [lines.base, lines.ours, lines.theirs].map(pieceOf);
  if (base === undefined || ours === undefined || theirs === undefined) return undefined;
  return {
    versions: { base, ours, theirs },
    toFile: (piece) => putTogether(linesOf(piece), form),
    toPiece: (file) => joinLines(takeApart(file, false).lines),
  };
}

function pieceOf(lines: readonly string[]): string | undefined {
  const text = joinLines(lines);
  return text.includes("\r") ? undefined : text;
}

function joinLines(lines: readonly string[]): string {
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

/** A source with more characters was made by a program: it is merged by lines, at once. */
const LARGEST_SOURCE = 2_000_000;

class FileMerger {
  readonly #path: string;
  readonly #parsers: Parsers;
  readonly #pieces: FilePieces;
  readonly #language: Language | undefined;

  constructor({ path, parsers }: FileMergeRequest, pieces: FilePieces) {
    this.#path = path;
    this.#parsers = parsers;
    this.#pieces = pieces;
    const isHuge = Object.values(pieces.versions).some((text) => text.length > LARGEST_SOURCE);
    this.#language = isHuge ? undefined : languageOf(path);
  }

  merge(byText: TextMerge): FileMerge {
    const first = this.#checkText(byText);
    if (first.status === "merged") return first;
    const parsed =
      this.#language === undefined ? undefined : parseVersions(this.#parsers, this.#language, this.#pieces.versions);
    try {
      return this.#mergeParsed(first, parsed);
    } finally {
      parsed?.dispose();
    }
  }

  /** Lines merge most files: of these, no version is parsed, only the result. */
  #checkText(byText: TextMerge): FileMerge {
    if (byText.status === "conflict") return byText;
    const losses = this.#lossesIn(this.#pieces.toPiece(byText.text), [], undefined);
    return losses.length === 0 ? mergedByText(byText) : { status: "conflict", why: "loss", hunks: [], losses };
  }

  #mergeParsed(byText: OpenFile, parsed: ParsedVersions | undefined): FileMerge {
    let best = byText.why === "loss" ? byText : undefined;
    for (const resolve of this.#resolvers(parsed)) {
      const merge = resolve();
      if (merge === undefined) continue;
      const checked = this.#check(merge, parsed);
      if (checked.status === "merged") return checked;
      best ??= checked;
      // Where entities lose an edit, lines would only hide it.
      if (checked.why === "loss" && parsed !== undefined) break;
    }
    return best ?? byText;
  }

  /** What may know the file, in order. */
  #resolvers(parsed: ParsedVersions | undefined): (() => PieceMerge | undefined)[] {
    const { versions } = this.#pieces;
    const language = this.#language;
    return [
      () => mergeData(this.#path, versions),
      () => (parsed === undefined || isBroken(parsed) ? undefined : mergeSource(parsed)),
      () => (language === undefined ? undefined : mergeUnparsed(language, versions, parsed !== undefined)),
    ];
  }

  #check(merge: PieceMerge, parsed: ParsedVersions | undefined): FileMerge {
    if (merge.status === "conflict") return { status: "conflict", why: "lines", hunks: merge.hunks };
    const losses = this.#lossesIn(merge.text, merge.drops, parsed);
    if (losses.length > 0) return { status: "conflict", why: "loss", hunks: [], losses };
    const resolvers = [...new Set(merge.steps.map(({ resolver }) => resolver))];
    const text = this.#pieces.toFile(merge.text);
    const classes = [...new Set(merge.steps.map((step) => step.class))];
    return { status: "merged", text, resolvers, class: classOf(merge.steps), classes, drops: merge.drops };
  }

  #lossesIn(result: string, drops: readonly PolicyDrop[], parsed: ParsedVersions | undefined): Loss[] {
    return findSourceLosses({
      path: this.#path,
      language: this.#language,
      versions: this.#pieces.versions,
      result,
      drops,
      parsers: this.#parsers,
      ...(parsed === undefined ? {} : { parsed }),
    });
  }
}
