/** What was read from the hub. A session that has ended shows the sign-in, whatever call found out. */

import { ApiError } from "@simulcast/api";
import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";

export const SESSION = ["session"];
export const SHOWS = ["shows"];
export const PRODUCTS = ["products"];
export const CONNECTIONS = ["connections"];
export const CONNECTORS = ["connectors"];
export const PENDING = ["pending"];
export const ALARMS = ["alarms"];
export const TROUBLES = ["troubles"];
export const PARKED = ["parked"];
export const CLAIMS = ["claims"];
export const TARGET_PRESETS = ["target-presets"];
export const PROFILE_PRESETS = ["profile-presets"];
export const COST = ["cost"];
export const HISTORY = ["history"];
export const QUALITY = ["quality"];
export const PLAYER = ["player"];
export const RECORDINGS = ["recordings"];
export const CHECKOUT_SETTINGS = ["checkout-settings"];

const MOST_TRIES = 3;

export function makeCache(): QueryClient {
  const onError = (error: Error) => {
    if (isSignedOut(error)) cache.setQueryData(SESSION, null);
  };
  const cache = new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        // The browser may say "offline" on a laptop whose local network works.
        networkMode: "always",
        retry: (failures, error) =>
          failures < MOST_TRIES - 1 && error instanceof ApiError && error.temporary,
      },
      mutations: { networkMode: "always" },
    },
  });
  return cache;
}

export function isSignedOut(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401 && error.code !== "sign_in_failed";
}
