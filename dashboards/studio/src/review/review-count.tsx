import { RiskApi } from "@simulcast/api";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { countMark } from "./review-words";

const READ_EVERY_MS = 10_000;

/** How many orders wait for a person, beside the word "Review"; nothing when none does. */
export function ReviewCount() {
  const api = useMemo(() => new RiskApi(), []);
  const count = useQuery({
    queryKey: ["reviews", "count"], // under the queue's key: a decision counts anew
    queryFn: ({ signal }) => api.count(signal),
    refetchInterval: READ_EVERY_MS,
  });
  const mark = countMark(count.data?.waiting ?? 0);
  if (!mark) return null;
  return (
    <>
      <span className="count number" aria-hidden="true">
        {mark}
      </span>
      <span className="visually-hidden">, {mark} waiting</span>
    </>
  );
}
