import { fieldsOf, listOf, type Fields } from "./wire.ts";

/**
 * Whether a JSON Schema is of the strict kind, the only one that the service holds an answer to: each object names all
 * its properties, wants all of them and no others.
 */
export function isStrictSchema(schema: Fields): boolean {
  return fieldsOf(schema)["type"] === "object" && isStrict(schema);
}

function isStrict(schema: unknown): boolean {
  const fields = fieldsOf(schema);
  const properties = fieldsOf(fields["properties"]);
  const names = Object.keys(properties);
  const required = new Set(listOf(fields["required"]));
  const isObject = fields["type"] === "object" || listOf(fields["type"]).includes("object") || names.length > 0;
  if (isObject && (fields["additionalProperties"] !== false || names.some((name) => !required.has(name)))) return false;
  if (UNKNOWN.some((key) => key in fields)) return false;
  const inner = [
    ...Object.values(properties),
    ...Object.values(fieldsOf(fields["$defs"])),
    ...Object.values(fieldsOf(fields["definitions"])),
    ...listOf(fields["anyOf"]),
    ...(fields["items"] === undefined ? [] : [fields["items"]]),
  ];
  return inner.every(isStrict);
}

const UNKNOWN = ["allOf", "oneOf", "not", "if", "patternProperties", "dependentRequired", "dependentSchemas"];
