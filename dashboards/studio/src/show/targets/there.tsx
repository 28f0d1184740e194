import type { ServerClock, ShowState, Target } from "@simulcast/api";
import { useNow } from "../../parts/use-now";
import { audienceWords, detailsWords, healthWords, keyWords } from "./there-words";

interface Props {
  target: Target;
  show: ShowState;
  clock: ServerClock;
}

/** The platform's side of a target: what to do there, who watches, what it thinks of the picture and the texts. */
export function There({ target, show, clock }: Props) {
  const audience = audienceWords(target);
  const details = show === "ended" ? null : detailsWords(target);
  return (
    <>
      {target.todo && target.todo !== target.reason && <p className="backup text-warn">{target.todo}</p>}
      {show !== "scheduled" && audience && <p className="quiet-text number">{audience}</p>}
      {show === "live" &&
        healthWords(target).map(({ text, tone }) => (
          <p key={text} className={`backup text-${tone}`}>
            {text}
          </p>
        ))}
      {details && <p className={`backup text-${details.tone}`}>{details.text}</p>}
      {show !== "ended" && target.key_expires_at && <KeyLeft target={target} clock={clock} />}
    </>
  );
}

function KeyLeft({ target, clock }: Pick<Props, "target" | "clock">) {
  const said = keyWords(target, useNow(true) + clock.offsetMs);
  return said && <p className={`backup number text-${said.tone}`}>{said.text}</p>;
}
