/** How a program makes its lock file anew from manifests. */
export interface LockProgram {
  readonly program: string;
  /** The command for people, in the folder of the lock file. */
  readonly command: string;
  /** Its arguments, given the lock file it starts from; where there are several, the first that succeeds counts. */
  readonly attempts: (start: string) => readonly (readonly string[])[];
  /** Variables besides those that every program gets. */
  readonly environment: Readonly<Record<string, string>>;
  /**
   * What it needs of a file below the lock file's folder: all of it, only that there is a file of this name, or nothing.
   */
  readonly needOf: (path: string) => "content" | "name" | undefined;
  /** What is wrong with the lock file, in words; it is asked with all files as they are after the run. */
  readonly check: (lockFile: string, files: ReadonlyMap<string, string>) => string | undefined;
}

/** The last part of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
