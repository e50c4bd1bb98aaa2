import type { z } from "zod";

import { closest } from "../base/closest.ts";

/** What is wrong with a written definition, for a person. */
export interface Explanation {
  readonly at: readonly PropertyKey[];
  readonly why: string;
  readonly mend: string | undefined;
}

interface Shape {
  readonly type?: string;
  readonly shape?: Readonly<Record<string, Schema>>;
  readonly innerType?: Schema;
  readonly options?: readonly Schema[];
  readonly valueType?: Schema;
  readonly element?: Schema;
}
interface Schema {
  readonly def?: Shape;
}

/** Explains the first thing that is wrong, naming the key that was probably meant. */
export function explainIssues(schema: z.ZodType, issues: readonly z.core.$ZodIssue[]): Explanation {
  const [first] = issues;
  const mistyped = issues.find((issue) => first !== undefined && isMistyped(issue, first));
  return explainIssue(schema, mistyped ?? first);
}

// Where a key is missing and another one is not known, that one was meant to be it.
function isMistyped(unknown: z.core.$ZodIssue, missing: z.core.$ZodIssue): boolean {
  return (
    unknown.code === "unrecognized_keys" &&
    isMissing(missing) &&
    unknown.path.length === missing.path.length - 1 &&
    unknown.path.every((step, index) => step === missing.path[index])
  );
}

function isMissing(issue: z.core.$ZodIssue): boolean {
  return issue.code === "invalid_type" && issue.message.endsWith("received undefined");
}

function explainIssue(schema: z.ZodType, issue: z.core.$ZodIssue | undefined): Explanation {
  if (issue === undefined) return { at: [], why: "it is not valid", mend: undefined };
  if (issue.code === "invalid_union") {
    const inner = deepestIssue(issue.errors);
    if (inner !== undefined) return explainIssue(schema, { ...inner, path: [...issue.path, ...inner.path] });
  }
  if (issue.code === "unrecognized_keys") return explainKey(schema, issue.path, issue.keys[0] ?? "");
  const place = issue.path.length === 0 ? "the file" : issue.path.map(String).join(".");
  if (issue.code === "invalid_key") {
    return {
      at: issue.path,
      why: `${place}: ${issue.issues[0]?.message ?? "this name is not allowed"}`,
      mend: undefined,
    };
  }
  if (isMissing(issue)) return { at: issue.path, why: `${place} is missing`, mend: undefined };
  return { at: issue.path, why: `${place}: ${lowerFirst(issue.message)}`, mend: undefined };
}

// Of a union's failures, the one that got furthest into the value is the one that was meant.
function deepestIssue(errors: readonly (readonly z.core.$ZodIssue[])[]): z.core.$ZodIssue | undefined {
  const depth = (issue: z.core.$ZodIssue): number =>
    issue.path.length * 2 + (issue.code === "unrecognized_keys" ? 1.5 : issue.code === "invalid_type" ? -1 : 0);
  return errors
    .flat()
    .reduce<z.core.$ZodIssue | undefined>(
      (best, issue) => (best === undefined || depth(issue) > depth(best) ? issue : best),
      undefined,
    );
}

function explainKey(schema: z.ZodType, path: readonly PropertyKey[], key: string): Explanation {
  const known = knownKeys(schema, path);
  const meant = closest(key, known);
  const inside = path.length === 0 ? "" : ` in ${path.map(String).join(".")}`;
  return {
    at: [...path, key],
    why: `there is no key "${key}"${inside}${meant === undefined ? "" : `; did you mean "${meant}"?`}`,
    mend: meant === undefined ? `the keys here are: ${known.join(", ")}` : `write "${meant}" instead of "${key}"`,
  };
}

function knownKeys(schema: Schema | undefined, path: readonly PropertyKey[]): string[] {
  const at = path.reduce<Schema[]>((schemas, step) => schemas.flatMap((one) => stepInto(one, step)), expand(schema));
  return [...new Set(at.flatMap((one) => Object.keys(one.def?.shape ?? {})))];
}

function stepInto(schema: Schema, step: PropertyKey): Schema[] {
  const def = schema.def ?? {};
  return expand(def.shape?.[String(step)] ?? def.valueType ?? def.element);
}

function expand(schema: Schema | undefined): Schema[] {
  if (schema === undefined) return [];
  const def = schema.def ?? {};
  if (def.options !== undefined) return def.options.flatMap(expand);
  if (def.innerType !== undefined) return expand(def.innerType);
  return [schema];
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}
