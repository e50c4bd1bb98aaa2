import type { Language } from "../../language.ts";
import type { LanguageRules } from "../language-rules.ts";
import { GO } from "./go.ts";
import { JAVA } from "./java.ts";
import { PYTHON } from "./python.ts";
import { RUST } from "./rust.ts";
import { SCRIPT } from "./script.ts";

const RULES: Readonly<Record<Language, LanguageRules>> = {
  typescript: SCRIPT,
  tsx: SCRIPT,
  javascript: SCRIPT,
  python: PYTHON,
  go: GO,
  rust: RUST,
  java: JAVA,
};

/** How entities are seen in a language. */
export function rulesOf(language: Language): LanguageRules {
  return RULES[language];
}
