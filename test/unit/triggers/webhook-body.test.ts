import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { isBodyType, parseBody } from "../../../src/triggers/webhook-body.ts";
import { expectProportionate } from "../../fixtures/work.ts";

const FORM = "application/x-www-form-urlencoded";
const parse = (text: string, type?: string): unknown => parseBody(Buffer.from(text), type);

describe("the body of a webhook", () => {
  it("is read as JSON, whatever it holds", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(parse(text, "application/json; charset=utf-8")).toEqual({ value: JSON.parse(text) as unknown });
      }),
    );
  });

  it("may be a form, or a form with a payload as GitHub sends", () => {
    expect(parse("a=1&b=two+words", FORM)).toEqual({ value: { a: "1", b: "two words" } });
    expect(parse(`payload=${encodeURIComponent('{"ref":"refs/heads/main"}')}`, FORM)).toEqual({
      value: { ref: "refs/heads/main" },
    });
  });

  it("may be empty", () => {
    expect(parse("")).toEqual({ value: null });
  });

  it("cannot be nested so deep that it could not be written again", () => {
    expect(parse("[".repeat(500_000))).toHaveProperty("problem");
    expect(parse(`${"[".repeat(101)}${"]".repeat(101)}`)).toHaveProperty("problem");
    expect(parse(`${"[".repeat(100)}${"]".repeat(100)}`)).toHaveProperty("value");
    expect(parse(JSON.stringify({ text: '\\"[['.repeat(1000) }))).toHaveProperty("value");
  });

  it("is looked at in one go, however its quotes and backslashes stand", () => {
    for (const part of ['"\\', '"\\"', "\\"]) {
      expectProportionate([50_000, 500_000], (count) => {
        const text = part.repeat(count);
        return () => parse(text);
      });
    }
  });

  it("is refused where it is neither text nor JSON", () => {
    expect(parseBody(Uint8Array.of(0xff, 0xfe), undefined)).toHaveProperty("problem");
    expect(parse("{")).toHaveProperty("problem");
    expect(parse("payload={", FORM)).toHaveProperty("problem");
  });

  it("has one of the types that are taken", () => {
    expect(
      ["application/json", "application/cloudevents+json; charset=utf-8", FORM, undefined].map(isBodyType),
    ).toEqual(Array(4).fill(true));
    expect(
      ["text/plain", "multipart/form-data; boundary=x", "application/xml", "xapplication/json"].map(isBodyType),
    ).toEqual(Array(4).fill(false));
  });
});
