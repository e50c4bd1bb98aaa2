import { describe, expect, it } from "vitest";

import { mergeData } from "../../../../src/merge/data/merge-data.ts";
import { isNewer, mergeRanges } from "../../../../src/merge/data/version-range.ts";
import type { PolicyDrop } from "../../../../src/merge/resolution.ts";

function merge(base: object, ours: object, theirs: object, path = "package.json"): object | undefined {
  const write = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;
  const merged = mergeData(path, { base: write(base), ours: write(ours), theirs: write(theirs) });
  return merged?.status === "merged" ? { ...merged, text: JSON.parse(merged.text) as object } : undefined;
}

describe("a version that both sides changed", () => {
  it.each<[base: string | undefined, ours: string, theirs: string, merged: string | undefined]>([
    ["^1.0.0", "^1.1.0", "^1.2.0", "^1.2.0"],
    ["1.0.0", "1.1.0-beta.2", "1.1.0-beta.10", "1.1.0-beta.10"],
    ["1.0.0", "1.10.0", "1.9.0", "1.10.0"],
    [undefined, "^2.0.0", "^1.5.0", "^2.0.0"],
    ["~1.2", "~1.3", "~1.10", "~1.10"],
    ["^1.0.0", "~1.0.0", "^1.2.0", "~1.2.0"],
    ["^1.0.0", "workspace:^1.0.0", "^1.2.0", "workspace:^1.2.0"],
    ["^1.0.0", "workspace:*", "workspace:^1.0.0", "workspace:*"],
    ["npm:a@^1.0.0", "npm:a@^1.1.0", "npm:a@^2.0.0", "npm:a@^2.0.0"],
    ["yarn@3.0.0", "yarn@4.0.0", "yarn@3.1.0", "yarn@4.0.0"],
    [">=10", ">=12", ">=12 <20", ">=12 <20"],
    // One side went up and the other down, or elsewhere.
    ["1.1.0", "1.0.0", "1.2.0", undefined],
    ["^1.1.0", "workspace:^1.0.0", "workspace:^1.1.0", undefined],
    ["^1.0.0", "npm:b@^1.0.0", "npm:c@^1.0.0", undefined],
    ["yarn@3.0.0", "yarn@4.0.0", "pnpm@9.0.0", undefined],
    ["^1.0.0", "git+ssh://host/a.git", "^1.2.0", undefined],
    ["^1.0.0", "latest", "next", undefined],
    [">=10 <14", ">=10.13 <14", ">=10", undefined],
    ["~1.2", "1.2", "~1.4", undefined],
    ["1.0.0+a", "1.0.0+b", "1.0.0+c", undefined],
  ])("from %s to %s and %s is %s, whoever did which", (base, ours, theirs, merged) => {
    expect(mergeRanges(base, ours, theirs)).toBe(merged);
    expect(mergeRanges(base, theirs, ours)).toBe(merged);
  });

  it("is the higher one in a manifest, and what was dropped is named", () => {
    const drops: PolicyDrop[] = [
      { policy: "policy:semver-max", side: "ours", dropped: '"a": "^1.1.0"', kept: '"a": "^1.2.0"' },
    ];
    expect(
      merge(
        { version: "1.0.0", dependencies: { a: "^1.0.0" } },
        { version: "1.0.0", dependencies: { a: "^1.1.0" } },
        { version: "1.0.0", dependencies: { a: "^1.2.0" } },
      ),
    ).toMatchObject({
      text: { version: "1.0.0", dependencies: { a: "^1.2.0" } },
      steps: [
        { resolver: "data", class: "A" },
        { resolver: "policy:semver-max", class: "D" },
      ],
      drops,
    });
    expect(merge({ version: "1.0.0" }, { version: "1.1.0" }, { version: "2.0.0" }, "lerna.json")).toMatchObject({
      text: { version: "2.0.0" },
    });
  });

  it("names both edits where it is made of both", () => {
    const merged = merge(
      { dependencies: { a: "^1.0.0" } },
      { dependencies: { a: "workspace:^1.0.0" } },
      { dependencies: { a: "^1.1.0" } },
    );
    expect(merged).toMatchObject({
      text: { dependencies: { a: "workspace:^1.1.0" } },
      drops: [{ side: "ours" }, { side: "theirs" }],
    });
  });

  it("is nothing that a policy decides elsewhere than in a manifest's tables", () => {
    expect(merge({ version: "1.0.0" }, { version: "1.1.0" }, { version: "1.2.0" }, "a.json")).toBeUndefined();
    expect(
      merge({ scripts: { a: "1.0.0" } }, { scripts: { a: "1.1.0" } }, { scripts: { a: "1.2.0" } }),
    ).toBeUndefined();
    expect(merge({ name: "1.0.0" }, { name: "1.1.0" }, { name: "1.2.0" })).toBeUndefined();
  });

  it("goes without a policy where one side changed nothing, also down", () => {
    const [high, low] = [{ dependencies: { a: "^2.0.0" } }, { dependencies: { a: "^1.0.0" } }];
    expect(merge(high, { ...low, x: 1 }, { ...high, y: 1 })).toMatchObject({ text: low, drops: [] });
  });
});

describe("a dependency that one side removed", () => {
  const [base, none] = [{ dependencies: { a: "^1.0.0", b: "^1.0.0" } }, { dependencies: { b: "^1.0.0" } }];

  it("needs no newer version, and that is named", () => {
    const newer = { dependencies: { a: "^1.1.0", b: "^1.0.0" } };
    const drop = { policy: "policy:removed-dependency", dropped: '"a": "^1.1.0"', kept: "" };
    expect(merge(base, none, newer)).toMatchObject({ text: none, drops: [{ ...drop, side: "theirs" }] });
    expect(merge(base, newer, none)).toMatchObject({ text: none, drops: [{ ...drop, side: "ours" }] });
  });

  it("is a question where the other side did anything else to it, or where it was moved to another table", () => {
    for (const to of ["^0.9.0", "1.0.0", "latest", "git+ssh://host/a.git"]) {
      expect(merge(base, none, { dependencies: { a: to, b: "^1.0.0" } })).toBeUndefined();
    }
    const moved = { ...none, devDependencies: { a: "^1.0.0" } };
    expect(merge(base, moved, { dependencies: { a: "^1.1.0", b: "^1.0.0" } })).toBeUndefined();
    expect(merge({ x: { a: "^1.0.0" } }, { x: {} }, { x: { a: "^1.1.0" } })).toBeUndefined();
  });

  it("may be one of a whole table that is gone", () => {
    const newer = { dependencies: { a: "^1.1.0", b: "^1.0.0" } };
    expect(merge({ ...base, x: 1 }, { x: 1 }, { ...newer, x: 1 })).toMatchObject({ text: { x: 1 } });
    expect(
      merge({ ...base, x: 1 }, { x: 1 }, { dependencies: { ...base.dependencies, c: "^1.0.0" }, x: 1 }),
    ).toMatchObject({
      text: { x: 1, dependencies: { c: "^1.0.0" } },
    });
  });

  it("is newer by its version, or by where it comes from", () => {
    expect(isNewer("^1.0.0", "^1.0.1")).toBe(true);
    expect(isNewer("^1.0.0", "workspace:^1.0.0")).toBe(true);
    expect(isNewer("^1.0.0", "~1.0.0")).toBe(false);
    expect(isNewer("^1.0.0", "^1.0.0")).toBe(false);
  });
});
