import type { Relay, RelayPair } from "@simulcast/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useApi } from "../../api";
import { CheckField } from "../../parts/check-field";
import { Loading } from "../../parts/loading";
import { Problem } from "../../parts/problem";
import { plural } from "../../parts/words";

interface Props {
  showId: string;
  /** Newer counts than those that were read. */
  dropped: Record<string, number>;
}

/** Which chats are written into which others. Off until somebody wants it. */
export function RelayFields({ showId, dropped }: Props) {
  const api = useApi();
  const cache = useQueryClient();
  const key = ["relay", showId];
  const { data, error, refetch } = useQuery({ queryKey: key, queryFn: ({ signal }) => api.relay(showId, signal) });
  const choose = useMutation({
    mutationFn: (pairs: RelayPair[]) => api.chooseRelay(showId, pairs),
    onMutate: (pairs) => cache.setQueryData<Relay>(key, (known) => known && { ...known, pairs }),
    onError: () => void refetch(),
  });
  if (error) return <Problem error={error} retry={() => void refetch()} />;
  if (!data) return <Loading what="the places" />;
  const { pairs, places } = data;
  const chosen = (source: string, into: string) => pairs.some((p) => p.source === source && p.into === into);
  const toggle = (source: string, into: string, on: boolean) => {
    const others = pairs.filter((pair) => pair.source !== source || pair.into !== into);
    choose.mutate(on ? [...others, { source, into }] : others);
  };
  return (
    <div className="stack tight">
      <p className="quiet-text">
        Messages are written into the other chat in your name, as “[YouTube] Anna: …”. A platform's own limits
        hold: what it has no room for is left out.
      </p>
      {places.map((into) => {
        const lost = dropped[into.id] ?? into.dropped;
        if (into.why_not) {
          if (into.id === "own") return null;
          return (
            <p key={into.id} className="quiet-text">
              {into.name}: {into.why_not}
            </p>
          );
        }
        return (
          <fieldset key={into.id} className="stack tight">
            <legend>Into {into.name}</legend>
            {places
              .filter((source) => source.id !== into.id)
              .map((source) => (
                <CheckField
                  key={source.id}
                  label={`From ${source.name}`}
                  checked={chosen(source.id, into.id)}
                  onCheck={(on) => toggle(source.id, into.id, on)}
                />
              ))}
            {lost > 0 && (
              <p className="quiet-text">{plural(lost, "message")} left out: its limit had no room.</p>
            )}
          </fieldset>
        );
      })}
      <Problem error={choose.error} />
    </div>
  );
}
