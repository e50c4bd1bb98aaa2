import { closest } from "../../base/closest.ts";
import { AnabranchError } from "../../base/errors.ts";
import { fieldsOf, listOf, numberOf, textOf, type Fields } from "../fields.ts";

/** The model that a session asks for. */
export interface ChosenModel {
  readonly providerID: string;
  readonly modelID: string;
  /** How much it is to think, by a name of its own. */
  readonly variant?: string | undefined;
}

/** What opencode says its models are. */
export interface Models {
  /**
   * The model that a definition names, as `PROVIDER/MODEL` or by a name that only one provider has.
   * @throws {AnabranchError} `AGENT_INVALID`
   */
  choose(name: string): ChosenModel;
  hasVariant(model: ChosenModel, variant: string): boolean;
  /** How much its conversations can hold. */
  window(provider: unknown, model: unknown): number | undefined;
}

/** Reads the answer to what providers there are. */
export function modelsIn(answer: unknown): Models {
  const models = new Map<string, ChosenModel & { readonly facts: Fields }>();
  for (const provider of listOf(fieldsOf(answer)["providers"]).map(fieldsOf)) {
    const providerID = textOf(provider["id"]) ?? "";
    for (const [modelID, facts] of Object.entries(fieldsOf(provider["models"]))) {
      models.set(`${providerID}/${modelID}`, { providerID, modelID, facts: fieldsOf(facts) });
    }
  }
  const nameOf = ({ providerID, modelID }: ChosenModel): string => `${providerID}/${modelID}`;
  return {
    choose(name) {
      const named = [...models.values()].filter(({ modelID }) => modelID === name);
      const found = models.get(name) ?? (named.length === 1 ? named[0] : undefined);
      if (found !== undefined) return { providerID: found.providerID, modelID: found.modelID };
      throw unknown(name, named.length > 0 ? named.map(nameOf) : [...models.keys()]);
    },
    hasVariant: (model, variant) => Object.hasOwn(fieldsOf(models.get(nameOf(model))?.facts["variants"]), variant),
    window(provider, model) {
      const limit = fieldsOf(models.get(`${String(provider)}/${String(model)}`)?.facts["limit"]);
      return numberOf(limit["context"]) > 0 ? numberOf(limit["context"]) : undefined;
    },
  };
}

const NAMED_AT_MOST = 20;

function unknown(name: string, known: readonly string[]): AnabranchError {
  const meant = closest(name, known);
  return new AnabranchError("AGENT_INVALID", {
    message: `opencode has no model ${JSON.stringify(name)} here: it wants PROVIDER/MODEL of a provider that is set up`,
    hint: meant === undefined ? "opencode models" : `did you mean ${meant}? opencode models`,
    data: { model: name, known: known.slice(0, NAMED_AT_MOST) },
  });
}
