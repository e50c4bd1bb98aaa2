import type { Language } from "../language.ts";
import type { ImportedName } from "./statement.ts";
import type { LeftOut } from "./wanted-names.ts";

/** Where an import may do its work without its name being written anywhere: traits of Rust, React for JSX. */
const HIDDEN_USES: ReadonlySet<Language> = new Set(["rust"]);
const HIDDEN_NAMES: ReadonlySet<string> = new Set(["React"]);

/** Names whose imports a merge has left out, as one side removed them. That is right only where nothing uses them. */
export class UnusedNames {
  readonly #names = new Set<string>();

  /** Whether a look at the text tells if the name is used. */
  canHold(language: Language, { local }: ImportedName): boolean {
    if (HIDDEN_USES.has(language) || local === undefined) return false;
    return plainName(local) !== undefined && !HIDDEN_NAMES.has(local);
  }

  add(leftOut: readonly LeftOut[]): void {
    for (const { name } of leftOut) {
      const plain = plainName(name.local ?? "");
      if (plain !== undefined) this.#names.add(plain);
    }
  }

  /** Whether one of them stands in a merged source: as a name, not as a member of something. Comments count too. */
  areUsedIn(text: string): boolean {
    if (this.#names.size === 0) return false;
    for (const [, before, name = ""] of text.matchAll(/(\.\.\.|\.)?([\p{L}\p{N}_$]+)/gu)) {
      if (before !== "." && this.#names.has(name)) return true;
    }
    return false;
  }
}

// What is exported is used elsewhere; a static import of Java has its kind before its name.
function plainName(local: string): string | undefined {
  const name = local.replace(/^static /, "");
  return /^[\p{L}\p{N}_$]+$/u.test(name) ? name : undefined;
}
