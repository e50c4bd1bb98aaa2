import { createInterface } from "node:readline";
import { once } from "node:events";

import { AnabranchError } from "../../base/errors.ts";
import { Grammars } from "../../grammars/grammars.ts";
import { mergeFile } from "../../merge/file.ts";
import { languageOf } from "../../merge/language.ts";
import type { CommandAction } from "../command.ts";

/** What `anabranch merge-files` is given. */
interface MergeFilesOptions {
  readonly jsonl?: boolean;
}

/** A request of the line protocol. */
interface MergeFilesRequest {
  readonly id: unknown;
  readonly path: string;
  readonly base?: string | null;
  readonly ours: string;
  readonly theirs: string;
}

/** `anabranch merge-files --jsonl`: merges three versions of a file for each line of input, until the input ends. */
export const action: CommandAction<MergeFilesOptions> = async (_args, options) => {
  if (options.jsonl !== true) {
    throw new AnabranchError("USAGE", {
      message: "merge-files speaks JSON lines only",
      hint: "anabranch merge-files --jsonl",
    });
  }
  const grammars = new Grammars();
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    if (line.trim() === "") continue;
    const answer = await answerTo(grammars, line);
    if (!process.stdout.write(`${JSON.stringify(answer)}\n`)) await once(process.stdout, "drain");
  }
  return 0;
};

async function answerTo(grammars: Grammars, line: string): Promise<object> {
  const request = readRequest(line);
  if ("error" in request) return request;
  const { id, path, base, ours, theirs } = request;
  const language = languageOf(path);
  if (language !== undefined) await grammars.load(language);
  const versions = { base: base ?? undefined, ours, theirs };
  const merge = mergeFile({ path, versions, policy: "text", parsers: grammars });
  if (merge.status === "merged") {
    return {
      id,
      status: merge.status,
      text: merge.text,
      resolvers: merge.resolvers,
      class: merge.class,
      drops: merge.drops,
    };
  }
  return { id, status: merge.status, why: merge.why, losses: merge.losses };
}

function readRequest(line: string): MergeFilesRequest | { id: unknown; error: string } {
  let request: Partial<MergeFilesRequest> | null;
  try {
    request = JSON.parse(line) as Partial<MergeFilesRequest> | null;
  } catch (cause) {
    return { id: null, error: `this line is no JSON: ${cause instanceof Error ? cause.message : String(cause)}` };
  }
  const { id = null, path, base, ours, theirs } = request ?? {};
  const isBase = base === undefined || base === null || typeof base === "string";
  if (typeof path !== "string" || typeof ours !== "string" || typeof theirs !== "string" || !isBase) {
    return { id, error: "path, ours and theirs must be strings, and base one or null" };
  }
  return { id, path, ours, theirs, base: base ?? null };
}
