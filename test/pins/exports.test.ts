import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";

import * as anabranch from "../../src/index.ts";

const PROJECT = resolve(import.meta.dirname, "../..");

/** What programs import from `anabranch`. A name that was published stays. */
const VALUES = ["Anabranch", "AnabranchError", "connect", "defineWorkflow", "isAnabranchError"];
const TYPES = [
  "AttemptView",
  "ChangesetView",
  "ConnectOptions",
  "ErrorCode",
  "ErrorKind",
  "ErrorShape",
  "EventView",
  "PlanView",
  "RunHandle",
  "RunSummary",
  "RunView",
  "StartOptions",
  "TaskDefinition",
  "TaskView",
  "WorkflowDefinition",
];
const SUBPATHS = [".", "./schema.json", "./package.json"];
const PROGRAMS = ["anabranch"];

/** The types that a barrel exports, by name; it must export by name only. */
function exportedTypes(path: string): string[] {
  const source = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest);
  return source.statements.flatMap((statement) => {
    if (!ts.isExportDeclaration(statement) || statement.exportClause === undefined)
      throw new Error(`${path} exports something other than names: ${statement.getText(source)}`);
    if (!ts.isNamedExports(statement.exportClause)) throw new Error(`${path} exports a namespace`);
    const all = statement.isTypeOnly;
    return statement.exportClause.elements.filter((one) => all || one.isTypeOnly).map((one) => one.name.text);
  });
}

describe("the package is pinned", () => {
  it("by the values it exports", () => {
    expect(Object.keys(anabranch).toSorted()).toEqual(VALUES.toSorted());
  });

  it("by the types it exports", () => {
    expect(exportedTypes(resolve(PROJECT, "src/index.ts")).toSorted()).toEqual(TYPES.toSorted());
  });

  it("by its entry points and programs", () => {
    const manifest = JSON.parse(readFileSync(resolve(PROJECT, "package.json"), "utf8")) as {
      exports: Record<string, unknown>;
      bin: Record<string, string>;
    };
    expect(Object.keys(manifest.exports)).toEqual(SUBPATHS);
    expect(Object.keys(manifest.bin)).toEqual(PROGRAMS);
  });
});
