import type { Health, Ingest, ServerClock, ShowSnapshot } from "@simulcast/api";
import { memo } from "react";
import { Notice } from "../../parts/notice";
import { Pill } from "../../parts/pill";
import { Panel } from "../panel";
import { Fold } from "../fold";
import { Recording } from "../recording/recording";
import { FeedHistory } from "./feed-history";
import { airWords, feedAdvice, feedDetail, feedLine, findingLine, recordingLine, watchPageLine } from "./feed-words";
import { FeedSettings } from "./feed-settings";
import { IngestFields } from "./ingest-fields";
import { SourceFields } from "./source-fields";
import { StandbyFields } from "./standby-fields";
import { UploadTest } from "./upload-test";

interface Props {
  show: ShowSnapshot["show"];
  feed: Ingest | null;
  health: Health | null;
  refused: string | null;
  clock: ServerClock;
  /** Reads the show again: for what no news tells. */
  onChanged: () => Promise<unknown>;
}

/** What the encoders send, what is on air, and what to enter in them. */
export const FeedPanel = memo(function FeedPanel(props: Props) {
  const { show, feed, health, refused, clock, onChanged } = props;
  const { id: showId, state, ingest: address, feed: settings } = show;
  const air = airWords(health, feed, settings, state);
  const recording = recordingLine(health);
  return (
    <Panel id="encoder" title="Encoder" aside={<Pill tone={air.tone}>{air.label}</Pill>}>
      {air.detail && <Notice tone={air.tone}>{air.detail}</Notice>}
      <div className="stack tight" role="status">
        {feed ? (
          <Figures feed={feed} health={health} />
        ) : (
          <p className="quiet-text">
            In OBS: Settings → Stream, service “Custom…”. Enter the server and the stream key, then press
            “Start Streaming”.{state === "scheduled" && " The picture appears here before you go live."}
          </p>
        )}
        {health?.backup && (
          <p className="quiet-text number">Backup encoder: ready, {feedLine(health.backup) || "sending"}</p>
        )}
        {recording && (
          <p className={health?.recording.state === "stopped" ? "bad-words" : "quiet-text number"}>{recording}</p>
        )}
        <Findings feed={feed} health={health} />
        {refused && <Notice tone="bad">An encoder was refused: {refused}</Notice>}
      </div>
      <UploadTest showId={showId} feeding={feed !== null} />
      {feed && (
        <Fold title="How the feed arrives">
          <FeedHistory showId={showId} />
        </Fold>
      )}
      <Fold title="Recording and clips">
        <Recording show={show} health={health} clock={clock} onChanged={onChanged} />
      </Fold>
      <details open={feed === null}>
        <summary>Server and stream key</summary>
        <IngestFields showId={showId} address={address} feeding={feed !== null} onNewKey={onChanged} />
      </details>
      <details>
        <summary>Backup encoder, SRT and WHIP</summary>
        <StandbyFields
          showId={showId}
          address={address}
          settings={settings}
          standing={health?.backup != null}
          onChanged={onChanged}
        />
      </details>
      <details>
        <summary>Slate and take-over</summary>
        <FeedSettings showId={showId} settings={settings} onChanged={onChanged} />
      </details>
      <Fold title="Play without an encoder">
        <SourceFields showId={showId} source={settings.source} onChanged={onChanged} />
      </Fold>
    </Panel>
  );
});

function Figures({ feed, health }: { feed: Ingest; health: Health | null }) {
  const viewers = watchPageLine(health);
  return (
    <>
      <p className="number">{feedLine(feed) || "The picture is arriving."}</p>
      {feedDetail(feed) && <p className="quiet-text number">{feedDetail(feed)}</p>}
      {feed.encoder && <p className="quiet-text wrap">From {feed.encoder}</p>}
      {viewers && <p className="quiet-text number">{viewers}</p>}
    </>
  );
}

/** What is wrong with the feed, or with the source that should play and does not. */
function Findings({ feed, health }: { feed: Ingest | null; health: Health | null }) {
  const findings = (health?.findings ?? []).filter((one) => one.target === null);
  return (
    <>
      {findings.map((one) => (
        <Notice key={one.code} tone={one.severity === "alarm" ? "bad" : one.severity === "warning" ? "warn" : "quiet"}>
          {findingLine(one)}
        </Notice>
      ))}
      {feed &&
        findings.length === 0 &&
        feedAdvice(feed).map((sentence) => (
          <Notice key={sentence} tone="warn">
            {sentence}
          </Notice>
        ))}
    </>
  );
}
