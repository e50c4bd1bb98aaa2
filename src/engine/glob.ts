/**
 * Globs as in a shell: `*`, `**`, `?`, `[…]`, `{a,b}` and `\`. Where one says more than is understood here (`!(…)` and
 * its like), it matches everything from there on.
 */

type Step =
  | { readonly type: "text"; readonly character: string }
  | { readonly type: "one"; readonly allows: (character: string) => boolean }
  | { readonly type: "many"; readonly slashes: boolean }
  | { readonly type: "fork"; readonly to: readonly number[] }
  | { readonly type: "rest" };

/** A glob that has been read. */
export type GlobProgram = readonly Step[];

/** Reads a glob of paths or names: `*` and `?` stop at a slash, `**` does not. */
export function readGlob(glob: string): GlobProgram {
  return new GlobReader(glob, false).program();
}

/** Whether a glob matches a path, or a folder that it is in. */
export function globNames(program: GlobProgram, path: string): boolean {
  return program.length === 0 || run(program, path, true);
}

/** Whether any of some globs matches all of a name, such as a branch's. */
export function nameMatches(name: string, globs: readonly string[]): boolean {
  return programsOf(globs, names, false).some((program) => run(program, name, false));
}

/** Whether any of some globs matches all of a text; `*` and `?` match any character. */
export function textMatches(text: string, globs: readonly string[]): boolean {
  return programsOf(globs, texts, true).some((program) => run(program, text, false));
}

type Programs = WeakMap<readonly string[], readonly GlobProgram[]>;
const names: Programs = new WeakMap();
const texts: Programs = new WeakMap();

function programsOf(globs: readonly string[], known: Programs, slashes: boolean): readonly GlobProgram[] {
  const programs = known.get(globs) ?? globs.map((glob) => new GlobReader(glob, slashes).program());
  known.set(globs, programs);
  return programs;
}

/** Turns a glob into steps. */
class GlobReader {
  readonly #glob: string;
  readonly #slashes: boolean;
  readonly #steps: Step[] = [];
  #at = 0;

  /** @param slashes whether one `*` or `?` may match a slash */
  constructor(glob: string, slashes: boolean) {
    this.#glob = glob;
    this.#slashes = slashes;
  }

  /** The whole glob. */
  program(): GlobProgram {
    this.#read(this.#glob.length);
    return this.#steps;
  }

  #read(end: number): void {
    while (this.#at < end) this.#readOne();
  }

  #readOne(): void {
    const rest = this.#glob.slice(this.#at);
    if (/^[?*+@!]\(/.test(rest)) this.#add({ type: "rest" }, rest.length);
    else if (rest.startsWith("**/") && (this.#at === 0 || /[/{,]/.test(this.#glob[this.#at - 1] ?? ""))) {
      const { length } = this.#steps;
      this.#add({ type: "fork", to: [length + 1, length + 3] }, 3);
      this.#steps.push({ type: "many", slashes: true }, { type: "text", character: "/" });
    } else if (rest.startsWith("**")) this.#add({ type: "many", slashes: true }, 2);
    else if (rest.startsWith("*")) this.#add({ type: "many", slashes: this.#slashes }, 1);
    else if (rest.startsWith("?"))
      this.#add({ type: "one", allows: (character) => this.#slashes || character !== "/" }, 1);
    else if (rest.startsWith("[")) this.#readSet(rest);
    else if (rest.startsWith("{")) this.#readChoice();
    else if (rest.startsWith("\\") && rest.length > 1) this.#add({ type: "text", character: rest[1] ?? "" }, 2);
    else this.#add({ type: "text", character: rest[0] ?? "" }, 1);
  }

  #add(step: Step, length: number): void {
    this.#steps.push(step);
    this.#at += length;
  }

  #readSet(rest: string): void {
    const [whole, negation, members = ""] = /^\[([!^]?)(\]?[^\]/]*)\]/.exec(rest) ?? [];
    if (whole === undefined || members === "") return this.#add({ type: "text", character: "[" }, 1);
    const isMember = memberTest(members);
    const allows = (character: string): boolean =>
      isMember(character) !== (negation !== "") && (this.#slashes || character !== "/");
    return this.#add({ type: "one", allows }, whole.length);
  }

  #readChoice(): void {
    const ends = choiceEnds(this.#glob, this.#at);
    if (ends === undefined) return this.#add({ type: "text", character: "{" }, 1);
    const fork = this.#steps.length;
    const starts: number[] = [];
    const exits: number[] = [];
    this.#steps.push({ type: "rest" });
    for (const end of ends) {
      this.#at += 1;
      starts.push(this.#steps.length);
      this.#read(end);
      exits.push(this.#steps.length);
      this.#steps.push({ type: "rest" });
    }
    this.#at += 1;
    this.#steps[fork] = { type: "fork", to: starts };
    for (const exit of exits) this.#steps[exit] = { type: "fork", to: [this.#steps.length] };
  }
}

/** Where each alternative of a choice ends, of which the last is its closing brace; `undefined` where it is none. */
function choiceEnds(glob: string, from: number): number[] | undefined {
  const ends: number[] = [];
  let depth = 0;
  for (let at = from; at < glob.length; at += 1) {
    const character = glob[at];
    if (character === "\\") at += 1;
    else if (character === "{") depth += 1;
    else if (character === "," && depth === 1) ends.push(at);
    else if (character === "}" && (depth -= 1) === 0) return ends.length === 0 ? undefined : [...ends, at];
  }
  return undefined;
}

function memberTest(members: string): (character: string) => boolean {
  const ranges = [...members.matchAll(/(.)-(.)/gs)];
  const singles = members.replaceAll(/.-./gs, "");
  return (character) =>
    singles.includes(character) || ranges.some(([, low = "", high = ""]) => low <= character && character <= high);
}

/** Goes through all ways at once, so that no glob takes longer than its length times the text's. */
function run(program: GlobProgram, text: string, folders: boolean): boolean {
  let places = reach(program, [0]);
  // By code units, as globs are read.
  for (const character of text.split("")) {
    if (places.has(REST) || (folders && character === "/" && places.has(program.length))) return true;
    places = reach(
      program,
      [...places].flatMap((place) => after(program[place], place, character)),
    );
    if (places.size === 0) return false;
  }
  return places.has(REST) || places.has(program.length);
}

const REST = -1;

/** The places that are reached without a character. */
function reach(program: GlobProgram, from: readonly number[]): Set<number> {
  const places = new Set<number>();
  const open = [...from];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    if (places.has(place)) continue;
    const step = program[place];
    places.add(step?.type === "rest" ? REST : place);
    if (step?.type === "fork") open.push(...step.to);
    if (step?.type === "many") open.push(place + 1);
  }
  return places;
}

function after(step: Step | undefined, place: number, character: string): number[] {
  switch (step?.type) {
    case "text":
      return step.character === character ? [place + 1] : [];
    case "one":
      return step.allows(character) ? [place + 1] : [];
    case "many":
      return step.slashes || character !== "/" ? [place] : [];
    default:
      return [];
  }
}
