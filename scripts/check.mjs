// Everything that must hold before a change lands, apart from the tests: every script named `check:…`. `npm run check`
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** @type {{ scripts: Record<string, string> }} */
const { scripts } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const checks = Object.keys(scripts).filter((name) => name.startsWith("check:"));

let passed = 0;
for (const name of checks) {
  const { status, stdout, stderr } = spawnSync("npm", ["run", "--silent", name], { encoding: "utf8" });
  if (status === 0) passed += 1;
  console.log(`${status === 0 ? "ok  " : "FAIL"} ${name.slice("check:".length)}`);
  if (status !== 0) console.log(`${stdout}${stderr}`);
}
console.log(`${passed} passed, ${checks.length - passed} failed`);
process.exitCode = passed === checks.length && passed > 0 ? 0 : 1;
