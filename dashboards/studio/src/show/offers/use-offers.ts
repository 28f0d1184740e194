import { OffersApi } from "@simulcast/api";
import { useEffect, useMemo, useState } from "react";

export const OFFERS = ["offers"];
export const MERCH = ["merch"];

/** The hub's API for offers. */
export function useOffersApi(): OffersApi {
  return useMemo(() => new OffersApi(), []);
}

/** A value once it has rested: not every letter that is typed is worth a question. */
export function useRested<T>(value: T, afterMs = 300): T {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), afterMs);
    return () => clearTimeout(timer);
  }, [value, afterMs]);
  return rested;
}
