import type { Colours } from "./terminal.ts";

/** How a report is written. */
export interface ReportStyle {
  readonly colour: Colours;
  readonly columns: number;
}
