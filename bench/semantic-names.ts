import type { Random } from "./random.ts";

/** Names for one pair, so that no two pairs are about the same. */
export interface Names {
  /** `loadInvoice` */
  readonly verb: string;
  readonly otherVerb: string;
  readonly thirdVerb: string;
  /** `Invoice` */
  readonly noun: string;
  readonly otherNoun: string;
  /** `invoice` */
  readonly file: string;
  readonly otherFile: string;
  /** `amount` */
  readonly field: string;
  readonly otherField: string;
  readonly number: number;
}

const VERBS = ["load", "parse", "render", "send", "store", "merge", "count", "check", "close", "split", "trim", "sort"];
const NOUNS = ["Invoice", "Order", "Ticket", "Person", "Report", "Wallet", "Parcel", "Lesson", "Garden", "Planet"];
const FIELDS = ["amount", "label", "weight", "origin", "status", "owner", "colour", "height", "reason", "target"];

/** Draws names. */
export function drawNames(random: Random): Names {
  const draw = (from: readonly string[]): (() => string) => {
    const left = [...from];
    return () => left.splice(random.below(left.length), 1)[0] ?? "";
  };
  const [verb, noun, field] = [draw(VERBS), draw(NOUNS), draw(FIELDS)];
  const [first, second] = [noun(), noun()];
  return {
    verb: `${verb()}${first}`,
    otherVerb: `${verb()}${first}`,
    thirdVerb: `${verb()}${second}`,
    noun: first,
    otherNoun: second,
    file: first.toLowerCase(),
    otherFile: second.toLowerCase(),
    field: field(),
    otherField: field(),
    number: 10 + random.below(80),
  };
}

/** The same names as Python writes them: `load_invoice`. */
export function snake(name: string): string {
  return name.replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
}
