import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { ERROR_CODES, EXIT_CODES, HTTP_STATUS, type ErrorCode } from "../../../src/base/error-codes.ts";
import { AnabranchError, isAnabranchError, systemCodeOf, toAnabranchError } from "../../../src/base/errors.ts";

const codes = Object.keys(ERROR_CODES) as ErrorCode[];

describe("an error", () => {
  it("survives the way through JSON with everything but its cause", () => {
    const anyError = fc.record({
      code: fc.constantFrom(...codes),
      message: fc.string({ unit: "binary" }),
      hint: fc.option(fc.string(), { nil: undefined }),
      data: fc.option(fc.dictionary(fc.string(), fc.jsonValue()), { nil: undefined }),
    });
    fc.assert(
      fc.property(anyError, ({ code, ...details }) => {
        const error = new AnabranchError(code, { ...details, cause: new Error("inside") });
        const shape = JSON.parse(JSON.stringify(error)) as ReturnType<AnabranchError["toJSON"]>;
        const back = AnabranchError.fromJSON(shape);
        expect(back.toJSON()).toEqual(shape);
        expect(back.code).toBe(code);
        expect(back.kind).toBe(ERROR_CODES[code]);
        expect(back.message).toBe(details.message);
        expect(back.cause).toBeUndefined();
      }),
    );
  });

  it("of a code that this version does not know becomes INTERNAL, also when the code is a word JavaScript knows", () => {
    for (const code of ["FROM_THE_FUTURE", "constructor", "__proto__", "toString"]) {
      const shape = { code: code as ErrorCode, kind: "failed" as const, message: "m" };
      expect(AnabranchError.fromJSON(shape)).toMatchObject({ code: "INTERNAL", kind: "internal", message: "m" });
    }
  });

  it("is known by its brand, also when another copy of the package made it", () => {
    const error = new AnabranchError("USAGE", { message: "m" });
    const foreign = Object.assign(new Error("m"), { [Symbol.for("anabranch.error")]: true });
    expect(isAnabranchError(error)).toBe(true);
    expect(isAnabranchError(foreign)).toBe(true);
    expect(isAnabranchError(new Error("m"))).toBe(false);
  });

  it("is made of anything that can be thrown, and ours stays as it is", () => {
    const ours = new AnabranchError("USAGE", { message: "m" });
    expect(toAnabranchError(ours)).toBe(ours);
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withObjectString: true, withSparseArray: true }), (thrown) => {
        const error = toAnabranchError(thrown);
        expect(error.code).toBe("INTERNAL");
        expect(error.message).toContain("this is a bug in Anabranch");
        expect(error.cause).toBe(thrown);
      }),
    );
    expect(toAnabranchError(new TypeError("x is not a function")).message).toContain("x is not a function");
    const hostile = { toString: () => Promise.reject.call(undefined, 1) };
    expect(toAnabranchError(hostile).code).toBe("INTERNAL");
  });

  it("has an exit code and a status for every kind", () => {
    for (const kind of Object.values(ERROR_CODES)) {
      expect(EXIT_CODES[kind]).toBeGreaterThan(0);
      expect(HTTP_STATUS[kind]).toBeGreaterThanOrEqual(400);
    }
  });

  it("of the system is known by its code", () => {
    expect(systemCodeOf(Object.assign(new Error("m"), { code: "ENOENT" }))).toBe("ENOENT");
    expect(systemCodeOf(Object.assign(new Error("m"), { code: 2 }))).toBeUndefined();
    for (const other of [undefined, null, "ENOENT", { code: "ENOENT" }]) expect(systemCodeOf(other)).toBeUndefined();
  });
});
