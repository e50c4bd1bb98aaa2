import { describe, expect, it } from "vitest";

import { FileSetRecorder } from "../../../src/daemon/agents/file-sets.ts";

describe("the files that a session reads and writes", () => {
  it("are told from the root of the workspace, each with how sure that is", () => {
    const recorder = new FileSetRecorder("/ws/tree");
    recorder.file("read", "/ws/tree/src/a.ts");
    recorder.file("write", "src/b.ts");
    recorder.found(["src/b.ts", "src/c.ts"]);
    expect(recorder.sets()).toEqual({
      reads: [{ path: "src/a.ts", confidence: "exact" }],
      readsComplete: true,
      writes: [
        { path: "src/b.ts", confidence: "exact" },
        { path: "src/c.ts", confidence: "found" },
      ],
      outside: [],
      cut: false,
    });
  });

  it("are not all the reads once a command has run, unless commands are traced", () => {
    const recorder = new FileSetRecorder("/ws/tree");
    recorder.command();
    expect(recorder.sets().readsComplete).toBe(false);
    recorder.traced(["/ws/tree/x", "/ws/tree/.git/HEAD", "/etc/hosts"]);
    expect(recorder.sets()).toMatchObject({ readsComplete: true, reads: [{ path: "x", confidence: "traced" }] });
  });

  it("outside of the workspace are kept apart, also where a path only looks as if it were inside", () => {
    const recorder = new FileSetRecorder("/ws/tree");
    recorder.file("write", "/ws/tree-other/a");
    recorder.file("read", "../x");
    recorder.file("read", "..a");
    expect(recorder.sets()).toMatchObject({
      outside: ["/ws/tree-other/a", "../x"],
      writes: [],
      reads: [{ path: "..a" }],
    });
  });

  it("go on from what was collected before a restart", () => {
    const before = new FileSetRecorder("/ws/tree");
    before.file("read", "a");
    before.command();
    const after = new FileSetRecorder("/ws/tree", before.sets());
    after.file("read", "b");
    expect(after.sets()).toMatchObject({ reads: [{ path: "a" }, { path: "b" }], readsComplete: false });
  });

  it("are cut where there are too many, and it is said", () => {
    const recorder = new FileSetRecorder("/ws/tree");
    recorder.found(Array.from({ length: 2001 }, (_, index) => `f${index}`));
    expect(recorder.sets().writes).toHaveLength(2000);
    expect(recorder.sets().cut).toBe(true);
  });
});
