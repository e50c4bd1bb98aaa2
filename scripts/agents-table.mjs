// Writes the table of docs/agents.md from what the last `npm run test:agents` found: `npm run agents:table`. With
// `--check` it writes nothing and fails where the table says something else, or a row failed.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "..");
const RESULTS = join(ROOT, ".build/agents-results.json");
const PAGE = join(ROOT, "docs/agents.md");
const [START, END] = ["<!-- table: agents -->", "<!-- end: agents -->"];

/** @type {Record<string, string[]>} */
const programs = JSON.parse(readFileSync(join(ROOT, "test/agents/programs.json"), "utf8"));
const version = (/** @type {string} */ program) => programs[program]?.[0]?.split("@").at(-1);
const COLUMNS = {
  claude: `Claude Code ${version("claude")}`,
  "claude-sdk": `the same through its SDK ${version("claude-sdk")}`,
  codex: `Codex ${version("codex")}`,
  opencode: `opencode ${version("opencode")}`,
  acp: `Gemini ${version("gemini")} through ACP`,
};

if (!existsSync(RESULTS)) console.log("no results to compare with: npm run test:agents makes them");
else process.exitCode = update(process.argv.includes("--check"));

/** @param {boolean} isCheck */
function update(isCheck) {
  /** @type {Record<string, Record<string, "yes" | "no" | "fails">>} */
  const results = JSON.parse(readFileSync(RESULTS, "utf8"));
  const failing = Object.entries(results).flatMap(([row, found]) =>
    Object.entries(found).flatMap(([column, result]) => (result === "fails" ? [`${column} ${row}`] : [])),
  );
  for (const name of failing) console.log(`fails: ${name}`);
  const page = readFileSync(PAGE, "utf8");
  const [before, rest] = [page.slice(0, page.indexOf(START)), page.slice(page.indexOf(END))];
  const wanted = `${before}${START}\n\n${tableOf(inOrderOf(page, results))}\n\n${rest}`;
  if (isCheck && wanted !== page)
    console.log("docs/agents.md says something else than the tests: npm run agents:table");
  if (!isCheck && failing.length === 0) writeFileSync(PAGE, wanted);
  return failing.length > 0 || (isCheck && wanted !== page) ? 1 : 0;
}

/**
 * The rows as the page has them, new ones last: a run of a part of the suite notes its rows anew.
 * @param {string} page
 * @param {Record<string, Record<string, string>>} results
 */
function inOrderOf(page, results) {
  const placeOf = (/** @type {string} */ row) => {
    const at = page.indexOf(`| ${row} |`);
    return at < 0 ? page.length : at;
  };
  return Object.fromEntries(Object.entries(results).sort(([one], [other]) => placeOf(one) - placeOf(other)));
}

/** @param {Record<string, Record<string, string>>} results */
function tableOf(results) {
  const names = Object.keys(COLUMNS);
  const line = (/** @type {string[]} */ cells) => `| ${cells.join(" | ")} |`;
  const rows = Object.entries(results).map(([row, found]) => line([row, ...names.map((name) => found[name] ?? "–")]));
  return [line(["An agent …", ...Object.values(COLUMNS)]), line(["---", ...names.map(() => "---")]), ...rows].join(
    "\n",
  );
}
