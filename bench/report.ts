import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Machine } from "./machine.ts";

/** One number that was asked for, and the one that was reached. */
export interface Limit {
  readonly name: string;
  readonly reached: number;
  /** What is asked for. */
  readonly asked: string;
  readonly passed: boolean;
}

/** What a limit allows. The short form runs on busy machines, so its bounds are wider where they depend on time. */
export interface Bound {
  readonly atMost?: number;
  readonly atLeast?: number;
  /** Taken instead in the short form. */
  readonly short?: number;
}

type Cell = string | number;

/** What one bench has to say: tables for people, everything as JSON, and the limits it holds. */
export class Report {
  readonly name: string;
  readonly short: boolean;
  readonly #machine: Machine;
  readonly #limits: Limit[] = [];
  readonly #tables: { title: string; columns: readonly string[]; rows: readonly (readonly Cell[])[] }[] = [];
  readonly #values: Record<string, unknown> = {};

  constructor(name: string, short: boolean, machine: Machine) {
    this.name = name;
    this.short = short;
    this.#machine = machine;
  }

  /** Prints a table and keeps it. */
  table(title: string, columns: readonly string[], rows: readonly (readonly Cell[])[]): void {
    this.#tables.push({ title, columns, rows });
    const texts = [columns, ...rows].map((row) => row.map((cell) => (typeof cell === "number" ? format(cell) : cell)));
    const widths = columns.map((_column, index) => Math.max(...texts.map((row) => (row[index] ?? "").length)));
    const lines = texts.map((row) =>
      row
        .map((text, index) => (index === 0 ? text.padEnd(widths[index] ?? 0) : text.padStart(widths[index] ?? 0)))
        .join("  ")
        .trimEnd(),
    );
    console.log(`\n${title}\n${lines.join("\n")}`);
  }

  /** Keeps something for the JSON only. */
  keep(name: string, value: unknown): void {
    this.#values[name] = value;
  }

  /** Says something in one line, and keeps it. */
  note(text: string): void {
    console.log(text);
    this.#values["notes"] = [...((this.#values["notes"] as string[] | undefined) ?? []), text];
  }

  /** Holds a number against its bound. */
  limit(name: string, reached: number, bound: Bound): void {
    const upper = bound.atMost !== undefined;
    const asked = bound.atMost ?? bound.atLeast ?? Number.NaN;
    const held = this.short ? (bound.short ?? asked) : asked;
    const passed = upper ? reached <= held : reached >= held;
    const sign = upper ? "<=" : ">=";
    const text = held === asked ? `${sign} ${format(asked)}` : `${sign} ${format(held)} (full form ${format(asked)})`;
    this.#limits.push({ name, reached, asked: text, passed });
    console.log(`${passed ? "ok  " : "FAIL"} ${name}: ${format(reached)}, asked ${text}`);
  }

  /** How many limits were held and how many were not. */
  get counts(): { readonly passed: number; readonly failed: number } {
    const passed = this.#limits.filter((limit) => limit.passed).length;
    return { passed, failed: this.#limits.length - passed };
  }

  /** Writes everything as JSON; a short run never takes the place of a full one. */
  write(
    folder: string,
    took: { readonly seconds: number; readonly loadAfter: number; readonly pressure: number },
  ): void {
    mkdirSync(folder, { recursive: true });
    const content = {
      bench: this.name,
      form: this.short ? "short" : "full",
      machine: this.#machine,
      ...took,
      limits: this.#limits,
      ...this.#values,
      tables: this.#tables,
    };
    const path = join(folder, `${this.name}${this.short ? ".short" : ""}.json`);
    writeFileSync(path, `${JSON.stringify(content, undefined, 2)}\n`);
  }
}

/** A number with as many digits as tell something. */
export function format(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value)) return value.toLocaleString("en").replaceAll(",", " ");
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}
