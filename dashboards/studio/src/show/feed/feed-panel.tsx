import type { Ingest, IngestAddress } from "@simulcast/api";
import { memo } from "react";
import { Notice } from "../../parts/notice";
import { Pill } from "../../parts/pill";
import { Panel } from "../panel";
import { feedAdvice, feedLine } from "./feed-words";
import { IngestFields } from "./ingest-fields";

interface Props {
  showId: string;
  address: IngestAddress;
  feed: Ingest | null;
  refused: string | null;
  onNewKey: () => Promise<unknown>;
}

/** What the encoder sends, and what to enter in it. */
export const FeedPanel = memo(function FeedPanel({ showId, address, feed, refused, onNewKey }: Props) {
  const state = feed ? <Pill tone="good">Receiving</Pill> : <Pill tone="quiet">Nothing received</Pill>;
  return (
    <Panel id="encoder" title="Encoder" aside={state}>
      <div className="stack tight" role="status">
        {feed ? (
          <>
            <p className="number">{feedLine(feed) || "The picture is arriving."}</p>
            {feed.encoder && <p className="quiet-text wrap">From {feed.encoder}</p>}
            {feedAdvice(feed).map((sentence) => (
              <Notice key={sentence} tone="warn">
                {sentence}
              </Notice>
            ))}
          </>
        ) : (
          <p className="quiet-text">
            In OBS: Settings → Stream, service “Custom…”. Enter the server and the stream key, then press
            “Start Streaming”. The picture appears here before you go live.
          </p>
        )}
        {refused && <Notice tone="bad">An encoder was refused: {refused}</Notice>}
      </div>
      <details open={feed === null}>
        <summary>Server and stream key</summary>
        <IngestFields showId={showId} address={address} feeding={feed !== null} onNewKey={onNewKey} />
      </details>
    </Panel>
  );
});
