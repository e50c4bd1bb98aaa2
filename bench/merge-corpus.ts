/**
 * B3, the engine alone: a folder of real conflicts, each with the result that people committed. How many are resolved, in
 * which class, and how long each takes with warm parsers. What is equal, lost or overwritten is for the corpus' own scorer.
 */
import { systemClock } from "../src/base/clock.ts";
import { mergeFile } from "../src/merge/file.ts";
import type { Parsers } from "../src/merge/syntax/parsers.ts";
import type { Bench } from "./bench.ts";
import { grammarsFor } from "./grammars-for.ts";
import { readMergeCases, type MergeCase } from "./merge-cases.ts";
import type { Report } from "./report.ts";
import { quantile } from "./statistics.ts";

export const mergeCorpus: Bench = {
  name: "merge-corpus",
  about: "B3, the engine alone: real conflicts from a folder, --cases FOLDER",
  async run(report, { cases }) {
    if (cases === undefined) return report.note("left out: it takes --cases FOLDER");
    const groups = new Map<string, Group>();
    const known = [...readMergeCases(cases)];
    const grammars = await grammarsFor(known.map(({ path }) => path));
    // The second time everything is compiled.
    for (const one of known.slice(0, 200)) mergeOne(grammars, one);
    for (const one of known) addTo(groups, one, mergeOne(grammars, one));
    writeReport(report, groups);
  },
};

interface Outcome {
  readonly tookMs: number;
  readonly bytes: number;
  /** The class of its resolution, or what left it open. */
  readonly answer: string;
}

type Group = Outcome[];

function mergeOne(parsers: Parsers, { path, base, ours, theirs }: MergeCase): Outcome {
  const beganMs = systemClock.monotonicMs();
  const merge = mergeFile({ path, versions: { base, ours, theirs }, policy: "text", parsers });
  const tookMs = systemClock.monotonicMs() - beganMs;
  const answer = merge.status === "merged" ? merge.class : merge.why;
  return { tookMs, bytes: base.length + ours.length + theirs.length, answer };
}

function addTo(groups: Map<string, Group>, { lang }: MergeCase, outcome: Outcome): void {
  const source = lang === "package-json" ? [] : ["all sources"];
  for (const name of [lang, ...source]) {
    const group = groups.get(name) ?? [];
    groups.set(name, group);
    group.push(outcome);
  }
}

function writeReport(report: Report, groups: ReadonlyMap<string, Group>): void {
  const rows = [...groups].toSorted(([a], [b]) => a.localeCompare(b)).map(([name, group]) => rowOf(name, group));
  const columns = ["language", "cases", "resolved %", "A", "B", "C", "D", "loss", "p50 ms", "p95", "p99", "max"];
  report.table("one engine, warm", columns, rows);
  const sources = groups.get("all sources") ?? [];
  report.limit("sources resolved, %", shareResolved(sources), { atLeast: 50 });
  const times = sources.map(({ tookMs }) => tookMs);
  report.limit("p50 of a source, ms", quantile(times, 0.5), { atMost: 5 });
  report.limit("p95 of a source, ms", quantile(times, 0.95), { atMost: 60 });
  report.limit("p99 of a source, ms", quantile(times, 0.99), { atMost: 120 });
  const manifests = groups.get("package-json");
  if (manifests !== undefined) report.limit("package.json resolved, %", shareResolved(manifests), { atLeast: 92 });
}

function rowOf(name: string, group: Group): (string | number)[] {
  const count = (answer: string): number => group.filter((outcome) => outcome.answer === answer).length;
  const times = group.map(({ tookMs }) => tookMs);
  const quantiles = [0.5, 0.95, 0.99, 1].map((share) => quantile(times, share));
  return [name, group.length, shareResolved(group), ...["A", "B", "C", "D", "loss"].map(count), ...quantiles];
}

function shareResolved(group: Group): number {
  return (100 * group.filter(({ answer }) => /^[A-D]$/.test(answer)).length) / group.length;
}
