import type { FigureScope } from "@simulcast/api";
import { useQuery } from "@tanstack/react-query";
import { useApi } from "../api";
import { SHOWS } from "../cache";
import { beginOf, dayIn } from "../orders/order-filters";
import { SelectField } from "../parts/select-field";
import { TextField } from "../parts/text-field";

/** Which show, or which days. */
export function ScopeFields({ scope, onScope }: { scope: FigureScope; onScope: (scope: FigureScope) => void }) {
  const api = useApi();
  const shows = useQuery({ queryKey: SHOWS, queryFn: ({ signal }) => api.shows(signal) });
  const options = (shows.data ?? []).map((show) => ({ value: show.id, title: show.title }));
  return (
    <div className="figure-filters">
      <SelectField
        label="Show"
        value={scope.show_id ?? ""}
        options={[{ value: "", title: "All shows" }, ...options]}
        onChoose={(show_id) => onScope({ ...scope, show_id })}
      />
      <TextField
        label="From"
        type="date"
        value={dayIn(scope.since)}
        onText={(day) => onScope({ ...scope, since: beginOf(day) })}
      />
      <TextField
        label="Up to"
        type="date"
        value={dayIn(scope.until, -1)}
        onText={(day) => onScope({ ...scope, until: beginOf(day, 1) })}
      />
    </div>
  );
}
