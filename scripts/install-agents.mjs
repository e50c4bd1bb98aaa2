// Installs the programs that the agents' tests drive, each in a folder of its own: `npm run agents:install`. What is
// there already is left alone. Nothing of them is a dependency of the package.
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { promisify } from "node:util";

const ROOT = resolve(import.meta.dirname, "..");
const CACHE = resolve(process.env["ANABRANCH_TEST_AGENTS"] ?? join(ROOT, ".build/agents"));

/** @type {Record<string, string[]>} */
const programs = JSON.parse(readFileSync(join(ROOT, "test/agents/programs.json"), "utf8"));

mkdirSync(CACHE, { recursive: true });
for (const [name, packages] of Object.entries(programs)) {
  // The name that test/agents/places.ts looks for.
  const folder = join(CACHE, (packages[0] ?? "").replaceAll(/[@/]/g, "_"));
  if (existsSync(folder)) continue;
  const startedMs = Date.now();
  await install(packages, folder, name === "claude-sdk");
  console.log(`${name}: ${packages[0]} in ${((Date.now() - startedMs) / 1000).toFixed(0)} s`);
}
console.log(`the agents' programs are in ${CACHE}`);

/**
 * Installs elsewhere first, so that a folder that exists is whole.
 * @param {string[]} packages
 * @param {string} folder
 * @param {boolean} isLibrary whether the programs for each platform are left out
 */
async function install(packages, folder, isLibrary) {
  const scratch = mkdtempSync(join(CACHE, ".new-"));
  try {
    writeFileSync(join(scratch, "package.json"), JSON.stringify({ private: true, name: basename(folder) }));
    const options = ["--ignore-scripts", "--save-exact", "--no-audit", "--no-fund", "--engine-strict=false"];
    const call = ["install", "--prefix", scratch, ...options, ...(isLibrary ? ["--omit=optional"] : []), ...packages];
    await promisify(execFile)("npm", call, { cwd: scratch, maxBuffer: 64 * 1024 * 1024 });
    renameSync(scratch, folder);
  } catch (cause) {
    // Another install may have been quicker.
    if (!existsSync(folder)) throw cause;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
