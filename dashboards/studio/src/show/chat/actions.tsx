import type { Action } from "@simulcast/api";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useApi } from "../../api";
import { Problem } from "../../parts/problem";
import { timeOfDay } from "../../parts/words";
import type { Room } from "../room";

const TONES = { queued: "busy", done: "good", here: "warn", failed: "bad" } as const;

/** Who did what, and what came of it: the newest, or all there is. */
export function Actions({ room, actions }: { room: Room; actions: Action[] }) {
  const undo = useMutation({ mutationFn: (id: string) => room.undo(id) });
  return (
    <>
      <ul className="actions" role="status" aria-label="Moderation">
        {actions.map((action) => (
          <li key={action.id} data-testid="action" data-state={action.state}>
            <span className={`pill tone-${TONES[action.state]}`}>{action.result}</span>
            <span className="quiet-text">
              {" "}
              {action.author_name ?? "Guest"}: “{action.excerpt}” · {action.by_name},{" "}
              {timeOfDay(action.created_at)}
            </span>
            {action.undoable && (
              <button
                type="button"
                className="small plain"
                disabled={undo.isPending}
                onClick={() => undo.mutate(action.id)}
              >
                Undo
              </button>
            )}
          </li>
        ))}
      </ul>
      <Problem error={undo.error} />
    </>
  );
}

/** The whole record; what happened since is taken from the news. */
export function Record({ room, showId, news }: { room: Room; showId: string; news: Action[] }) {
  const api = useApi();
  const { data, error } = useQuery({
    queryKey: ["moderation", showId],
    queryFn: ({ signal }) => api.moderation(showId, signal),
  });
  if (error) return <Problem error={error} />;
  const fresh = new Map(news.map((action) => [action.id, action]));
  const known = (data ?? []).map((action) => fresh.get(action.id) ?? action);
  const missing = news.filter((action) => !known.some(({ id }) => id === action.id));
  const all = [...missing, ...known];
  if (!all.length) return <p className="quiet-text">Nothing was moderated in this show.</p>;
  return <Actions room={room} actions={all} />;
}
