import type { ConversionAccount, ConversionEvent, ConversionsApi } from "@simulcast/api";
import { formatMoney } from "@simulcast/api";
import { useMutation, useQuery } from "@tanstack/react-query";
import { linkTo, PATHS } from "../navigation";
import { Loading } from "../parts/loading";
import { Problem } from "../parts/problem";
import { dateTime } from "../parts/words";
import { eventName } from "./conversion-words";

interface Props {
  account: ConversionAccount;
  api: ConversionsApi;
  again: () => void;
}

/** What the platform said no to: each may be sent again, or left at that. */
export function Refused({ account, api, again }: Props) {
  const events = useQuery({
    queryKey: ["conversions", account.connection_id, "refused", account.figures.refused],
    queryFn: ({ signal }) => api.events(account.connection_id, "refused", signal),
  });
  const done = () => {
    void events.refetch();
    again();
  };
  return (
    <section className="stack tight" aria-label="Refused">
      <h3>Refused: {account.figures.refused}</h3>
      <p>The platform did not take these. Put right what it says, then send them again.</p>
      {events.isPending && <Loading what="what was refused" />}
      {events.error && <Problem error={events.error} retry={() => void events.refetch()} />}
      <ul className="conversion-refused">
        {events.data?.map((event) => (
          <li key={event.id}>
            <RefusedEvent event={event} api={api} done={done} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function RefusedEvent({ event, api, done }: { event: ConversionEvent; api: ConversionsApi; done: () => void }) {
  const send = useMutation({ mutationFn: () => api.again(event.id), onSuccess: done });
  const leave = useMutation({ mutationFn: () => api.dismiss(event.id), onSuccess: done });
  const busy = send.isPending || leave.isPending;
  const about = `${eventName(event)} of order ${event.number ?? ""}`;
  return (
    <div className="stack tight">
      <div className="row">
        <strong>{eventName(event)}</strong>
        {event.order_id && <a {...linkTo(PATHS.order(event.order_id))}>{event.number}</a>}
        {event.value_minor !== null && event.currency && (
          <span className="number">{formatMoney(event.value_minor, event.currency)}</span>
        )}
        <span className="quiet-text">{dateTime(event.event_at)}</span>
      </div>
      <span>{event.reason}</span>
      <div className="row">
        <button
          type="button"
          className="small"
          aria-label={`Send again: ${about}`}
          disabled={!event.again || busy}
          onClick={() => send.mutate()}
        >
          Send again
        </button>
        <button
          type="button"
          className="small"
          aria-label={`Dismiss: ${about}`}
          disabled={busy}
          onClick={() => leave.mutate()}
        >
          Dismiss
        </button>
        {!event.again && <span className="quiet-text">Too old to be sent again.</span>}
      </div>
      <Problem error={send.error ?? leave.error} />
    </div>
  );
}
