import { AnabranchError } from "../base/errors.ts";
import type { ResolutionClass } from "../merge/resolution.ts";

/**
 * The classes of resolutions that an option names.
 *
 * @throws {AnabranchError} `USAGE`
 *
 * @example
 * parseClasses("ABC") // Set { "A", "B", "C" }
 */
export function parseClasses(text: string): ReadonlySet<ResolutionClass> {
  if (/^[ABCD]+$/.test(text)) return new Set(text.split("") as ResolutionClass[]);
  throw new AnabranchError("USAGE", {
    message: `--classes takes letters from A to D, not ${JSON.stringify(text)}`,
    hint: "--classes ABC",
  });
}
