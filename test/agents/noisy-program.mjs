// Runs a program and says, between its lines, what nobody can understand: `node noisy-program.mjs PROGRAM ARGS…`.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

const [program = "", ...args] = process.argv.slice(2);
const isNoisy = !args.includes("--version");
const NOISE = ["{ broken", "null", "[]", '"text"', "{}", '{"type":42}', '{"id":"nobody","result":{}}', "\u001b[31mred"];

const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
const ended = once(child, "exit");
process.stdin.pipe(child.stdin);
child.stdin.on("error", () => undefined);
for (const name of ["SIGTERM", "SIGINT"]) process.on(name, () => child.kill(/** @type {NodeJS.Signals} */ (name)));
let count = 0;
for await (const line of createInterface({ input: child.stdout })) {
  process.stdout.write(`${line}\n`);
  if (isNoisy) process.stdout.write(`${NOISE[count++ % NOISE.length]}\n`);
}
const [status] = await ended;
process.exitCode = status ?? 1;
