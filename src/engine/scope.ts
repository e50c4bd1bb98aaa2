/**
 * Scopes: lists of globs that name paths from the repository's root. A glob that names a folder names everything in it.
 */
import { globNames, readGlob, type GlobProgram } from "./glob.ts";
import { literalStart } from "./overlap.ts";

/** Whether two scopes could name one path. It errs towards "they do": `src/*.ts` and `src/*.css` meet. */
export function scopesMeet(one: readonly string[], other: readonly string[]): boolean {
  const starts = other.map(literalStart);
  return one.map(literalStart).some((a) => starts.some((b) => a.startsWith(b) || b.startsWith(a)));
}

/** Whether a scope names a path, which is given from the repository's root. */
export function pathInScope(path: string, scope: readonly string[]): boolean {
  const text = normalPath(path);
  const folder = `${text}/`;
  return programsOf(scope).some(({ start, program }) => folder.startsWith(start) && globNames(program, text));
}

interface ReadGlob {
  /** What every path that it names begins with: most paths need no closer look. */
  readonly start: string;
  readonly program: GlobProgram;
}

const compiled = new WeakMap<readonly string[], readonly ReadGlob[]>();

function programsOf(scope: readonly string[]): readonly ReadGlob[] {
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

function compileGlob(glob: string): ReadGlob {
  const segments = glob.split("/").filter((segment) => segment !== "" && segment !== ".");
  // All that is in a folder, and the folder, are named by its name.
  while (segments.at(-1) === "**") segments.pop();
  return { start: literalStart(glob), program: readGlob(segments.join("/")) };
}
