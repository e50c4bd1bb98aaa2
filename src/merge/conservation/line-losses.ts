import type { PolicyDrop } from "../resolution.ts";
import { isContested } from "./contested-line.ts";
import { ComposedLines } from "./composed-lines.ts";
import { FlatTexts } from "./flat-text.ts";
import { LineLedger, type FourSources, type Imbalance, type LineEntry, type Page } from "./line-ledger.ts";
import { shorten } from "./line-count.ts";
import { TokenReader } from "./line-tokens.ts";
import type { LossKind, TextLoss } from "./loss.ts";
import { keyOf } from "./known-lines.ts";
import type { SourceLine } from "./source-lines.ts";

/** Beyond so many, one reason is as good as the next. */
const MOST_EXPLAINED = 200;

type Side = "ours" | "theirs";

interface FourTexts {
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
  readonly result: string;
}

/** Finds the lines that are too few or too many, where neither wrapping nor a line put together of both explains it. */
export function findLineLosses(sources: FourSources, texts: FourTexts, drops: readonly PolicyDrop[]): TextLoss[] {
  const ledger = new LineLedger(sources);
  const imbalances = ledger.findImbalances();
  const tokens = new TokenReader();
  const composed = new ComposedLines(tokens, ledger.whole);
  const undone = ledger.scopes.flatMap((page) => composed.findUndone(page).map((entry) => undoneLoss(entry, page)));
  if (imbalances.length === 0) return undone;
  const explainer = new Explainer(composed, new FlatTexts(texts, sources), (line, side) =>
    isDropped(line, side, { sources, tokens, drops }),
  );
  return [...imbalances.filter((one) => one.type === "short"), ...imbalances.filter((one) => one.type === "over")]
    .filter((imbalance, at) => at >= MOST_EXPLAINED || !explainer.explains(imbalance))
    .map(lossOf)
    .concat(undone);
}

class Explainer {
  readonly #composed: ComposedLines;
  readonly #texts: FlatTexts;
  readonly #isDropped: (line: SourceLine, side: Side) => boolean;
  /** How often each line of the result stands for what is missing of a side. */
  readonly #used = new Map<LineEntry, { ours: number; theirs: number }>();

  constructor(composed: ComposedLines, texts: FlatTexts, isDropped: (line: SourceLine, side: Side) => boolean) {
    this.#composed = composed;
    this.#texts = texts;
    this.#isDropped = isDropped;
  }

  /** What is missing has to be asked for first: it says which lines of the result are put together. */
  explains(imbalance: Imbalance): boolean {
    const { line } = imbalance.entry;
    return imbalance.type === "short"
      ? this.#explainsMissing(imbalance)
      : this.#isComposed(imbalance) || (!line.isImport && this.#texts.isBalanced(line.key, imbalance.page));
  }

  #explainsMissing(imbalance: Imbalance): boolean {
    const { entry } = imbalance;
    const { line } = entry;
    const sides = (["ours", "theirs"] as const).filter((side) => entry[side] > entry.base);
    if (sides.some((side) => this.#isDropped(line, side))) return true;
    if (line.isImport) return false;
    if (this.#texts.isBalanced(line.key, imbalance.page) && !this.#composed.isShortened(imbalance)) {
      if (this.#texts.has(line.key, imbalance.page) || this.#composed.hasLike(imbalance)) return true;
    }
    return sides.length > 0 && sides.every((side) => this.#explainsEdit(imbalance, side));
  }

  #explainsEdit(imbalance: Imbalance, side: Side): boolean {
    const result = this.#composed.find(imbalance, side);
    if (result === undefined) return false;
    const used = this.#used.get(result) ?? { ours: 0, theirs: 0 };
    used[side] += imbalance.count;
    this.#used.set(result, used);
    return used[side] <= result.result;
  }

  #isComposed({ entry, count }: Imbalance): boolean {
    const used = this.#used.get(entry);
    return used !== undefined && count <= Math.max(used.ours, used.theirs);
  }
}

/** Whether a policy dropped a line by name, where it may. */
function isDropped(
  line: SourceLine,
  side: Side,
  { sources, tokens, drops }: { sources: FourSources; tokens: TokenReader; drops: readonly PolicyDrop[] },
): boolean {
  const isNamed = (drop: PolicyDrop): boolean => drop.side === side && keyOf(drop.dropped) === line.key;
  return drops.some(isNamed) && isContested(sources, tokens, line, side);
}

function undoneLoss(entry: LineEntry, page: Page): TextLoss {
  return { ...lossOf({ entry, page, type: "over", count: 1 }), kind: "resurrected-line" };
}

function lossOf({ entry, page, type, count }: Imbalance): TextLoss {
  const loss = { kind: kindOf(entry, type), detail: shorten(entry.line.text), count };
  const scope = page.scope ?? entry.line.scope;
  return scope === "" ? loss : { ...loss, entity: scope };
}

function kindOf({ base, ours, theirs }: LineEntry, type: "short" | "over"): LossKind {
  if (type === "short") return "lost-line";
  if (base + ours + theirs === 0) return "foreign-line";
  return ours < base || theirs < base ? "resurrected-line" : "foreign-change";
}
