import { useQuery } from "@tanstack/react-query";
import { linkTo, PATHS } from "../navigation";
import { Notice } from "../parts/notice";
import { Problem } from "../parts/problem";
import { dateTime, plural } from "../parts/words";
import { RETURN_KINDS, RETURN_STATES } from "./sale-words";
import { RETURNS, useOrders } from "./use-orders";

/** Returns and withdrawals that wait for somebody; nothing when there are none. */
export function OpenReturns() {
  const api = useOrders();
  const open = useQuery({ queryKey: RETURNS, queryFn: ({ signal }) => api.returns("open", signal) });
  if (open.error) return <Problem error={open.error} retry={() => void open.refetch()} />;
  if (!open.data?.length) return null;
  return (
    <Notice tone="warn">
      <strong>{plural(open.data.length, "return")} to look after: </strong>
      {open.data.map((one, at) => (
        <span key={one.id}>
          {at > 0 && ", "}
          <a {...linkTo(PATHS.order(one.order_id))}>
            {one.order_number} ({RETURN_KINDS[one.kind]}, {RETURN_STATES[one.state].label.toLowerCase()},{" "}
            {dateTime(one.created_at)})
          </a>
        </span>
      ))}
    </Notice>
  );
}
