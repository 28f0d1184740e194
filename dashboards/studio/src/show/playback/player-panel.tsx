import "./playback.css";
import type { Health, PlayerChange, ShowSnapshot } from "@simulcast/api";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { memo } from "react";
import { useApi } from "../../api";
import { PLAYER } from "../../cache";
import { CopyButton } from "../../parts/copy-button";
import { Loading } from "../../parts/loading";
import { Pill } from "../../parts/pill";
import { Problem } from "../../parts/problem";
import { Panel } from "../panel";
import { AccessFields } from "./access-fields";
import { ChapterForm } from "./chapter-form";
import { KeyFields } from "./key-fields";
import { LinkMaker } from "./link-maker";
import { PlayFields } from "./play-fields";
import { ACCESS } from "./player-words";

interface Props {
  show: ShowSnapshot["show"];
  health: Health | null;
}

/** The show's own player: how it plays, who may watch, and what goes into the brand's page. */
export const PlayerPanel = memo(function PlayerPanel({ show, health }: Props) {
  const api = useApi();
  const cache = useQueryClient();
  const key = [...PLAYER, show.id];
  const { data: settings, error, refetch } = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => api.player(show.id, signal),
  });
  const change = async (wish: PlayerChange) => {
    cache.setQueryData(key, await api.changePlayer(show.id, wish));
  };
  const access = ACCESS.find((one) => one.value === settings?.access);
  return (
    <Panel id="player" title="Player" aside={access && <Pill tone={access.tone}>{access.pill}</Pill>}>
      {!settings && (error ? <Problem error={error} retry={() => void refetch()} /> : <Loading what="the player" />)}
      {settings && access && (
        <>
          <p className="quiet-text">{access.help}</p>
          {settings.access === "signed" && <LinkMaker showId={show.id} />}
          {show.state !== "scheduled" && (
            <ChapterForm
              showId={show.id}
              liveAt={show.live_at}
              live={show.state === "live"}
              chapters={settings.chapters}
              onAdded={refetch}
            />
          )}
          <details>
            <summary>Put it on your site</summary>
            <div className="stack tight">
              <p className="quiet-text">
                Paste this line where the player should stand. It needs nothing else and sets no cookie.
              </p>
              <code className="embed">{settings.embed_code}</code>
              <div className="row">
                <CopyButton text={settings.embed_code} label="Copy embed code" />
              </div>
            </div>
          </details>
          <details>
            <summary>How it plays</summary>
            <PlayFields show={show} settings={settings} rungs={health?.rungs ?? []} change={change} />
          </details>
          <details>
            <summary>Who may watch</summary>
            <div className="stack">
              <AccessFields settings={settings} change={change} />
              {settings.access === "signed" && (
                <KeyFields showId={show.id} settings={settings} onChanged={(now) => cache.setQueryData(key, now)} />
              )}
            </div>
          </details>
        </>
      )}
    </Panel>
  );
});
