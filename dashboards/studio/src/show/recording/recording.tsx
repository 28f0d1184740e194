import type { Health, ServerClock, ShowSnapshot } from "@simulcast/api";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useApi } from "../../api";
import { RECORDINGS } from "../../cache";
import { CheckField } from "../../parts/check-field";
import { Loading } from "../../parts/loading";
import { Notice } from "../../parts/notice";
import { Problem } from "../../parts/problem";
import { ClipForm } from "./clip-form";
import { fileLine, stateWords } from "./recording-words";
import { Thumbnail } from "./thumbnail";

interface Props {
  show: ShowSnapshot["show"];
  health: Health | null;
  clock: ServerClock;
  onChanged: () => Promise<unknown>;
}

const EVERY_MS = 5_000;

/** What is kept of the show, and pieces of it. */
export function Recording({ show, health, clock, onChanged }: Props) {
  const api = useApi();
  const over = show.state === "ended";
  const files = useQuery({
    queryKey: [...RECORDINGS, show.id],
    queryFn: ({ signal }) => api.recordings(show.id, signal),
    refetchInterval: over ? false : EVERY_MS,
  });
  const switched = useMutation({
    mutationFn: async (recording: boolean) => {
      await api.changeFeed(show.id, { recording });
      await onChanged();
    },
  });
  const said = stateWords(show.feed.recording, health);
  const some = (files.data?.length ?? 0) > 0;
  return (
    <div className="stack">
      {!over && (
        <>
          <CheckField
            label="Record the show"
            help="On the media server, for 7 days after the show. It stops by itself before the disk gets full."
            checked={switched.isPending ? switched.variables : show.feed.recording}
            onCheck={(recording) => switched.isPending || switched.mutate(recording)}
          />
          <Problem error={switched.error} />
          {said.tone === "bad" ? (
            <Notice tone="bad">{said.text}</Notice>
          ) : (
            <p className="quiet-text number" role="status">
              {said.text}
            </p>
          )}
          <Thumbnail showId={show.id} />
        </>
      )}
      {files.isPending ? (
        <Loading what="the recordings" />
      ) : files.error && !files.data ? (
        <Problem error={files.error} retry={() => void files.refetch()} />
      ) : some ? (
        <div className="stack tight">
          <h3>{over ? "Recorded" : "Recorded so far"}</h3>
          <ul className="lines">
            {(files.data ?? []).map((file) => (
              <li key={file.name} className="quiet-text number">
                {fileLine(file, show.live_at)}
              </li>
            ))}
          </ul>
        </div>
      ) : (
        <p className="quiet-text">
          {over ? "Nothing of this show is kept: it was not recorded, or its time is over." : "Nothing is recorded yet."}
        </p>
      )}
      {some &&
        (show.live_at ? (
          <ClipForm showId={show.id} liveAt={show.live_at} endedAt={show.ended_at} files={files.data ?? []} clock={clock} />
        ) : (
          <p className="quiet-text">Clips can be cut as soon as the show is live.</p>
        ))}
    </div>
  );
}
