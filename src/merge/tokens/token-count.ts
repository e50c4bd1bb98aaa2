import { countLines, findCountLosses, type CountedLines } from "../line-count.ts";

/** Whether a result has each token that a side added, and none that a side took away, counted. */
export function keepsEveryToken(tokens: CountedLines): boolean {
  return findCountLosses(countLines(tokens)).length === 0;
}
