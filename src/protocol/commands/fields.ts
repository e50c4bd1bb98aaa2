import { z } from "zod";

/** Where the caller stands. */
export const directory = z.string().min(1);
/** The caller's environment: what it asks for runs with it. */
export const environment = z.record(z.string(), z.string());
/** A run, a task, or whatever else has a name that can be cut short. */
export const id = z.string().min(1).max(200);
/** Anything that git takes for a commit, or a branch. */
export const commit = z.string().min(1).max(1000);
/** Made by the caller, so that asking twice starts once. */
export const requestId = z.string().min(8).max(100);
