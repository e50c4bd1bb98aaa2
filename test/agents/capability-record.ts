import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";

/** What the suite found out of each kind: by the row of the table, by its column. */
type CapabilityResults = Record<string, Record<string, CapabilityResult>>;

/** `no`: it cannot, and Anabranch says so. */
export type CapabilityResult = "yes" | "no" | "fails";

const PATH = resolve(import.meta.dirname, "../../.build/agents-results.json");

/** Notes what a test found, for `scripts/agents-table.mjs`. What other runs found of other kinds stays. */
export function noteCapability(row: string, column: string, result: CapabilityResult): void {
  const results = read();
  results[row] = { ...results[row], [column]: result };
  mkdirSync(dirname(PATH), { recursive: true });
  writeFileSync(PATH, `${JSON.stringify(results, undefined, 2)}\n`);
}

function read(): CapabilityResults {
  try {
    return JSON.parse(readFileSync(PATH, "utf8")) as CapabilityResults;
  } catch {
    return {};
  }
}
