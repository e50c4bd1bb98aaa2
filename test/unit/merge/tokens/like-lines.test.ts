import { describe, expect, it } from "vitest";

import type { Language } from "../../../../src/merge/language.ts";
import { mergePiece } from "../../../../src/merge/tokens/merge-piece.ts";

function merge(language: Language, base: string, ours: string, theirs: string): string {
  const result = mergePiece({ base, ours, theirs }, { language, kind: undefined });
  return result.status === "merged" ? result.text : "conflict";
}

describe("lines of one kind that both sides insert at one place", () => {
  it("unite authors, and one that both added once", () => {
    const base = "/**\n * Says.\n *\n * @author A\n * @since 1\n */\n";
    const ours = base.replace(" * @since", " * @author B\n * @author C\n * @since");
    const theirs = base.replace(" * @since", " * @author D\n * @author C\n * @since");
    expect(merge("java", base, ours, theirs)).toContain(
      " * @author A\n * @author B\n * @author C\n * @author D\n * @since",
    );
  });

  it("unite annotations of Java, but never two of one name", () => {
    const base = "class A {\n  @Test\n  void f() {}\n}\n";
    const withLine = (line: string): string => base.replace("  void", `  ${line}\n  void`);
    expect(merge("java", base, withLine("@Slow"), withLine('@Issue("1")'))).toContain('  @Slow\n  @Issue("1")\n  void');
    expect(merge("java", base, withLine('@Issue("2")'), withLine('@Issue("1")'))).toBe("conflict");
  });

  it("unite attributes of Rust", () => {
    const base = "#![feature(a)]\n\nfn f() {}\n";
    const withLine = (line: string): string => base.replace("\n\n", `\n${line}\n\n`);
    expect(merge("rust", base, withLine("#![feature(b)]"), withLine("#![allow(c)]"))).toBe(
      "#![feature(a)]\n#![feature(b)]\n#![allow(c)]\n\nfn f() {}\n",
    );
  });

  it("unite calls beside calls of the same function", () => {
    const base = "register(a);\n\ndone();\n";
    const withLine = (line: string): string => base.replace("\n\n", `\n${line}\n\n`);
    expect(merge("typescript", base, withLine("register(b);"), withLine("register(c, 1);"))).toBe(
      "register(a);\nregister(b);\nregister(c, 1);\n\ndone();\n",
    );
    expect(merge("typescript", base, withLine("register(b, 1);"), withLine("register(b, 2);"))).toBe("conflict");
  });

  it("leave calls whose order is all they say", () => {
    const base = 'out.append("a");\n\ndone();\n';
    const withLine = (line: string): string => base.replace("\n\n", `\n${line}\n\n`);
    expect(merge("java", base, withLine('out.append("b");'), withLine('out.append("c");'))).toBe("conflict");
  });
});
