import { AnabranchError, toAnabranchError } from "../../base/errors.ts";
import type { AgentPlace, Detection } from "../../agents/port.ts";
import type { AgentKind } from "../../engine/agent.ts";
import type { AgentProgramView } from "../../protocol/views.ts";
import type { Parts } from "../parts.ts";

/** A program that does not say its version for so long is not waited for. */
const PATIENCE_MS = 10_000;

/** Finds the program of a kind, or the reason why there is none. It never fails, and takes a few seconds at most. */
export async function findProgram(
  parts: Parts,
  { kind, ...place }: AgentPlace & { readonly kind: AgentKind },
): Promise<AgentProgramView> {
  let cancel = (): void => undefined;
  const late = new Promise<Detection>((resolve) => {
    cancel = parts.clock.after(PATIENCE_MS, () => resolve({ found: false, error: tooSlow(kind) }));
  });
  const detection = parts.adapters.get(kind).then((adapter) => adapter.detect(place));
  try {
    return viewDetection(await Promise.race([detection, late]));
  } catch (cause) {
    return viewDetection({ found: false, error: toAnabranchError(cause) });
  } finally {
    cancel();
  }
}

function tooSlow(kind: AgentKind): AnabranchError {
  return new AnabranchError("AGENT_FAILED", {
    message: `the program of ${kind} did not say its version within ${PATIENCE_MS / 1000} s`,
    hint: "try it yourself, with --version",
  });
}

function viewDetection(detection: Detection): AgentProgramView {
  if (!detection.found) return { found: false, reason: detection.error.toJSON() };
  const { path, version, warning } = detection;
  return { found: true, path, version, ...(warning === undefined ? {} : { warning }) };
}
