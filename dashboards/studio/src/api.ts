/** The hub's API as the screens reach it. */

import { type Fetch, StaffApi } from "@simulcast/api";
import { createContext, useContext } from "react";

export const ApiContext = createContext<StaffApi | null>(null);

export function useApi(): StaffApi {
  const api = useContext(ApiContext);
  if (!api) throw new Error("Wrap the studio in an ApiContext.");
  return api;
}

/** Reads a shop's whole catalogue: that takes longer than other calls may. */
const IMPORT_TIMEOUT_MS = 60_000;

export function importListings(connectionId: string): Promise<{ linked: number; unknown: number }> {
  const patient: Fetch = (input, init) =>
    globalThis.fetch(input, { ...init, signal: AbortSignal.timeout(IMPORT_TIMEOUT_MS) });
  return new StaffApi(patient).importListings(connectionId);
}
