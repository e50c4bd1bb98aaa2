import { readFile, rename, stat, writeFile, chmod } from "node:fs/promises";

import { AnabranchError, systemCodeOf } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import { Grammars } from "../../grammars/grammars.ts";
import { encodingOf, type TextEncoding } from "../../base/text-encoding.ts";
import { mergeFile } from "../../merge/file.ts";
import { languageOf } from "../../merge/language.ts";
import { withMarkers } from "../../merge/text.ts";
import type { CommandAction } from "../command.ts";
import { parseClasses } from "../merge-classes.ts";

/** What `anabranch merge-driver` is given. */
interface MergeDriverOptions {
  readonly classes?: string;
}

/** What git may take without a person looking: nobody verifies the merge that follows. */
const FREE_CLASSES = "AB";

const LABELS = { ours: "ours", base: "base", theirs: "theirs" };

/**
 * `anabranch merge-driver %O %A %B %P`: merges as git asks its drivers to. The result replaces %A; status 1 says that
 * there are conflicts, which then stand in it between markers.
 */
export const action: CommandAction<MergeDriverOptions> = async (args, options) => {
  const [base, ours, theirs, path = ""] = args;
  if (base === undefined || ours === undefined || theirs === undefined) {
    throw new AnabranchError("USAGE", {
      message: "merge-driver takes the files of three versions and the path",
      hint: "anabranch merge-driver %O %A %B %P",
    });
  }
  const classes = parseClasses(options.classes ?? FREE_CLASSES);
  const bytes = [await readBytes(base), await readBytes(ours), await readBytes(theirs)];
  const encoding = encodingOf(bytes);
  const [before = "", own = "", other = ""] = bytes.map((version) => version.toString(encoding));
  const versions = { base: before, ours: own, theirs: other };
  const grammars = new Grammars();
  const language = languageOf(path);
  if (language !== undefined) await grammars.load(language);
  const merge = mergeFile({ path, versions, policy: "text", parsers: grammars });
  if (merge.status === "merged" && classes.has(merge.class)) {
    await replaceText(ours, merge.text, encoding);
    return 0;
  }
  const isBinary = merge.status === "conflict" && merge.why === "binary";
  if (!isBinary) await replaceText(ours, withMarkers(versions, LABELS), encoding);
  const why = merge.status === "merged" ? `a merge of class ${merge.class} wants a person's eye` : merge.why;
  process.stderr.write(`anabranch: conflict in ${printable(path)} (${why})\n`);
  return 1;
};

async function readBytes(path: string): Promise<Buffer> {
  return readFile(path).catch((cause: unknown) => {
    throw new AnabranchError("USAGE", {
      message: `${path} cannot be read: ${systemCodeOf(cause) ?? String(cause)}`,
      hint: "git calls this: anabranch setup git",
      cause,
    });
  });
}

async function replaceText(path: string, text: string, encoding: TextEncoding): Promise<void> {
  const { mode } = await stat(path);
  const draft = `${path}.${process.pid}.new`;
  await writeFile(draft, text, encoding);
  await chmod(draft, mode & 0o777);
  await rename(draft, path);
}
