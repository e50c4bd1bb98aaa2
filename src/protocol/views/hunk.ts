import { z } from "zod";

/** Some lines of one version, from a line on (the first is 1). */
const linesView = z.object({ start: z.number(), lines: z.array(z.string()), linesLeft: z.number() });

/** A place that both sides changed differently. */
export const hunkView = z.object({ base: linesView, ours: linesView, theirs: linesView });
