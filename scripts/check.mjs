// Everything that must hold before a change lands, apart from the tests. `npm run check`
import { spawnSync } from "node:child_process";

/** @type {[name: string, program: string, args: string[]][]} */
const CHECKS = [
  ["types", "tsc", ["--project", "."]],
  ["lint", "oxlint", ["--type-aware", "--max-warnings", "0"]],
  ["format", "oxfmt", ["--check", "."]],
  ["architecture", "vitest", ["run", "test/architecture.test.ts"]],
  ["dead exports", "knip", []],
  ["package", "publint", ["--strict"]],
  ["package types", "attw", ["--pack", ".", "--profile", "esm-only", "--exclude-entrypoints", "./schema.json"]],
];

let passed = 0;
for (const [name, program, args] of CHECKS) {
  const { status, stdout, stderr } = spawnSync("npx", ["--no-install", program, ...args], { encoding: "utf8" });
  if (status === 0) passed += 1;
  console.log(`${status === 0 ? "ok  " : "FAIL"} ${name}`);
  if (status !== 0) console.log(`${stdout}${stderr}`);
}
console.log(`${passed} passed, ${CHECKS.length - passed} failed`);
process.exitCode = passed === CHECKS.length ? 0 : 1;
