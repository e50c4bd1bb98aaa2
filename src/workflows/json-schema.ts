import { z } from "zod";

import { repositoryFile } from "./schema.ts";

/** The JSON Schema of `anabranch.yaml`, by which editors check and complete it. */
export function repositoryFileJsonSchema(): object {
  return { title: "anabranch.yaml", ...z.toJSONSchema(repositoryFile, { target: "draft-7", io: "input" }) };
}
