import type { DataFormat } from "./data-format.ts";
import type { Scalars } from "./manifest-rules.ts";

/** How a format writes the texts that rules look at. */
export function scalarsOf(format: DataFormat): Scalars {
  return format === "yaml" ? YAML_SCALARS : JSON_SCALARS;
}

const JSON_SCALARS: Scalars = {
  read: (source) => (source.startsWith('"') ? String(JSON.parse(source)) : undefined),
  write: (text) => JSON.stringify(text),
};

/** What can stand without quotes, or between them as it is. */
const PLAIN = /^[\w^~.+][\w^~.+@:*<>=-]*$/;
const QUOTED = /^(["'])([\w^~.+@:*<>=| -]+)\1$/;

const YAML_SCALARS: Scalars = {
  read: (source) => (PLAIN.test(source) ? source : QUOTED.exec(source)?.[2]),
  write: (text, like) => {
    const [, quote] = QUOTED.exec(like) ?? [];
    if (quote !== undefined) return quote + text + quote;
    return PLAIN.test(text) ? text : JSON.stringify(text);
  },
};
