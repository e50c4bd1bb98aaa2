import { AnabranchError } from "../base/errors.ts";
import type { StartOptions } from "../sdk/start-options.ts";

type Budget = NonNullable<StartOptions["budget"]>;

const PARTS = ["usd", "tokens", "turns", "minutes"] as const;
const FACTORS: Readonly<Record<string, number>> = { "": 1, k: 1000, m: 1_000_000 };

/**
 * What `--budget` was given: `usd=2,tokens=500k,minutes=20,turns=30`.
 * @throws {AnabranchError} `USAGE`
 */
export function parseBudget(text: string): Budget {
  const entries = text.split(",").map((entry) => parsePart(entry.trim(), text));
  const names = entries.map(([name]) => name);
  if (new Set(names).size < names.length) throw notABudget(text, "it says one thing twice");
  return Object.fromEntries(entries);
}

function parsePart(entry: string, text: string): [name: (typeof PARTS)[number], value: number] {
  const [, word = "", number = "", unit = ""] = /^([a-z]+)=\$?(\d+(?:\.\d+)?|\.\d+)([kKmM]?)$/.exec(entry) ?? [];
  const name = PARTS.find((part) => part === word);
  if (name === undefined) throw notABudget(text, `${JSON.stringify(entry)} is not one of its parts`);
  const value = Math.round(Number(number) * (FACTORS[unit.toLowerCase()] ?? 1) * 1e6) / 1e6;
  const isWhole = name === "tokens" || name === "turns";
  if (unit !== "" && name !== "tokens") throw notABudget(text, `${name} takes a plain number`);
  if (value <= 0 || (isWhole && !Number.isInteger(value))) {
    throw notABudget(text, `${name} takes a ${isWhole ? "whole " : ""}number above 0`);
  }
  return [name, value];
}

function notABudget(text: string, why: string): AnabranchError {
  return new AnabranchError("USAGE", {
    message: `--budget does not understand ${JSON.stringify(text)}: ${why}`,
    hint: "--budget usd=2,tokens=500k,minutes=20,turns=30 (any of them)",
  });
}
