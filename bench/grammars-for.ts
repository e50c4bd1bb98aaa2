import { Grammars } from "../src/grammars/grammars.ts";
import { languageOf } from "../src/merge/language.ts";

/** The grammars of all the languages that some paths are written in, loaded. */
export async function grammarsFor(paths: readonly string[]): Promise<Grammars> {
  const grammars = new Grammars();
  for (const language of new Set(paths.map(languageOf))) if (language !== undefined) await grammars.load(language);
  return grammars;
}
