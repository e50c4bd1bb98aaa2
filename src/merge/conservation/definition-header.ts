import type { Language } from "../language.ts";

/** The beginning of something with a name and a body, as one line shows it. */
export interface DefinitionHeader {
  /** Kind and name, and in Java the parameters. */
  readonly name: string;
  /** Whether the language means the name to be there once in a scope. Tests and properties are only places. */
  readonly isUnique: boolean;
  /** Whether lines further in stand inside it. */
  readonly hasBody: boolean;
  /** Whether the line ends before the body begins: what follows are still parameters. */
  readonly isUnfinished: boolean;
  /** Whether methods are told from calls in it. */
  readonly isClass: boolean;
}

/** Where a line stands that may be a header. */
export interface HeaderPlace {
  readonly isTop: boolean;
  readonly isInClass: boolean;
  /** The line before it: a decorator or a `#[cfg]` tells apart what bears one name. */
  readonly before: string;
}

interface Pattern {
  readonly match: RegExp;
  /** `top`: only at the left margin. `member`: only right inside a class. */
  readonly where?: "top" | "member";
  readonly isPlace?: true;
  readonly isLeaf?: true;
}

/**
 * Reads a line as the header of a definition.
 *
 * @param line without white space at its ends
 */
export function readHeader(language: Language, line: string, place: HeaderPlace): DefinitionHeader | undefined {
  if (/^([})\]*#]|\/\/|\/\*)/.test(line) && !/^#[\w$]+\(|^\*\s*\[?[\w$]+\]?\(/.test(line)) return undefined;
  for (const pattern of PATTERNS[language]) {
    if (pattern.where === "top" && !place.isTop) continue;
    if (pattern.where === "member" && !place.isInClass) continue;
    const match = pattern.match.exec(line);
    if (match === null) continue;
    const [, kind = "", name = ""] = match;
    if (NO_NAMES.has(name) || NO_NAMES.has(/^\w*/.exec(name)?.[0] ?? "")) continue;
    const apart = place.before.startsWith("@") && language === "python" ? place.before : "";
    const condition = place.before.startsWith("#[cfg") ? place.before : "";
    return {
      name: [kind, name, apart, condition].map(squeeze).filter(Boolean).join(" "),
      isUnique: pattern.isPlace === undefined,
      hasBody: pattern.isLeaf === undefined && !line.endsWith(";"),
      isUnfinished: pattern.isPlace === undefined && !/^(const|let|var|type)$/.test(kind) && !OPENING.test(line),
      isClass: /\b(class|interface|namespace|module)\b/.test(kind),
    };
  }
  return undefined;
}

function squeeze(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

/** The end of a line behind which a body begins. */
export const OPENING = /[{:]$|=>$/;

const NO_NAMES = new Set(
  "if for while switch catch return function else do try with await typeof new super throw case default".split(" "),
);

const SCRIPT: readonly Pattern[] = [
  {
    match:
      /^(?:export\s+)?(?:default\s+)?(?:declare\s+)?(?:abstract\s+)?(?:const\s+(?=enum))?(?:async\s+)?(function\s*\*?|class|interface|enum|type|namespace|module)\s+([\w$.]+)/,
  },
  { match: /^(?:export\s+)?(?:declare\s+)?(const|let|var)\s+([\w$]+)/, where: "top" },
  {
    match:
      /^((?:(?:public|private|protected|static|async|override|readonly|abstract|get|set)\s+)*\*?)([\w$#]+)\s*(?:<[^>]*>)?\((?!.*;$)/,
    where: "member",
  },
  { match: /^()((?:describe|it|test|suite|context|bench)(?:\.\w+)*\(\s*(?:"[^"]*"|'[^']*'|`[^`]*`))/, isPlace: true },
  { match: /^(?:export\s+)?(const|let|var)\s+([\w$]+)(?=.*(?:=>|\bfunction\b|\{|\()[^)}]*$)/, isPlace: true },
  { match: /^(?:(?:async|get|set)\s+)?(\*?)\s*([\w$]+)\s*\([^()]*\)\s*(?::[^=]*)?\{$/, isPlace: true },
  { match: /^()([\w$.]+|"[^"]*"|'[^']*')\s*[:=]\s*(?:async\s*)?(?:function\b|\(.*=>|[\w$]+\s*=>)/, isPlace: true },
];

const PATTERNS: Readonly<Record<Language, readonly Pattern[]>> = {
  typescript: SCRIPT,
  tsx: SCRIPT,
  javascript: SCRIPT,
  python: [{ match: /^(?:async\s+)?(def|class)\s+(\w+)/ }],
  rust: [
    {
      match:
        /^(?:pub(?:\s*\([^)]*\))?\s+)?(?:default\s+)?(?:const\s+(?=fn|unsafe|async|extern|trait))?(?:async\s+)?(?:unsafe\s+)?(?:extern\s+(?:"[^"]*"\s+)?)?(fn|struct|enum|trait|mod|type|union|static|const)\s+(?!_\b)(\w+)/,
    },
    { match: /^(?:unsafe\s+)?(impl)\b([^{]*)/, isPlace: true },
    { match: /^(macro_rules!)\s*(\w+)/ },
  ],
  java: [
    {
      match:
        /^(?:(?:public|private|protected|static|final|abstract|sealed|non-sealed|strictfp)\s+)*(class|interface|enum|@interface|record)\s+(\w+)/,
    },
    {
      match:
        /^(?:(?:public|private|protected|static|final|abstract|synchronized|native|default)\s+|@[\w.]+\s+(?=[\w@<]))+(?:<[^>]*>\s*)?(?:@[\w.]+\s+)?(?:[\w.<>[\],?&@ ]+?\s+)?()(\w+\s*\([^)]*\)?)/,
    },
    {
      match:
        /^(?=(?:final |volatile |transient )*(?:public|private|protected|static)\s)(?:(?:public|private|protected|static|final|volatile|transient)\s+)+[\w.<>[\],?& ]+?\s+()(\w+)\s*(?:=|;)/,
      isLeaf: true,
    },
    {
      match: /^(?:<[^>]*>\s*)?[\w.]+(?:<.*>)?(?:\[\])*\s+()(\w+\s*\([^)]*\)?)(?:\s*throws\s[\w., ]+)?\s*[{,]?$/,
      where: "member",
    },
  ],
  go: [
    { match: /^(func)\s+(init|_)\s*\(/, isPlace: true },
    { match: /^(func)\s+((?:\(\s*\w*\s*\*?\w+(?:\[[^\]]*\])?\s*\)\s*)?\w+)/ },
    { match: /^(type|var|const)\s+(?!_\b)(\w+)/, where: "top" },
  ],
};
