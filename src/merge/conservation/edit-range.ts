/** How often one thing stands in each of three versions. */
export interface Occurrences {
  readonly base: number;
  readonly ours: number;
  readonly theirs: number;
}

/** How often something may stand in a result that has the edits of both sides. */
export interface EditRange {
  readonly fewest: number;
  readonly most: number;
}

/**
 * How often a thing may stand in a result that has both edits. Where both sides added it, or both deleted it, they may
 * have meant the same: so it may be there as often as with the one that did more, up to both together.
 *
 * @example
 * rangeOf({ base: 1, ours: 2, theirs: 3 }) // { fewest: 3, most: 4 }
 */
export function rangeOf({ base, ours, theirs }: Occurrences): EditRange {
  const [byOurs, byTheirs] = [ours - base, theirs - base];
  const both = byOurs + byTheirs;
  const fewest = byOurs > 0 && byTheirs > 0 ? Math.max(byOurs, byTheirs) : both;
  const most = byOurs < 0 && byTheirs < 0 ? Math.min(byOurs, byTheirs) : both;
  return { fewest: Math.max(0, base + fewest), most: Math.max(0, base + most) };
}
