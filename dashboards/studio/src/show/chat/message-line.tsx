import { formatMoney, type StaffMessage } from "@simulcast/api";
import { memo } from "react";
import { PlatformBadge } from "../../parts/platform-badge";
import { timeOfDay } from "../../parts/words";
import { Author } from "./author";
import { Deliveries } from "./deliveries";
import { gapWords, kindLabel } from "./feed";
import { Words } from "./words";

interface Props {
  message: StaffMessage;
  /** The message it answers. */
  asked: StaffMessage | undefined;
  /** Opens what can be done about it; null when the show is over. */
  onPick: ((message: StaffMessage) => void) | null;
}

export const MessageLine = memo(function MessageLine({ message, asked, onPick }: Props) {
  if (message.kind === "gap") return <GapLine message={message} />;
  const { amount_minor: amount, currency } = message;
  const kind = kindLabel(message.kind);
  const paid = amount !== null && currency !== null;
  const look = [kind && "special", paid && "paid", message.hidden && "unseen"].filter(Boolean).join(" ");
  return (
    <li className={look || undefined} data-testid="message" data-platform={message.platform}>
      <div className="said">
        {asked && (
          <span className="asked quiet-text">
            ↩ {asked.author_name ?? "Guest"}: {asked.text}
          </span>
        )}
        {message.outgoing ? (
          <span className="badge badge-host">You</span>
        ) : (
          <PlatformBadge platform={message.platform} />
        )}
        {!message.outgoing && <Author message={message} />}
        {kind && (
          <span className="kind number">
            {kind}
            {paid ? ` ${formatMoney(amount, currency)}` : ""}
          </span>
        )}
        <Words text={message.text} fragments={message.fragments} />
        {message.hidden && <span className="sign">Hidden from viewers</span>}
        <time dateTime={message.at}>{timeOfDay(message.at)}</time>
        {message.deliveries.length > 0 && <Deliveries deliveries={message.deliveries} />}
      </div>
      {onPick && !message.outgoing && (
        <button
          type="button"
          className="pick"
          aria-haspopup="dialog"
          aria-label={`Answer or moderate ${message.author_name ?? "guest"}`}
          title="Answer or moderate"
          onClick={() => onPick(message)}
        >
          ⋯
        </button>
      )}
    </li>
  );
});

/** What nobody heard is said where it would have stood. */
function GapLine({ message }: { message: StaffMessage }) {
  return (
    <li className="gap" data-testid="gap" data-platform={message.platform}>
      <div className="said">{gapWords(message)}</div>
    </li>
  );
}
