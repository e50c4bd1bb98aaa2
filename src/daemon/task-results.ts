import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { outputPath, outputSize } from "../process/output.ts";
import type { Reason } from "../store/runs.ts";
import type { Layout } from "../workspaces/layout.ts";
import type { TaskSpec } from "../workflows/spec.ts";
import type { LiveRun, LiveTask } from "./live-run.ts";
import { variablePrefix } from "./task-environment.ts";

/** The largest JSON output that is parsed. */
const LARGEST_OUTPUT_BYTES = 16 * 1024 * 1024;
/** The largest parsed output that is kept with the task and passed on inside the input file. */
const LARGEST_KEPT_BYTES = 64 * 1024;

/**
 * Writes the results of what a task needs into its input file, and returns those that are passed on as variables:
 * `ANABRANCH_<NEED>_OUTCOME`, `_LOG` and, where it has one, `_OUTPUT` (a path).
 */
export async function passOnResults(
  layout: Layout,
  run: LiveRun,
  task: LiveTask,
): Promise<{ readonly input: string; readonly variables: Readonly<Record<string, string>> }> {
  const variables: Record<string, string> = {};
  const needs: Record<string, unknown> = {};
  for (const name of task.spec.needs) {
    const need = run.tasks.get(name);
    if (need === undefined) continue;
    const folder = need.attempt === undefined ? undefined : layout.attempt(need.attempt);
    const log = folder === undefined ? undefined : outputPath(folder, "log");
    const outputFile =
      folder === undefined || need.spec.output === undefined ? undefined : outputPath(folder, "output");
    needs[name] = {
      outcome: need.row.outcome ?? null,
      exitStatus: need.row.result?.exitStatus ?? null,
      log: log ?? null,
      outputFile: outputFile ?? null,
      output: need.row.result?.output ?? null,
      snapshot: need.attempt?.changeset?.snapshot ?? null,
    };
    const prefix = variablePrefix(name);
    variables[`${prefix}_OUTCOME`] = need.row.outcome ?? "";
    if (log !== undefined) variables[`${prefix}_LOG`] = log;
    if (outputFile !== undefined) variables[`${prefix}_OUTPUT`] = outputFile;
  }
  const input = join(layout.attempt({ run: run.row.id, task: task.row.name, number: task.row.attempt }), "input.json");
  await writeFile(input, `${JSON.stringify({ run: run.row.id, task: task.row.name, needs }, undefined, 2)}\n`, {
    mode: 0o600,
  });
  return { input, variables };
}

/** What a finished command's output amounts to. */
export interface OutputVerdict {
  /** The parsed JSON, where it is small enough to be kept. */
  readonly output?: unknown;
  /** Why it is not what was promised. */
  readonly problem?: Reason;
}

/** Reads and checks the output of a task that promised JSON. */
export async function checkOutput(spec: TaskSpec, folder: string): Promise<OutputVerdict> {
  if (spec.output !== "json") return {};
  const path = outputPath(folder, "output");
  const size = outputSize(folder, "output");
  const sizeBytes = size.keptBytes + size.tailBytes;
  if (size.cut) return problem(spec, path, `it was cut after its first ${size.keptBytes} bytes`);
  if (sizeBytes > LARGEST_OUTPUT_BYTES) {
    return problem(spec, path, `it printed ${sizeBytes} bytes, and at most ${LARGEST_OUTPUT_BYTES} are parsed`);
  }
  const text = existsSync(path) ? await readFile(path, "utf8") : "";
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    return problem(spec, path, text.trim() === "" ? "it printed nothing" : (cause as Error).message);
  }
  const mismatch = spec.schema === undefined ? undefined : await findMismatch(spec.schema, value);
  if (mismatch !== undefined) return problem(spec, path, mismatch);
  return sizeBytes <= LARGEST_KEPT_BYTES ? { output: value } : {};
}

/** What is wrong with a value by a JSON Schema, or with the schema itself. */
export async function findMismatch(
  schema: Readonly<Record<string, unknown>>,
  value: unknown,
): Promise<string | undefined> {
  const { Ajv2020 } = await import("ajv/dist/2020.js");
  const checker = new Ajv2020({ strict: false, allErrors: false });
  try {
    const check = checker.compile(schema);
    return check(value) ? undefined : checker.errorsText(check.errors, { dataVar: "output" });
  } catch (cause) {
    return `its schema is not a JSON Schema: ${(cause as Error).message}`;
  }
}

function problem(spec: TaskSpec, path: string, why: string): OutputVerdict {
  return {
    problem: {
      code: "OUTPUT_INVALID",
      message: `the output of ${spec.name} is not the JSON it should be: ${why}`,
      hint: `look at ${path}`,
    },
  };
}
