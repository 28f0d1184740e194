import { formatMoney, type PaymentsApi, type PaymentTrouble } from "@simulcast/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { linkTo, PATHS } from "../navigation";
import { Problem } from "../parts/problem";
import { dateTime } from "../parts/words";

const PAYMENT_TROUBLES = ["payment-troubles"];
const READ_EVERY_MS = 10_000;

/** Payments that need a person: what is wrong, and what to do. Nothing is shown while all is well. */
export function Troubles({ api }: { api: PaymentsApi }) {
  const troubles = useQuery({
    queryKey: PAYMENT_TROUBLES,
    queryFn: ({ signal }) => api.troubles(signal),
    refetchInterval: READ_EVERY_MS,
  });
  if (troubles.error) return <Problem error={troubles.error} retry={() => void troubles.refetch()} />;
  if (!troubles.data?.length) return null;
  return (
    <section className="stack" aria-labelledby="needs-you">
      <h2 id="needs-you">Needs you</h2>
      <ul className="stack payment-troubles">
        {troubles.data.map((one) => (
          <Trouble key={one.id} trouble={one} api={api} />
        ))}
      </ul>
    </section>
  );
}

function Trouble({ trouble, api }: { trouble: PaymentTrouble; api: PaymentsApi }) {
  const cache = useQueryClient();
  const reload = () => cache.invalidateQueries({ queryKey: PAYMENT_TROUBLES });
  const again = useMutation({ mutationFn: () => api.askAgain(trouble.id), onSuccess: reload });
  const seen = useMutation({ mutationFn: () => api.setSeen(trouble.id), onSuccess: reload });
  return (
    <li className="card stack tight">
      <span>
        <a {...linkTo(PATHS.order(trouble.order_id))}>{trouble.number}</a>
        {`, ${formatMoney(trouble.amount_minor, trouble.currency)} at ${trouble.gateway}, `}
        <span className="quiet-text">{dateTime(trouble.updated_at)}</span>
      </span>
      <span className="problem-text">{trouble.problem}</span>
      <span>{trouble.advice}</span>
      {trouble.ref && <span className="quiet-text wrap">There it is called {trouble.ref}.</span>}
      <div className="row">
        {trouble.can_retry && (
          <button type="button" className="small" disabled={again.isPending} onClick={() => again.mutate()}>
            Ask the gateway now
          </button>
        )}
        <button type="button" className="small" disabled={seen.isPending} onClick={() => seen.mutate()}>
          I have looked after it
        </button>
      </div>
      <Problem error={again.error ?? seen.error} />
    </li>
  );
}
