/** Links as the screens reach them. */

import { LinksApi } from "@simulcast/api";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";

export const LINKS = ["links"];
export const HOSTS = ["shop-hosts"];

export function useLinks(): LinksApi {
  return useMemo(() => new LinksApi(), []);
}

/** Something done to links: whatever list is on the screen is read again. */
export function useLinkChange<Wish, Answer>(act: (wish: Wish) => Promise<Answer>, onDone?: (answer: Answer) => void) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSuccess: async (answer) => {
      onDone?.(answer);
      await cache.invalidateQueries({ queryKey: LINKS });
    },
  });
}

/** `value` once it has rested: a preview is not asked for at every key. */
export function useRested<T>(value: T, ms = 300): T {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return rested;
}
