/** People as the screens reach them. */

import { PeopleApi } from "@simulcast/api";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";

export const PEOPLE = ["people"];
export const SUGGESTIONS = [...PEOPLE, "suggestions"];

export const personKey = (id: string) => [...PEOPLE, "person", id];

export function usePeople(): PeopleApi {
  return useMemo(() => new PeopleApi(), []);
}

/** Something said about who is who: all that shows people is read again. */
export function usePeopleChange<Wish, Answer>(
  act: (wish: Wish) => Promise<Answer>,
  onDone?: (answer: Answer) => void,
) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSuccess: async (answer) => {
      onDone?.(answer);
      await cache.invalidateQueries({ queryKey: PEOPLE });
    },
  });
}
