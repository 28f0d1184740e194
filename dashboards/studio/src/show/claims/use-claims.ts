import type { ShowClaims } from "@simulcast/api";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { CLAIMS } from "../../cache";

/** Something done about a show's claims: its answer is all of them as they are now. */
export function useClaimsChange<Wish>(showId: string, act: (wish: Wish) => Promise<ShowClaims>) {
  const cache = useQueryClient();
  const key = [...CLAIMS, showId];
  return useMutation({
    mutationFn: act,
    onSuccess: async (now) => {
      await cache.cancelQueries({ queryKey: key }); // what was asked before knows less
      cache.setQueryData(key, now);
    },
  });
}
