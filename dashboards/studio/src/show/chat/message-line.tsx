import { formatMoney, type StaffMessage } from "@simulcast/api";
import { memo } from "react";
import { PlatformBadge } from "../../parts/platform-badge";
import { timeOfDay } from "../../parts/words";
import { Deliveries } from "./deliveries";
import { kindLabel } from "./feed";

interface Props {
  message: StaffMessage;
  onAnswer: ((message: StaffMessage) => void) | null;
}

export const MessageLine = memo(function MessageLine({ message, onAnswer }: Props) {
  const { amount_minor: amount, currency } = message;
  const kind = kindLabel(message.kind);
  return (
    <li className={kind ? "special" : undefined} data-testid="message" data-platform={message.platform}>
      <div className="said">
        {message.outgoing ? (
          <span className="badge badge-host">You</span>
        ) : (
          <PlatformBadge platform={message.platform} />
        )}
        {!message.outgoing && <span className="who">{message.author_name ?? "Guest"}</span>}
        {kind && (
          <span className="kind number">
            {kind}
            {amount !== null && currency ? ` ${formatMoney(amount, currency)}` : ""}
          </span>
        )}
        <span>{message.text}</span>
        <time dateTime={message.at}>{timeOfDay(message.at)}</time>
        {message.outgoing && <Deliveries deliveries={message.deliveries} />}
      </div>
      {onAnswer && !message.outgoing && (
        <button
          type="button"
          className="answer"
          aria-label={`Answer ${message.author_name ?? "guest"}`}
          title="Answer"
          onClick={() => onAnswer(message)}
        >
          ↩
        </button>
      )}
    </li>
  );
});
