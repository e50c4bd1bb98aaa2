import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import type { CommandResponse } from "../../src/protocol/commands.ts";
import type { RunView } from "../../src/protocol/views.ts";
import { makeHome, type Home } from "../fixtures/home.ts";
import { onLane } from "../fixtures/landings.ts";
import { git, makeRepository } from "../fixtures/repository.ts";
import { refused, taskOf } from "../fixtures/runs.ts";

const STORE = "def load(key):\n    return key\n";
const FILES = { "pkg/__init__.py": "", "pkg/store.py": STORE };

/** One renames a function and another one begins to call it: both merge as texts. */
const MEETING = {
  rename: "sed -i s/load/fetch/ pkg/store.py",
  call: { run: "printf 'from .store import load\\n\\nprint(load(1))\\n' > pkg/added.py" },
};

async function meet(home: Home, root: string): Promise<RunView> {
  const run = await home.client().start({ directory: root, mode: "parallel", tasks: MEETING });
  return run.wait();
}

const loser = (view: RunView): string => view.taskList.find(({ outcome }) => outcome !== "succeeded")?.name ?? "";

describe("two changes that merge as texts and do not fit", () => {
  it("are a conflict where nothing would verify them, and land by a person's word", async () => {
    const home = makeHome();
    const root = makeRepository(FILES);
    const view = await meet(home, root);
    expect(view.outcome).toBe("failed");
    const [conflict] = view.conflicts;
    expect(conflict?.paths).toMatchObject([
      { kind: "semantic", message: expect.stringContaining("imports load") as string },
    ]);
    expect(taskOf(view, loser(view)).reason).toMatchObject({ code: "MERGE_CONFLICT" });
    const id = conflict?.id ?? "";
    const client = home.client();
    await refused(client.takeSide(id, "ours"), "MERGE_CONFLICT");
    const taken = await client.takeSide(id, "theirs");
    const changeset = taken.landed?.landing.changesets.find(({ task }) => task === loser(view));
    expect(changeset?.waivers).toMatchObject([
      { by: "person", what: expect.stringContaining("imports load") as string },
    ]);
    expect(onLane(view, "pkg/added.py")).toContain("load(1)");
    const audit = JSON.parse((await home.cli(root, ["audit", "--json"])).stdout) as {
      data: { receipts: { problems: unknown[] }[] };
    };
    expect(audit.data.receipts.flatMap(({ problems }) => problems)).toEqual([]);
  });

  it("are mended in a workspace that holds both", async () => {
    const home = makeHome();
    const view = await meet(home, makeRepository(FILES));
    const client = home.client();
    const opened = await client.openConflict(view.conflicts[0]?.id ?? "");
    expect(opened.paths).toMatchObject([{ kind: "semantic", advice: expect.stringContaining("load") as string }]);
    writeFileSync(join(opened.folder, "pkg/added.py"), "from .store import fetch\n\nprint(fetch(1))\n");
    writeFileSync(join(opened.folder, "pkg/store.py"), STORE.replace("load", "fetch"));
    await client.land(view.conflicts[0]?.id ?? "");
    expect(onLane(view, "pkg/added.py")).toContain("fetch(1)");
    expect(onLane(view, "pkg/store.py")).toContain("def fetch");
  });

  it("are for verification to judge where there is one, and the receipt tells of them", async () => {
    const home = makeHome();
    const root = makeRepository({ ...FILES, "anabranch.yaml": "verify: test -e pkg/store.py\n" });
    const view = await meet(home, root);
    expect(view.outcome).toBe("succeeded");
    const landing = view.landings.at(-1);
    expect(landing?.notices.join("\n")).toContain("merged, but look: pkg/added.py imports load");
    const receipt = JSON.parse(git(view.vault, "show", `${landing?.receipt ?? ""}:receipt.json`)) as {
      changesets: { semantic?: { kind: string; isCertain: boolean }[] }[];
    };
    expect(receipt.changesets.flatMap(({ semantic = [] }) => semantic)).toMatchObject([
      { kind: "missing-definition", isCertain: true },
    ]);
  });

  it("do not land where verification fails, which says what may be why", async () => {
    const home = makeHome();
    const root = makeRepository({
      ...FILES,
      "anabranch.yaml": "verify: '! test -e pkg/added.py || grep load pkg/store.py'\n",
    });
    const view = await meet(home, root);
    expect(taskOf(view, loser(view)).reason).toMatchObject({
      code: "VERIFY_FAILED",
      message: expect.stringContaining("perhaps because pkg/added.py imports load") as string,
    });
  });
});

describe("what a run did and what the user did meanwhile, which merge as texts and do not fit", () => {
  const CALLER = "from .store import load\n\nprint(load(1))\n";

  /** A run renames what the user begins to call. @returns how the user accepts it */
  async function meetUser(home: Home, directory: string): Promise<() => Promise<CommandResponse<"accept">>> {
    const client = home.client();
    const run = await client.start({ directory, tasks: { rename: MEETING.rename } });
    const { id, outcome } = await run.wait();
    expect(outcome).toBe("succeeded");
    writeFileSync(join(directory, "pkg/added.py"), CALLER);
    return () => client.ask("accept", { id, directory, environment: home.environment, undo: false });
  }

  it("are not accepted where nothing would verify them", async () => {
    const home = makeHome();
    const root = makeRepository(FILES);
    const accept = await meetUser(home, root);
    const error = await refused(accept(), "ACCEPT_REFUSED");
    expect(error.message).toContain("does not fit: pkg/added.py imports load");
    expect(error.data).toMatchObject({
      conflicts: [{ path: "pkg/store.py", kind: "semantic" }],
      paths: [{ path: "pkg/store.py", why: expect.stringContaining("imports load") as string }],
    });
    expect(readFileSync(join(root, "pkg/store.py"), "utf8")).toBe(STORE);
    git(root, "add", "-A");
    git(root, "commit", "-qm", "call it");
    await refused(accept(), "ACCEPT_REFUSED");
    rmSync(join(root, "pkg/added.py"));
    await accept();
    expect(readFileSync(join(root, "pkg/store.py"), "utf8")).toContain("def fetch");
  });

  it("are for verification to judge where there is one, and the acceptance tells of them", async () => {
    const home = makeHome();
    const verified = { ...FILES, "anabranch.yaml": "verify: '! test -e pkg/added.py || grep -q load pkg/store.py'\n" };
    const root = makeRepository(verified);
    const accept = await meetUser(home, root);
    const error = await refused(accept(), "VERIFY_FAILED");
    expect(error.message).toContain("perhaps because pkg/added.py imports load");
    expect(readFileSync(join(root, "pkg/store.py"), "utf8")).toBe(STORE);

    const other = makeRepository({ ...FILES, "anabranch.yaml": "verify: test -e pkg/store.py\n" });
    const accepted = await (await meetUser(home, other))();
    expect(accepted.notices.join("\n")).toContain("merged, but look: pkg/added.py imports load");
  });
});
