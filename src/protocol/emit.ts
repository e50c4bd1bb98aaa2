import { z } from "zod";

/** The request to append an event of one's own. */
export const emitCommand = {
  emit: {
    request: z.strictObject({
      directory: z.string().min(1),
      /** Its type is `custom.NAME`. */
      name: z.string(),
      /** A JSON object, at most 256 kB. */
      data: z.unknown().optional(),
      /** The same name and key in one repository make one event. */
      key: z.string().min(1).max(200).optional(),
      /** It is appended after so long, or at a moment. */
      inMs: z.number().min(0).optional(),
      atMs: z.number().min(0).optional(),
    }),
    response: z.object({
      type: z.string(),
      /** Its number. Absent where it is appended later, or was before. */
      seq: z.number().optional(),
      /** Whether its key was known. */
      already: z.boolean(),
      /** When it will be appended, where that is later. */
      dueMs: z.number().optional(),
    }),
    inTask: "allowed",
  },
} as const;
