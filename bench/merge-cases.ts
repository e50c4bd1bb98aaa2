import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

/** A merge that somebody once made by hand. */
export interface MergeCase {
  readonly id: string;
  readonly path: string;
  readonly lang: string;
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
  readonly human: string;
}

/** Reads a folder of cases: files of JSON lines, also compressed. */
export function* readMergeCases(folder: string): Generator<MergeCase> {
  for (const name of readdirSync(folder).toSorted()) {
    if (!/\.jsonl(\.gz)?$/.test(name)) continue;
    const bytes = readFileSync(join(folder, name));
    const text = (name.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
    for (const line of text.split("\n")) if (line !== "") yield JSON.parse(line) as MergeCase;
  }
}
