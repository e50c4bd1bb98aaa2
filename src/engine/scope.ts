/**
 * Scopes: lists of globs that name paths from the repository's root.
 *
 * A glob that names a folder names everything in it. `*` and `?` stop at a slash, `**` does not; `[…]`, `{a,b}` and `\`
 * are as in a shell. Where a glob says more than is understood here, it names everything from there on.
 */
import { literalStart } from "./overlap.ts";

/** Whether two scopes could name one path. It errs towards "they do": `src/*.ts` and `src/*.css` meet. */
export function scopesMeet(one: readonly string[], other: readonly string[]): boolean {
  const starts = other.map(literalStart);
  return one.map(literalStart).some((a) => starts.some((b) => a.startsWith(b) || b.startsWith(a)));
}

/** Whether a scope names a path, which is given from the repository's root. */
export function pathInScope(path: string, scope: readonly string[]): boolean {
  const text = normalPath(path);
  return programsOf(scope).some((program) => matches(program, text));
}

type Step =
  | { readonly type: "text"; readonly character: string }
  | { readonly type: "one"; readonly allows: (character: string) => boolean }
  | { readonly type: "many"; readonly slashes: boolean }
  | { readonly type: "fork"; readonly to: readonly number[] }
  | { readonly type: "rest" };

type Program = readonly Step[];

const compiled = new WeakMap<readonly string[], readonly Program[]>();

function programsOf(scope: readonly string[]): readonly Program[] {
  const known = compiled.get(scope) ?? scope.map(compileGlob);
  compiled.set(scope, known);
  return known;
}

function normalPath(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(segment);
  }
  return segments.join("/");
}

function compileGlob(glob: string): Program {
  const segments = glob.split("/").filter((segment) => segment !== "" && segment !== ".");
  // All that is in a folder, and the folder, are named by its name.
  while (segments.at(-1) === "**") segments.pop();
  const steps: Step[] = [];
  new GlobReader(segments.join("/"), steps).read();
  return steps;
}

/** Turns a glob into steps. */
class GlobReader {
  readonly #glob: string;
  readonly #steps: Step[];
  #at = 0;

  constructor(glob: string, steps: Step[]) {
    this.#glob = glob;
    this.#steps = steps;
  }

  read(end = this.#glob.length): void {
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
    else if (rest.startsWith("*")) this.#add({ type: "many", slashes: false }, 1);
    else if (rest.startsWith("?")) this.#add({ type: "one", allows: () => true }, 1);
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
    const allows = (character: string): boolean => isMember(character) !== (negation !== "");
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
      this.read(end);
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

/** Goes through all ways at once, so that no glob takes longer than its length times the path's. */
function matches(program: Program, path: string): boolean {
  if (program.length === 0) return true;
  let places = reach(program, [0]);
  // By code units, as globs are read.
  for (const character of path.split("")) {
    if (places.has(REST) || (character === "/" && places.has(program.length))) return true;
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
function reach(program: Program, from: readonly number[]): Set<number> {
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
      return character !== "/" && step.allows(character) ? [place + 1] : [];
    case "many":
      return step.slashes || character !== "/" ? [place] : [];
    default:
      return [];
  }
}
