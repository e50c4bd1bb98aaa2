import { expect, it } from "vitest";

import { mergePiece } from "../../../../src/merge/tokens/merge-piece.ts";

it("keeps the shape of a new block where the other side moved the lines beside it to another indentation", () => {
  const block = ["", "    if c:", "        if d:", "            raise Wrong(c)", "        k = 1", ""];
  const before = ["def f():", "    if a:"];
  const deep = ["        if b:", "            path = url.path", "            if q:", "                path += q"];
  const flat = ["        path = url.path", "", "        if q:", "            path += q", ""];
  const end = ["    return path", ""];
  const merged = mergePiece(
    {
      base: [...before, ...deep, ...end].join("\n"),
      ours: [...before, ...deep, ...block, ...end].join("\n"),
      theirs: [...before, ...flat, ...end].join("\n"),
    },
    { language: "python", kind: "function" },
  );
  expect(merged.status === "merged" && merged.text).toContain(block.join("\n"));
});
