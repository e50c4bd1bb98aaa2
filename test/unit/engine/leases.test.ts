import { describe, expect, it } from "vitest";

import { judgeWrite, mayWait, type Lease, type WriteAttempt } from "../../../src/engine/leases.ts";

const NOW_MS = Date.UTC(2026, 0, 1, 12);

function lease(more: Partial<Lease> = {}): Lease {
  return {
    id: "l1",
    repositoryId: "r",
    run: "run1",
    task: "edit",
    token: 1,
    scope: ["src/**"],
    createdMs: NOW_MS - 60_000,
    expiresMs: NOW_MS + 60_000,
    renews: true,
    ...more,
  };
}

const attempt = (more: Partial<WriteAttempt> = {}): WriteAttempt => ({
  path: "src/a.ts",
  held: [lease()],
  family: [{ run: "run2", task: "other" }],
  answer: "deny",
  nowMs: NOW_MS,
  ...more,
});

describe("who is about to write what another holds a lease on", () => {
  it("is refused, and told who holds it, since when and until when", () => {
    expect(judgeWrite(attempt())).toEqual({
      type: "deny",
      text: "src/a.ts is in the scope of a lease of run1/edit (since 11:59:00 UTC, until its work has landed): write elsewhere, or later",
    });
    expect(judgeWrite(attempt({ held: [lease({ renews: false })] }))).toMatchObject({
      text: expect.stringContaining("until 12:01:00 UTC at the latest"),
    });
  });

  it("is only told so, or has to wait, where its agent says that", () => {
    expect(judgeWrite(attempt({ answer: "warn" }))).toMatchObject({
      type: "note",
      text: expect.stringContaining("lease of run1/edit"),
    });
    expect(judgeWrite(attempt({ answer: "wait" }))).toMatchObject({ type: "wait", lease: { id: "l1" } });
  });

  it("is not kept from anything by its own lease, by that of whoever started it, outside of the scope, or once it has expired", () => {
    for (const more of [
      { family: [{ run: "run1", task: "edit" }] },
      {
        family: [
          { run: "run2", task: "other" },
          { run: "run1", task: "edit" },
        ],
      },
      { path: "docs/a.md" },
      { nowMs: NOW_MS + 60_000 },
      { held: [] },
    ] satisfies Partial<WriteAttempt>[]) {
      expect(judgeWrite(attempt(more)), JSON.stringify(more)).toEqual({ type: "allow" });
    }
    expect(judgeWrite(attempt({ family: [{ run: "run1", task: "another" }] })).type).toBe("deny");
  });

  it("never waits for a younger lease while it holds one, itself or through whoever started it", () => {
    const own = (token: number, task = "other"): Lease => lease({ id: "own", run: "run2", task, token, scope: ["x"] });
    const other = lease({ token: 5 });
    expect(judgeWrite(attempt({ answer: "wait", held: [own(4), other] })).type).toBe("deny");
    expect(judgeWrite(attempt({ answer: "wait", held: [own(6), other] })).type).toBe("wait");
    expect(mayWait(other, [own(4, "starter"), other], [{ run: "run2", task: "starter" }], NOW_MS)).toBe(false);
    expect(mayWait(other, [{ ...own(4), expiresMs: NOW_MS }, other], [{ run: "run2", task: "other" }], NOW_MS)).toBe(
      true,
    );
  });
});
