import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { completePolicy } from "../../../src/landing/class-policy.ts";
import { mergeTrees } from "../../../src/landing/merge-trees.ts";
import type { RulesSource, TreeMerge } from "../../../src/landing/tree-merge.ts";
import { makeFolder, removeFolder } from "../../fixtures/repository.ts";
import { openTestVault, type TestVault, type TreeSpec } from "../../fixtures/vault.ts";

let folder = "";
let test: TestVault;

beforeAll(() => {
  folder = makeFolder("anabranch-engine-");
  test = openTestVault(folder);
});

afterAll(async () => {
  await test.vault.close();
  removeFolder(folder);
});

/** Merges three versions of one file. Texts are given as characters and stand as UTF-8. */
async function merge(
  path: string,
  texts: readonly [base: string, ours: string, theirs: string],
  { rules, more = {}, encoding = "utf8" }: { rules?: RulesSource; more?: TreeSpec; encoding?: "utf8" | "latin1" } = {},
): Promise<TreeMerge & { text: string | undefined }> {
  const trees = texts.map((text) => ({ ...more, [path]: Buffer.from(text, encoding).toString("latin1") }));
  const [base = "", ours = "", theirs = ""] = test.commit(...trees);
  const merged = await mergeTrees(test.git, test.vault, { base, ours, theirs, rules });
  const file = merged.status === "merged" ? test.files(merged.tree)[path] : undefined;
  const text = typeof file === "string" ? Buffer.from(file, "latin1").toString(encoding) : undefined;
  return { ...merged, text };
}

const BASE = 'export function one() {\n  return "é";\n}\n';
const added = (name: string) => `${BASE}\nexport function ${name}() {\n  return "ü";\n}\n`;
const STATEMENT = "export const limits = { small: 1, middle: 10, large: 100 };\n";

const rulesOf =
  (given: Parameters<typeof completePolicy>[0], isVerified: boolean): RulesSource =>
  async () => ({ classes: completePolicy(given), isVerified });

describe("files that both sides changed", () => {
  it("are merged by what is defined in them, and the receipt's line names resolver and class", async () => {
    const result = await merge("a.ts", [BASE, added("two"), added("three")]);
    expect(result).toMatchObject({ status: "merged", resolved: [{ path: "a.ts", class: "B" }] });
    for (const name of ["one", "two", "three"]) expect(result.text).toContain(`function ${name}()`);
    expect(result.text).toContain('return "é"');
  });

  it("keep byte order mark and line ends", async () => {
    const form = (text: string) => `\ufeff${text.replaceAll("\n", "\r\n")}`;
    const result = await merge("a.ts", [form(BASE), form(added("two")), form(added("three"))]);
    expect(result.status).toBe("merged");
    expect(result.text).toMatch(/^\ufeffexport function one/);
    expect(result.text?.replaceAll("\r\n", "")).not.toMatch(/[\r\n]/);
  });

  it("are bytes where they are no UTF-8, and merge all the same", async () => {
    const lines = ["// caf\u00e9", "let a = 1;", "let b = 2;", "let c = 3;", "let d = 4;", ""];
    const edit = (index: number, to: string) => lines.with(index, to).join("\n");
    const texts = [lines.join("\n"), edit(1, "let a = 10;"), edit(4, 'let d = "\u00fc";')] as const;
    const result = await merge("a.js", texts, { encoding: "latin1" });
    expect(result.text).toBe(lines.with(1, "let a = 10;").with(4, 'let d = "\u00fc";').join("\n"));
  });

  it("are merged by lines alone where the attributes say that a program makes them", async () => {
    const texts = [BASE, added("two"), added("three")] as const;
    for (const attribute of ["linguist-generated", "linguist-generated=true", "generated"]) {
      const more = { ".gitattributes": `*.ts ${attribute}\n` };
      expect(await merge("a.ts", texts, { more })).toMatchObject({
        status: "conflict",
        conflicts: [{ kind: "contents" }],
      });
    }
    const more = { ".gitattributes": "*.ts -linguist-generated\n" };
    expect(await merge("a.ts", texts, { more })).toMatchObject({ status: "merged" });
  });

  it("are a conflict where lines merge and one of them is lost", async () => {
    const moved = ["a\r\nb\nc\nX\nd\ne\nf\n", "a\r\nX\nb\nc\nd\ne\nf\n", "a\r\nb\nc\nd\ne\nf\nX\n"] as const;
    for (const path of ["a.txt", "a.ts"]) {
      expect(await merge(path, moved)).toMatchObject({ status: "conflict", conflicts: [{ kind: "loss" }] });
    }
  });
});

describe("a file that does not merge", () => {
  it("names what its places are part of", async () => {
    const edit = (to: string) => added("two").replace('"ü"', to);
    const result = await merge("a.ts", [added("two"), edit('"x" + one()'), edit("one()[7]")]);
    expect(result).toMatchObject({
      conflicts: [
        {
          kind: "contents",
          message: "both sides changed a.ts at the same place, in function two",
          hunks: [{ entity: "function two" }],
        },
      ],
    });
  });
});

describe("a merge of a class that the rules do not let land", () => {
  const statement = [
    STATEMENT,
    STATEMENT.replace("small: 1", "small: 2"),
    STATEMENT.replace("large: 100", "large: 200"),
  ] as const;

  it("is a conflict that holds the proposed merge and the places where both met", async () => {
    const result = await merge("a.ts", statement, { rules: rulesOf({}, false) });
    expect(result).toMatchObject({
      status: "conflict",
      conflicts: [{ path: "a.ts", kind: "uncertain", hunks: [{ baseLines: [STATEMENT.trimEnd()] }] }],
    });
    const proposed = result.status === "conflict" ? result.conflicts[0]?.proposed : undefined;
    const text = (await test.vault.objects.readBlob(proposed?.oid ?? "")).toString();
    expect(text).toBe("export const limits = { small: 2, middle: 10, large: 200 };\n");
  });

  it("lands where it will be verified, or where the rules say so", async () => {
    for (const rules of [rulesOf({}, true), rulesOf({ C: "land" }, false)]) {
      expect(await merge("a.ts", statement, { rules })).toMatchObject({ status: "merged", resolved: [{ class: "C" }] });
    }
    for (const rules of [rulesOf({ C: "ask" }, true), rulesOf({ B: "ask" }, true)]) {
      const texts = (await rules()).classes.C === "ask" ? statement : ([BASE, added("two"), added("three")] as const);
      expect(await merge("a.ts", texts, { rules })).toMatchObject({ conflicts: [{ kind: "uncertain" }] });
    }
  });

  it("is not asked about where nothing met", async () => {
    const rules = async (): Promise<never> => {
      throw new Error("asked");
    };
    const [base = "", ours = "", theirs = ""] = test.commit({ a: "1\n" }, { a: "2\n" }, { a: "1\n", b: "3\n" });
    expect(await mergeTrees(test.git, test.vault, { base, ours, theirs, rules })).toMatchObject({ status: "merged" });
  });
});
describe("a policy that drops an edit", () => {
  const manifest = (version: string) => `{\n  "name": "a",\n  "dependencies": {\n    "b": "${version}"\n  }\n}\n`;

  it("leaves a waiver for exactly that", async () => {
    const result = await merge("package.json", [manifest("^1.0.0"), manifest("^1.2.0"), manifest("^1.1.0")]);
    expect(result.text).toBe(manifest("^1.2.0"));
    expect(result).toMatchObject({
      resolved: [{ path: "package.json", class: "D", drops: [{ policy: "policy:semver-max", side: "theirs" }] }],
      waivers: [{ path: "package.json", by: "policy:semver-max", what: expect.stringContaining("^1.1.0") as string }],
    });
  });
});
