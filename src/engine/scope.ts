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
  return programsOf(scope).some((program) => globNames(program, text));
}

const compiled = new WeakMap<readonly string[], readonly GlobProgram[]>();

function programsOf(scope: readonly string[]): readonly GlobProgram[] {
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

function compileGlob(glob: string): GlobProgram {
  const segments = glob.split("/").filter((segment) => segment !== "" && segment !== ".");
  // All that is in a folder, and the folder, are named by its name.
  while (segments.at(-1) === "**") segments.pop();
  return readGlob(segments.join("/"));
}
