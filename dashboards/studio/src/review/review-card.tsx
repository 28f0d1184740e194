import { formatMoney, type Review } from "@simulcast/api";
import { linkTo, PATHS } from "../navigation";
import { Pill } from "../parts/pill";
import { plural } from "../parts/words";
import { clockOf, left } from "./review-words";

interface Props {
  review: Review;
  now: number;
  busy: boolean;
  decide: (verb: "approve" | "refuse" | "undo") => void;
}

const HURRY_S = 300;

/** One order: who, what, why it waits, and for how long its goods stay reserved. */
export function ReviewCard({ review, now, busy, decide }: Props) {
  const due = left(review.due_at, now);
  const open = review.state === "open";
  return (
    <div className="stack tight">
      <div className="row spread">
        <strong className="wrap">
          <a {...linkTo(PATHS.order(review.order_id))}>{review.number}</a>
          {` · ${formatMoney(review.total_minor, review.currency)}`}
        </strong>
        {open && <Pill tone={due < HURRY_S ? "bad" : "warn"}>{`Reserved for ${clockOf(due)}`}</Pill>}
      </div>
      <span>
        {[review.buyer_name, review.country].filter(Boolean).join(", ")}
        {review.lines.map((line) => ` · ${line.quantity} × ${line.title}`).join("")}
      </span>
      <strong>{`Risk ${review.score} of 100`}</strong>
      <ul className="review-reasons">
        {review.reasons.map((reason) => (
          <li key={reason.rule}>
            {reason.sentence}{" "}
            <span className="quiet-text">
              {reason.points < 0 ? plural(-reason.points, "point") + " less" : plural(reason.points, "point")}
            </span>
          </li>
        ))}
      </ul>
      {open ? (
        <div className="row">
          <button type="button" className="primary" disabled={busy} onClick={() => decide("approve")}>
            Approve
          </button>
          <button type="button" disabled={busy} onClick={() => decide("refuse")}>
            Refuse
          </button>
        </div>
      ) : (
        <Acting review={review} now={now} busy={busy} undo={() => decide("undo")} />
      )}
    </div>
  );
}

/** Decided a moment ago: it can still be taken back. */
function Acting({ review, now, busy, undo }: Pick<Props, "review" | "now" | "busy"> & { undo: () => void }) {
  const seconds = review.acts_at ? left(review.acts_at, now) : 0;
  const words = review.state === "approving" ? "Approved. The payment begins" : "Refused. The goods are released";
  return (
    <div className="row" role="status">
      <span>{seconds ? `${words} in a few seconds.` : `${words} now.`}</span>
      {seconds > 0 && (
        <button type="button" className="small" disabled={busy} onClick={undo}>
          Undo
        </button>
      )}
    </div>
  );
}
