import "./review.css";
import { type Review, RiskApi } from "@simulcast/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type KeyboardEvent, useMemo, useRef, useState } from "react";
import { Empty } from "../parts/empty";
import { Loading } from "../parts/loading";
import { Problem } from "../parts/problem";
import { useNow } from "../parts/use-now";
import { dateTime } from "../parts/words";
import { linkTo, PATHS } from "../navigation";
import { ReviewCard } from "./review-card";
import { RiskSettingsDialog } from "./risk-settings";
import { moved, outcomeOf, ruleWords } from "./review-words";

export const REVIEWS = ["reviews"];
const READ_EVERY_MS = 4_000;

/** Orders that wait for a person: why, for how long, and one press to decide. */
export function ReviewPage() {
  const api = useMemo(() => new RiskApi(), []);
  const cache = useQueryClient();
  const [settings, setSettings] = useState(false);
  const queue = useQuery({
    queryKey: REVIEWS,
    // The server's clock counts the time that is left, so we keep how far ours is off.
    queryFn: async ({ signal }) => {
      const found = await api.queue(signal);
      return { ...found, offsetMs: Date.parse(found.server_time) - Date.now() };
    },
    refetchInterval: READ_EVERY_MS,
  });
  const decide = useMutation({
    mutationFn: ({ id, verb }: { id: string; verb: Verb }) => api.decide(id, verb),
    onSettled: () => cache.invalidateQueries({ queryKey: REVIEWS }),
  });
  const now = useNow(Boolean(queue.data?.waiting.length)) + (queue.data?.offsetMs ?? 0);
  return (
    <div className="page stack">
      <title>Review · Studio</title>
      <div className="row spread">
        <h1>Review</h1>
        <button type="button" onClick={() => setSettings(true)}>
          Rules and limits
        </button>
      </div>
      {queue.isPending && <Loading what="orders" />}
      {queue.error && <Problem error={queue.error} retry={() => void queue.refetch()} />}
      <Problem error={decide.error} />
      {queue.data && (
        <>
          <p className="quiet-text">{ruleWords(queue.data)}</p>
          <Waiting
            reviews={queue.data.waiting}
            now={now}
            busy={decide.isPending}
            decide={(id, verb) => decide.mutate({ id, verb })}
          />
          <Decided reviews={queue.data.decided} />
        </>
      )}
      {settings && <RiskSettingsDialog api={api} onClose={() => setSettings(false)} />}
    </div>
  );
}

type Verb = "approve" | "refuse" | "undo";

interface WaitingProps {
  reviews: Review[];
  now: number;
  busy: boolean;
  decide: (id: string, verb: Verb) => void;
}

/** Keys on a card: J and K move, A approves, R refuses, U takes it back. */
function Waiting({ reviews, now, busy, decide }: WaitingProps) {
  const list = useRef<HTMLUListElement>(null);
  if (!reviews.length) {
    return (
      <Empty title="Nothing to look at">
        Most orders go straight on. One that is unusual waits here with its reasons, and its goods stay reserved.
      </Empty>
    );
  }
  const onKey = (event: KeyboardEvent, review: Review, place: number) => {
    if (event.metaKey || event.ctrlKey || event.altKey || event.target !== event.currentTarget) return;
    const verb = ({ a: "approve", r: "refuse", u: "undo" } as const)[event.key.toLowerCase()];
    const to = moved(place, event.key, reviews.length);
    if (verb && !busy && (verb === "undo") === (review.state !== "open")) decide(review.order_id, verb);
    else if (to !== place) list.current?.querySelectorAll<HTMLElement>(":scope > li")[to]?.focus();
    else return;
    event.preventDefault();
  };
  return (
    <>
      <p className="quiet-text">
        Keys on an order: <kbd>J</kbd> next, <kbd>K</kbd> previous, <kbd>A</kbd> approve, <kbd>R</kbd> refuse,{" "}
        <kbd>U</kbd> undo.
      </p>
      <ul className="lines reviews" aria-label="Orders to look at" ref={list}>
        {reviews.map((review, place) => (
          <li
            key={review.order_id}
            className="card"
            tabIndex={0}
            aria-label={`Order ${review.number}`}
            onKeyDown={(event) => onKey(event, review, place)}
          >
            <ReviewCard review={review} now={now} busy={busy} decide={(verb) => decide(review.order_id, verb)} />
          </li>
        ))}
      </ul>
    </>
  );
}

function Decided({ reviews }: { reviews: Review[] }) {
  if (!reviews.length) return null;
  return (
    <section className="stack" aria-labelledby="decided">
      <h2 id="decided">Decided</h2>
      <ul className="lines">
        {reviews.map((review) => (
          <li key={review.order_id} className="row spread">
            <a {...linkTo(PATHS.order(review.order_id))}>{review.number}</a>
            <span>{outcomeOf(review)}</span>
            <span className="quiet-text">{review.decided_at && dateTime(review.decided_at)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
