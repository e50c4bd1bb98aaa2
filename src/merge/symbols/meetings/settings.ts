import { placeOf } from "../breaks/break.ts";
import type { Changes, FileVersions, VersionName } from "../file-versions.ts";
import type { SemanticHit } from "../semantic-hit.ts";
import { findAddedUses } from "./added-reference.ts";

/** Files of settings, by their endings. Manifests and lock files are none. */
const SETTINGS =
  /(^|\/)(?!package(-lock)?\.json$|tsconfig[^/]*\.json$)[^/]*\.(json|ya?ml|toml|ini|env|properties|cfg|conf)$|(^|\/)\.env[^/]*$/;
const ENTRY = /^\s*(?:-\s+|export\s+)?["']?([A-Za-z_][\w.-]*)["']?\s*[:=]\s*(\S.*?),?\s*$/;

/** Whether a path is a file of settings. */
export function isSettings(path: string): boolean {
  return SETTINGS.test(path);
}

/** Finds settings whose value one side changed while the other side began to read them. */
export function findChangedSettings(changes: Changes): SemanticHit[] {
  return [...readAnew(changes, "ours", "theirs"), ...readAnew(changes, "theirs", "ours")];
}

function readAnew(changes: Changes, changer: VersionName, reader: VersionName): SemanticHit[] {
  const changed = new Map(
    changes.files.flatMap((file) =>
      changedKeys(file, changer).map(([key, line]) => [key, placeOf(file.path, line)] as const),
    ),
  );
  if (changed.size === 0) return [];
  return findAddedUses(changes, reader).flatMap(({ path, references }) =>
    references.flatMap(({ name, object, call, line }): SemanticHit[] => {
      const key = [call?.text, object === undefined ? undefined : name].find(
        (one) => one !== undefined && changed.has(one),
      );
      const definedIn = changed.get(key ?? "");
      if (key === undefined || definedIn === undefined) return [];
      const message = `one side changed the setting ${key}, and ${path} reads it anew`;
      return [{ kind: "value", symbol: key, definedIn, usedIn: placeOf(path, line), message, isCertain: false }];
    }),
  );
}

function changedKeys(file: FileVersions, changer: VersionName): [key: string, line: number][] {
  const [before, after] = [file.base?.text, file[changer]?.text];
  if (before === undefined || after === undefined || before === after || !isSettings(file.path)) return [];
  const [old, now] = [entriesOf(before), entriesOf(after)];
  return [...now].flatMap(([key, { value, line }]) => {
    const was = old.get(key)?.value;
    return was === undefined || was === value || key.length < 3 ? [] : [[key, line] satisfies [string, number]];
  });
}

function entriesOf(text: string): Map<string, { readonly value: string; readonly line: number }> {
  const entries = new Map<string, { readonly value: string; readonly line: number }>();
  for (const [index, line] of text.split("\n").entries()) {
    const [, key, value = ""] = ENTRY.exec(line) ?? [];
    if (key === undefined || /^[{[]/.test(value)) continue;
    const known = entries.get(key);
    entries.set(key, { value: known === undefined ? value : `${known.value} ${value}`, line: index + 1 });
  }
  return entries;
}
