import type { Report } from "./report.ts";

/** How a bench is to be run. */
export interface BenchOptions {
  /** The form that machines run on every change: fewer samples, wider bounds. */
  readonly short: boolean;
  /** One seed to replay instead of all. */
  readonly seed: number | undefined;
  /** An empty folder of the bench's own; removed afterwards. */
  readonly folder: string;
  /** A folder of merges that people made. */
  readonly cases: string | undefined;
  /** Two folders, an older and a newer release of one thing, and one in which to keep the merges as cases. */
  readonly releases: { readonly old: string; readonly new: string; readonly write?: string | undefined } | undefined;
}

/** One bench. */
export interface Bench {
  readonly name: string;
  readonly about: string;
  run(report: Report, options: BenchOptions): Promise<void>;
}
