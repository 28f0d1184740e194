/** Figures as the screens reach them. */

import { AnalyticsApi, type Figure } from "@simulcast/api";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

export const FIGURES = ["figures"];
export const COHORTS = ["cohorts"];

export function useAnalytics(): AnalyticsApi {
  return useMemo(() => new AnalyticsApi(), []);
}

/** What each figure means, by its key; empty until it is known. */
export function useDefinitions(): Map<string, Figure> {
  const api = useAnalytics();
  const { data } = useQuery({
    queryKey: [...FIGURES, "definitions"],
    queryFn: ({ signal }) => api.definitions(signal),
    staleTime: Infinity,
  });
  return useMemo(
    () => new Map(data?.flatMap((section) => section.figures.map((figure) => [figure.key, figure]))),
    [data],
  );
}
