import type { StaffMessage } from "@simulcast/api";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { plural } from "../../parts/words";
import type { Skip } from "./crowd";
import { EarlierButton } from "./earlier-button";
import { type Line, newestSeq, unseen } from "./feed";
import { MessageLine } from "./message-line";
import { MoreLine } from "./more-line";
import { SaleLine } from "./sale-line";

/** Closer to the end than this (px), new lines keep the newest in view. */
const NEAR_END = 60;

interface Props {
  messages: StaffMessage[];
  /** The messages, and the sales between them. */
  lines: Line[];
  /** Opens what can be done about a message; null when the show is over. */
  onPick: ((message: StaffMessage) => void) | null;
  onEarlier: () => Promise<boolean>;
  onOpen: (skip: Skip) => Promise<void>;
}

/** The newest stays in view until one scrolls up to read; then it counts what came since. */
export function Log({ messages, lines, onPick, onEarlier, onOpen }: Props) {
  const log = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const atEnd = useRef(true);
  const [lastSeen, setLastSeen] = useState(0);
  const newest = newestSeq(messages);
  const toEnd = () => {
    if (log.current) log.current.scrollTop = log.current.scrollHeight;
    atEnd.current = true;
    setLastSeen(newest);
  };
  useLayoutEffect(() => {
    // After every render: deliveries grow under a reply that is shown already.
    if (atEnd.current) toEnd();
  });
  useEffect(() => {
    // Keyboards and notices shrink the panel without a render.
    const keep = new ResizeObserver(() => {
      if (atEnd.current && log.current) log.current.scrollTop = log.current.scrollHeight;
    });
    if (log.current) keep.observe(log.current);
    if (list.current) keep.observe(list.current);
    return () => keep.disconnect();
  }, []);
  const scrolled = () => {
    if (!log.current) return;
    const { scrollHeight, scrollTop, clientHeight } = log.current;
    atEnd.current = scrollHeight - scrollTop - clientHeight < NEAR_END;
    if (atEnd.current) setLastSeen(newest);
  };
  const missed = unseen(messages, lastSeen);
  return (
    <div className="log-frame">
      <div ref={log} className="log" role="log" aria-label="Messages" tabIndex={0} onScroll={scrolled}>
        {lines.length === 0 ? (
          <p className="quiet-text">
            No messages yet. They appear here from every platform once the show is live.
          </p>
        ) : (
          <EarlierButton scroller={log} onEarlier={onEarlier} />
        )}
        <ul ref={list}>
          {lines.map((line) => {
            if (line.kind === "sale") return <SaleLine key={line.key} order={line.order} />;
            if (line.kind === "more") return <MoreLine key={line.key} skip={line.skip} onOpen={onOpen} />;
            return <MessageLine key={line.key} message={line.message} asked={line.asked} onPick={onPick} />;
          })}
        </ul>
      </div>
      {missed > 0 && (
        <button type="button" className="newest small" onClick={toEnd}>
          {plural(missed, "new message")} ↓
        </button>
      )}
    </div>
  );
}
