import type { Language } from "../../language.ts";
import type { LanguageRules } from "../language-rules.ts";
import { PYTHON } from "./python.ts";
import { SCRIPT } from "./script.ts";

const RULES: Readonly<Record<Language, LanguageRules>> = {
  typescript: SCRIPT,
  tsx: SCRIPT,
  javascript: SCRIPT,
  python: PYTHON,
  go: SCRIPT,
  rust: SCRIPT,
  java: SCRIPT,
};

/** How entities are seen in a language. */
export function rulesOf(language: Language): LanguageRules {
  return RULES[language];
}
