import { describe, expect, it } from "vitest";

import { rulePaths } from "../../../src/landing/rules.ts";

describe("the paths that have a say in what verification runs", () => {
  it("are the rules themselves and files of continuous integration, whatever the commands are", () => {
    const changed = [
      "anabranch.yaml",
      ".github/workflows/ci.yml",
      "src/anabranch.yaml",
      "docs/Jenkinsfile",
      "Jenkinsfile",
    ];
    expect(rulePaths(changed, [])).toEqual(["anabranch.yaml", ".github/workflows/ci.yml", "Jenkinsfile"]);
  });

  it("are the scripts a command names", () => {
    const changed = ["scripts/check.sh", "scripts/other.sh", "tools/lint"];
    expect(rulePaths(changed, ["./scripts/check.sh --fast && tools/lint"])).toEqual(["scripts/check.sh", "tools/lint"]);
  });

  it("are the files in which a build tool looks its commands up", () => {
    expect(rulePaths(["package.json", "Makefile", "web/package.json"], ["npm test"])).toEqual([
      "package.json",
      "web/package.json",
    ]);
    expect(rulePaths(["package.json", "Makefile"], ["CI=1 make check"])).toEqual(["Makefile"]);
  });

  it("are none of the others", () => {
    expect(rulePaths(["src/a.ts", "README.md"], ["npm test", "make"])).toEqual([]);
  });
});
